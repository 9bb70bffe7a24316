// SPDX-License-Identifier: Apache-2.0
#include "sockets.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/ioctl.h>

namespace flowtap::deliver::detail {

namespace {

/// The system's calls take pointers that are not const and leave what they point to alone.
iovec part(byte_view octets) noexcept {
    return {const_cast<std::byte*>(octets.data()), octets.size()};
}

} // namespace

socket_address::socket_address(const endpoint& from) noexcept : socket_address() {
    const auto octets = from.address.bytes();
    if (from.address.ip_family() == family::inet) {
        octets_.inet.sin_family = AF_INET;
        octets_.inet.sin_port = htons(from.port);
        std::memcpy(&octets_.inet.sin_addr, octets.data(), sizeof octets_.inet.sin_addr);
        size_ = sizeof octets_.inet;
    } else {
        octets_.inet6 = {};
        octets_.inet6.sin6_family = AF_INET6;
        octets_.inet6.sin6_port = htons(from.port);
        std::memcpy(&octets_.inet6.sin6_addr, octets.data(), sizeof octets_.inet6.sin6_addr);
        size_ = sizeof octets_.inet6;
    }
}

result<void> bind_to_device(const descriptor& socket, const std::string& device) {
    if (device.empty())
        return {};
    if (::setsockopt(socket.number(), SOL_SOCKET, SO_BINDTODEVICE, device.c_str(),
                     static_cast<socklen_t>(device.size() + 1)) != 0)
        return fail(error(std::error_code(errno, std::system_category()), device));
    return {};
}

result<void> prepare(const descriptor& socket, const socket_options& options) {
    if (options.send_buffer > 0)
        ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDBUF, &options.send_buffer,
                     sizeof options.send_buffer);
    // Without this the system drops packets at a full device queue and says that they were sent.
    const int on = 1;
    int of = AF_INET;
    socklen_t length = sizeof of;
    ::getsockopt(socket.number(), SOL_SOCKET, SO_DOMAIN, &of, &length);
    if (of == AF_INET)
        ::setsockopt(socket.number(), IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    else
        ::setsockopt(socket.number(), IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    if (options.mark && ::setsockopt(socket.number(), SOL_SOCKET, SO_MARK, &*options.mark,
                                     sizeof *options.mark) != 0)
        return fail(error(std::error_code(errno, std::system_category()), "socket mark"));
    return bind_to_device(socket, options.device);
}

send_error kind_of(int system_error) noexcept {
    switch (system_error) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
        return send_error::full;
    case EINTR:
        return send_error::again;
    case EMSGSIZE:
        return send_error::too_long;
    default:
        return send_error::final;
    }
}

path::drop_cause cause_of(int system_error) noexcept {
    switch (system_error) {
    case EMSGSIZE:
        return path::drop_cause::too_long;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case ECONNREFUSED:
        return path::drop_cause::unreachable;
    default:
        return path::drop_cause::send_error;
    }
}

void clear_errors(int socket) noexcept {
    // Nothing of a queued error is wanted but that it goes away.
    for (int i = 0; i < 64; ++i) {
        msghdr message{};
        if (::recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            break;
    }
    int pending = 0;
    socklen_t length = sizeof pending;
    ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &pending, &length);
}

void message_batch::add(const endpoint& to, byte_view header, byte_view body,
                        std::size_t control) noexcept {
    addresses_[size_] = socket_address(to);
    parts_[size_] = {part(header), part(body)};
    msghdr& message = messages_[size_].msg_hdr;
    message = {};
    message.msg_name = addresses_[size_].data();
    message.msg_namelen = addresses_[size_].size();
    message.msg_iov = parts_[size_].data();
    message.msg_iovlen = parts_[size_].size();
    if (control != 0) {
        message.msg_control = controls_[size_].octets.data();
        message.msg_controllen = control;
    }
    ++size_;
}

std::size_t message_batch::send(int socket) noexcept {
    const int sent = ::sendmmsg(socket, messages_.data(), static_cast<unsigned>(size_),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

int send_one(int socket, const endpoint& to, byte_view first, byte_view second) noexcept {
    socket_address address(to);
    std::array<iovec, 2> parts{part(first), part(second)};
    msghdr message{};
    message.msg_name = address.data();
    message.msg_namelen = address.size();
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    return ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

std::size_t mtu_towards(int socket, const ip_address& to) noexcept {
    // Without this the socket would keep the source address that was right for the last one.
    sockaddr none{};
    none.sa_family = AF_UNSPEC;
    ::connect(socket, &none, sizeof none);
    // Any port: connecting looks up the route, no more.
    socket_address address(endpoint{to, 9});
    if (::connect(socket, address.data(), address.size()) != 0)
        return 0;
    int mtu = 0;
    socklen_t length = sizeof mtu;
    const int outcome = to.ip_family() == family::inet
                            ? ::getsockopt(socket, IPPROTO_IP, IP_MTU, &mtu, &length)
                            : ::getsockopt(socket, IPPROTO_IPV6, IPV6_MTU, &mtu, &length);
    return outcome == 0 && mtu > 0 ? static_cast<std::size_t>(mtu) : 0;
}

bool has_unsent(int socket) noexcept {
    int octets = 0;
    return socket >= 0 && ::ioctl(socket, TIOCOUTQ, &octets) == 0 && octets > 0;
}

void wait_writable(int socket, int last_error, int milliseconds) noexcept {
    if (last_error != EAGAIN) {
        ::poll(nullptr, 0, std::min(milliseconds, 1));
        return;
    }
    pollfd wanted{socket, POLLOUT, 0};
    ::poll(&wanted, 1, milliseconds);
}

} // namespace flowtap::deliver::detail
