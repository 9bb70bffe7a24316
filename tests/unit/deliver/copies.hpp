// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <flowtap/packet/encapsulation.hpp>
#include <flowtap/path/sink.hpp>

namespace flowtap::deliver::test {

using octets = std::vector<std::byte>;

inline endpoint loopback(std::uint16_t port, std::uint8_t host = 1) {
    return {ip_address::v4(0x7F000000U + host), port};
}

inline endpoint loopback6(std::uint16_t port) {
    return {ip_address(family::inet6, {0, 1}), port};
}

/// Octets that are told apart by `seed`.
inline octets inner_packet(std::size_t size, unsigned seed = 0) {
    octets made(size);
    for (std::size_t i = 0; i < size; ++i)
        made[i] = static_cast<std::byte>(i * 7 + seed);
    made[0] = std::byte{0x45};
    return made;
}

/// A copy with what it points to.
struct owned_copy {
    owned_copy(const packet::encapsulation& with, octets inner)
        : header(packet::header_template::make(with).value()), packet(std::move(inner)) {}

    path::copy view(std::uint16_t identification = 1) const {
        path::copy made;
        made.header = &header;
        made.packet = packet;
        made.identification = identification;
        made.time = wall_time(std::chrono::seconds(100) + std::chrono::nanoseconds(5));
        return made;
    }

    packet::header_template header;
    octets packet;
};

inline packet::encapsulation from_to(const endpoint& source, const endpoint& destination) {
    packet::encapsulation made;
    made.source = source;
    made.destination = destination;
    return made;
}

inline std::uint64_t dropped(const path::delivery_counters& counters, path::drop_cause cause) {
    return counters.dropped[static_cast<std::size_t>(cause)];
}

} // namespace flowtap::deliver::test
