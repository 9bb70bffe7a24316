// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <flowtap/core/address.hpp>
#include <flowtap/core/bytes.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/packet/decapsulation.hpp>
#include <flowtap/packet/encapsulation.hpp>

namespace flowtap::tools {

/// A copy out of its encapsulation, from a socket or a capture. Borrows its octets.
struct received_copy {
    packet::encapsulation_kind kind = packet::encapsulation_kind::udp;
    /// Ports are zero with IP-in-IP.
    endpoint source;
    endpoint destination;
    /// Zero unless `kind` is `udp_mirror`.
    packet::mirror_header mirror;
    /// As far as a kernel has not checked them already.
    packet::checksum_state ip_checksum = packet::checksum_state::absent;
    packet::checksum_state udp_checksum = packet::checksum_state::absent;
    byte_view inner;
    wall_time time;
};

/// Why something that came is no copy.
enum class refusal : std::uint8_t {
    not_ip,           ///< no IP packet around it (captures only)
    cut_short,        ///< a snap length cut it
    malformed,        ///< the outer header is not consistent
    not_encapsulated, ///< the outer packet is of another protocol, or its UDP length is wrong
    no_mirror_header, ///< shorter than a mirror header, or of another version
    empty,            ///< nothing stands in the encapsulation
    no_ip_inside,     ///< what stands in it is no IP packet, though it should be
    inner_cut_short,  ///< the packet in it is longer than what came
};
inline constexpr std::size_t refusal_count = 8;

} // namespace flowtap::tools
