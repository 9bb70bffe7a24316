// SPDX-License-Identifier: Apache-2.0
#include "socket_address.hpp"

#include <cstring>
#include <netinet/in.h>

namespace flowtap::radius {

socket_address::socket_address(const endpoint& from) noexcept {
    const auto bytes = from.address.bytes();
    if (from.address.ip_family() == family::inet) {
        sockaddr_in made{};
        made.sin_family = AF_INET;
        made.sin_port = htons(from.port);
        std::memcpy(&made.sin_addr, bytes.data(), sizeof made.sin_addr);
        std::memcpy(&octets, &made, sizeof made);
        size = sizeof made;
        return;
    }
    sockaddr_in6 made{};
    made.sin6_family = AF_INET6;
    made.sin6_port = htons(from.port);
    std::memcpy(&made.sin6_addr, bytes.data(), sizeof made.sin6_addr);
    std::memcpy(&octets, &made, sizeof made);
    size = sizeof made;
}

endpoint socket_address::to_endpoint() const noexcept {
    if (octets.ss_family == AF_INET6) {
        sockaddr_in6 from{};
        std::memcpy(&from, &octets, sizeof from);
        return {ip_address::from_bytes(std::as_bytes(std::span(from.sin6_addr.s6_addr))),
                ntohs(from.sin6_port)};
    }
    sockaddr_in from{};
    std::memcpy(&from, &octets, sizeof from);
    return {ip_address::v4(ntohl(from.sin_addr.s_addr)), ntohs(from.sin_port)};
}

} // namespace flowtap::radius
