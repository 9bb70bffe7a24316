// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <type_traits>

#include <flowtap/core/address.hpp>
#include <flowtap/core/ids.hpp>

namespace flowtap {

/// Which way a packet passes an interface, seen from the network element.
enum class direction : std::uint8_t { ingress = 0, egress = 1 };

/// What of a packet a filter can look at: one cache line, plain data.
///
/// Ports are valid only with `has_ports`, ICMP type and code only with `has_icmp`; what is not
/// valid is zero. `of_family` ccc means a whole frame, of which only the scope can be matched.
struct alignas(64) packet_key {
    address_bits source;
    address_bits destination;
    interface_id interface;
    vrf_id vrf;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint8_t protocol = 0;
    std::uint8_t icmp_type = 0;
    std::uint8_t icmp_code = 0;
    family of_family = family::inet;
    direction way = direction::ingress;
    bool has_ports = false;
    bool has_icmp = false;

    friend bool operator==(const packet_key&, const packet_key&) = default;
};

static_assert(sizeof(packet_key) == 64);
static_assert(std::is_trivially_copyable_v<packet_key>);

} // namespace flowtap
