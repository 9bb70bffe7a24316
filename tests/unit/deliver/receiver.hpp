// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <flowtap/core/descriptor.hpp>

#include "copies.hpp"

namespace flowtap::deliver::test {

/// A datagram as its receiver sees it.
struct datagram {
    octets payload;
    endpoint from;
    int ttl = -1;
    int traffic_class = -1;
};

/// A UDP socket on loopback, at a port of the system's choice.
class receiver {
public:
    explicit receiver(family of) : of_(of) {
        const bool is_inet = of == family::inet;
        socket_ = descriptor(::socket(is_inet ? AF_INET : AF_INET6, SOCK_DGRAM, 0));
        REQUIRE(socket_);
        const int on = 1;
        const int large = 4 << 20;
        ::setsockopt(number(), SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
        if (is_inet) {
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            REQUIRE(::bind(number(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
            ::setsockopt(number(), IPPROTO_IP, IP_RECVTTL, &on, sizeof on);
            ::setsockopt(number(), IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
        } else {
            sockaddr_in6 address{};
            address.sin6_family = AF_INET6;
            address.sin6_addr = in6addr_loopback;
            REQUIRE(::bind(number(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
            ::setsockopt(number(), IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on);
            ::setsockopt(number(), IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof on);
        }
    }

    endpoint where() const {
        sockaddr_in6 address{};
        socklen_t length = sizeof address;
        ::getsockname(number(), reinterpret_cast<sockaddr*>(&address), &length);
        const std::uint16_t port = ntohs(address.sin6_port); // at the same place for IPv4
        return of_ == family::inet ? loopback(port) : loopback6(port);
    }

    /// The next datagram. Loopback delivers before the sending call returns.
    std::optional<datagram> next() {
        pollfd wanted{number(), POLLIN, 0};
        if (::poll(&wanted, 1, 0) != 1)
            return {};
        datagram got;
        got.payload.resize(65'536);
        sockaddr_in6 from{};
        alignas(cmsghdr) std::array<char, 256> control{};
        iovec part{got.payload.data(), got.payload.size()};
        msghdr message{};
        message.msg_name = &from;
        message.msg_namelen = sizeof from;
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        const ssize_t length = ::recvmsg(number(), &message, 0);
        REQUIRE(length >= 0);
        got.payload.resize(static_cast<std::size_t>(length));
        got.from = of_ == family::inet ? source_of(from) : loopback6(ntohs(from.sin6_port));
        for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr;
             each = CMSG_NXTHDR(&message, each))
            note(*each, got);
        return got;
    }

private:
    int number() const { return socket_.number(); }

    static endpoint source_of(const sockaddr_in6& from) {
        sockaddr_in inet{};
        std::memcpy(&inet, &from, sizeof inet);
        return {ip_address::v4(ntohl(inet.sin_addr.s_addr)), ntohs(inet.sin_port)};
    }
    static void note(cmsghdr& control, datagram& got) {
        int value = 0;
        if (control.cmsg_level == IPPROTO_IP && control.cmsg_type == IP_TOS) {
            got.traffic_class = *CMSG_DATA(&control);
            return;
        }
        std::memcpy(&value, CMSG_DATA(&control), sizeof value);
        const bool is_ttl =
            (control.cmsg_level == IPPROTO_IP && control.cmsg_type == IP_TTL) ||
            (control.cmsg_level == IPPROTO_IPV6 && control.cmsg_type == IPV6_HOPLIMIT);
        (is_ttl ? got.ttl : got.traffic_class) = value;
    }

    family of_;
    descriptor socket_;
};

inline bool has_ipv6() {
    const descriptor socket(::socket(AF_INET6, SOCK_DGRAM, 0));
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    return socket &&
           ::bind(socket.number(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

} // namespace flowtap::deliver::test
