// SPDX-License-Identifier: Apache-2.0
#include "server_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace flowtap::radius {

namespace {

template <class Value>
Value value_of(const cmsghdr& header) noexcept {
    Value value{};
    std::memcpy(&value, CMSG_DATA(&header), sizeof value);
    return value;
}

/// One control message with `value`.
template <class Value>
void put(datagram_origin& to, int level, int type, const Value& value) noexcept {
    cmsghdr header{};
    header.cmsg_len = CMSG_LEN(sizeof value);
    header.cmsg_level = level;
    header.cmsg_type = type;
    std::memcpy(to.control.data(), &header, sizeof header);
    std::memcpy(to.control.data() + CMSG_LEN(0), &value, sizeof value);
    to.control_size = CMSG_SPACE(sizeof value);
}

/// The answer leaves as the routing table says, from the address that was asked. Only a link-local
/// address means nothing without its device.
void turn_round(msghdr& received, datagram_origin& origin) noexcept {
    origin.control_size = 0;
    for (const cmsghdr* each = CMSG_FIRSTHDR(&received); each != nullptr;) {
        if (each->cmsg_level == IPPROTO_IP && each->cmsg_type == IP_PKTINFO) {
            auto told = value_of<in_pktinfo>(*each);
            told.ipi_ifindex = 0;
            return put(origin, IPPROTO_IP, IP_PKTINFO, told);
        }
        if (each->cmsg_level == IPPROTO_IPV6 && each->cmsg_type == IPV6_PKTINFO) {
            auto told = value_of<in6_pktinfo>(*each);
            if (!IN6_IS_ADDR_LINKLOCAL(&told.ipi6_addr))
                told.ipi6_ifindex = 0;
            return put(origin, IPPROTO_IPV6, IPV6_PKTINFO, told);
        }
        each = CMSG_NXTHDR(&received, const_cast<cmsghdr*>(each));
    }
}

} // namespace

void tell_destinations(int socket) noexcept {
    const int on = 1;
    // The one that is of the other family fails.
    ::setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    ::setsockopt(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
}

std::optional<byte_view> receive_datagram(int socket, std::span<std::byte> room,
                                          datagram_origin& origin, bool& is_empty) noexcept {
    iovec part{room.data(), room.size()};
    msghdr message{};
    message.msg_name = origin.from.any();
    message.msg_namelen = sizeof origin.from.octets;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = origin.control.data();
    message.msg_controllen = origin.control.size();
    const ssize_t count = ::recvmsg(socket, &message, MSG_DONTWAIT);
    is_empty = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (count < 0)
        return std::nullopt;
    origin.from.size = message.msg_namelen;
    turn_round(message, origin);
    return byte_view(room).first(static_cast<std::size_t>(count));
}

void send_answer(int socket, byte_view answer, datagram_origin& to) noexcept {
    // The system's calls take pointers that are not const and leave what they point to alone.
    iovec part{const_cast<std::byte*>(answer.data()), answer.size()};
    msghdr message{};
    message.msg_name = to.from.any();
    message.msg_namelen = to.from.size;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (to.control_size != 0) {
        message.msg_control = to.control.data();
        message.msg_controllen = to.control_size;
    }
    ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

} // namespace flowtap::radius
