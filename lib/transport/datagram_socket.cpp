// SPDX-License-Identifier: Apache-2.0
#include "datagram_socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <flowtap/transport/error.hpp>

namespace flowtap::transport {

namespace {

void set_option(int socket, int level, int name, int value) noexcept {
    // Each of these only makes a socket behave better: one that is not there is not missed.
    static_cast<void>(::setsockopt(socket, level, name, &value, sizeof value));
}

/// False where the socket cannot tell which local address a datagram was sent to.
bool tell_local_address(int socket, family of) noexcept {
    const int on = 1;
    return of == family::inet
               ? ::setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0
               : ::setsockopt(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) == 0;
}

void prepare(int socket, family of) noexcept {
    set_option(socket, SOL_SOCKET, SO_RCVBUF, datagram_socket::receive_buffer);
    set_option(socket, SOL_SOCKET, SO_RXQ_OVFL, 1);
    // Errors about datagrams are counted, and a full device queue is told instead of dropping.
    if (of == family::inet) {
        set_option(socket, IPPROTO_IP, IP_RECVERR, 1);
        // An answer too long for a link on its way is cut up there, not thrown away: its request
        // cannot be repeated.
        set_option(socket, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
    } else {
        set_option(socket, IPPROTO_IPV6, IPV6_RECVERR, 1);
    }
}

ip_address address_of(const in_addr& octets) noexcept {
    return ip_address::v4(ntohl(octets.s_addr));
}

ip_address address_of(const in6_addr& octets) noexcept {
    return ip_address::from_bytes(std::as_bytes(std::span(octets.s6_addr)));
}

/// Of the data of a control message, which stands at no particular alignment.
template <class Data>
Data data_of(const cmsghdr* header) noexcept {
    Data data;
    std::memcpy(&data, CMSG_DATA(header), sizeof data);
    return data;
}

/// Adds the local address to send from to a message.
template <class Data>
void set_source(msghdr& message, int level, int type, const Data& data) noexcept {
    message.msg_controllen = CMSG_SPACE(sizeof data);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof data);
    std::memcpy(CMSG_DATA(header), &data, sizeof data);
}

void set_source(msghdr& message, const ip_address& source) noexcept {
    const auto octets = source.bytes();
    if (source.ip_family() == family::inet) {
        in_pktinfo data{};
        std::memcpy(&data.ipi_spec_dst, octets.data(), sizeof data.ipi_spec_dst);
        set_source(message, IPPROTO_IP, IP_PKTINFO, data);
    } else {
        in6_pktinfo data{};
        std::memcpy(&data.ipi6_addr, octets.data(), sizeof data.ipi6_addr);
        set_source(message, IPPROTO_IPV6, IPV6_PKTINFO, data);
    }
}

/// An error that an earlier datagram may have caused, wherever that one went.
bool is_about_a_peer(int error) noexcept {
    switch (error) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EPROTO:
    case EACCES:
    case EMSGSIZE:
        return true;
    default:
        return false;
    }
}

} // namespace

socket_address::socket_address() noexcept : octets_{} {}

socket_address::socket_address(const endpoint& from) noexcept : octets_{} {
    const auto octets = from.address.bytes();
    if (from.address.ip_family() == family::inet) {
        sockaddr_in inet{};
        inet.sin_family = AF_INET;
        inet.sin_port = htons(from.port);
        std::memcpy(&inet.sin_addr, octets.data(), sizeof inet.sin_addr);
        std::memcpy(&octets_, &inet, sizeof inet);
        size_ = sizeof inet;
    } else {
        sockaddr_in6 inet6{};
        inet6.sin6_family = AF_INET6;
        inet6.sin6_port = htons(from.port);
        std::memcpy(&inet6.sin6_addr, octets.data(), sizeof inet6.sin6_addr);
        std::memcpy(&octets_, &inet6, sizeof inet6);
        size_ = sizeof inet6;
    }
}

endpoint socket_address::to_endpoint() const noexcept {
    if (octets_.ss_family == AF_INET) {
        sockaddr_in inet;
        std::memcpy(&inet, &octets_, sizeof inet);
        return {address_of(inet.sin_addr), ntohs(inet.sin_port)};
    }
    sockaddr_in6 inet6;
    std::memcpy(&inet6, &octets_, sizeof inet6);
    return {address_of(inet6.sin6_addr), ntohs(inet6.sin6_port)};
}

result<datagram_socket> datagram_socket::open(const endpoint& local, opener& via) {
    auto made = via.datagram_listener(local);
    if (!made)
        return fail(made.error());
    const family of = local.address.ip_family();
    prepare(made->number(), of);
    socket_address address(local);
    socklen_t size = socket_address::room();
    if (!tell_local_address(made->number(), of) ||
        ::getsockname(made->number(), address.data(), &size) != 0)
        return fail(error(std::error_code(errno, std::generic_category()), to_string(local)));
    return datagram_socket(std::move(*made), address.to_endpoint());
}

result<datagram_socket> datagram_socket::connect(const std::string& host, std::uint16_t port) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_DGRAM;
    wanted.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int looked_up =
        ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
    if (looked_up != 0)
        return fail(errc::host_not_found, host + ": " + ::gai_strerror(looked_up));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, &::freeaddrinfo);
    int failure = EAFNOSUPPORT;
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
        descriptor made(::socket(one->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        socket_address local;
        socklen_t size = socket_address::room();
        if (made && ::connect(made.number(), one->ai_addr, one->ai_addrlen) == 0 &&
            ::getsockname(made.number(), local.data(), &size) == 0) {
            set_option(made.number(), SOL_SOCKET, SO_RCVBUF, receive_buffer);
            return datagram_socket(std::move(made), local.to_endpoint());
        }
        failure = errno;
    }
    return fail(error(std::error_code(failure, std::generic_category()), host));
}

int send_datagram_from(int socket, const ip_address& source, const endpoint& to,
                       std::string_view octets) noexcept {
    socket_address address(to);
    // The system's calls take pointers that are not const and leave what they point to alone.
    iovec part{const_cast<char*>(octets.data()), octets.size()};
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(in6_pktinfo))> control{};
    msghdr message{};
    message.msg_name = address.data();
    message.msg_namelen = address.size();
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!source.is_unspecified()) {
        message.msg_control = control.data();
        set_source(message, source);
    }
    // A socket tells an error about an earlier datagram in place of sending, once for each.
    constexpr int tries = 8;
    int failure = 0;
    for (int i = 0; i < tries; ++i) {
        if (::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
            return 0;
        failure = errno;
        if (failure != EINTR && !is_about_a_peer(failure))
            break;
    }
    return failure;
}

std::uint64_t take_errors(int socket) noexcept {
    constexpr std::uint64_t most = 64;
    std::uint64_t count = 0;
    for (; count < most; ++count) {
        msghdr message{};
        if (::recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            break;
    }
    int pending = 0;
    socklen_t length = sizeof pending;
    static_cast<void>(::getsockopt(socket, SOL_SOCKET, SO_ERROR, &pending, &length));
    return count;
}

datagram_batch::datagram_batch(std::size_t count, std::size_t longest)
    : longest_(longest), octets_(std::make_unique_for_overwrite<std::byte[]>(count * longest)),
      addresses_(count), controls_(count), parts_(count), messages_(count) {
    for (std::size_t index = 0; index < count; ++index)
        parts_[index] = {octets_.get() + index * longest, longest};
}

int datagram_batch::receive(int socket) noexcept {
    for (std::size_t index = 0; index < messages_.size(); ++index) {
        msghdr& message = messages_[index].msg_hdr;
        message = {};
        message.msg_name = addresses_[index].data();
        message.msg_namelen = socket_address::room();
        message.msg_iov = &parts_[index];
        message.msg_iovlen = 1;
        message.msg_control = controls_[index].octets;
        message.msg_controllen = sizeof controls_[index].octets;
    }
    const int count = ::recvmmsg(socket, messages_.data(), static_cast<unsigned>(messages_.size()),
                                 MSG_DONTWAIT, nullptr);
    if (count <= 0)
        return count == 0 ? -EAGAIN : -errno;
    msghdr& last = messages_[static_cast<std::size_t>(count) - 1].msg_hdr;
    overflow_ = 0;
    for (cmsghdr* header = CMSG_FIRSTHDR(&last); header != nullptr;
         header = CMSG_NXTHDR(&last, header))
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SO_RXQ_OVFL)
            overflow_ = data_of<std::uint32_t>(header);
    return count;
}

datagram_batch::item datagram_batch::operator[](std::size_t index) const noexcept {
    // CMSG_NXTHDR wants a header that is not const, and changes nothing.
    msghdr message = messages_[index].msg_hdr;
    item made;
    made.from = addresses_[index].to_endpoint();
    made.at = ip_address(made.from.address.ip_family(), {});
    made.octets = byte_view(octets_.get() + index * longest_, messages_[index].msg_len);
    made.too_long = (message.msg_flags & MSG_TRUNC) != 0;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
            const auto data = data_of<in_pktinfo>(header);
            if (data.ipi_addr.s_addr == data.ipi_spec_dst.s_addr)
                made.at = address_of(data.ipi_addr);
        } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
            const ip_address at = address_of(data_of<in6_pktinfo>(header).ipi6_addr);
            if (!at.is_multicast())
                made.at = at;
        }
    }
    return made;
}

} // namespace flowtap::transport
