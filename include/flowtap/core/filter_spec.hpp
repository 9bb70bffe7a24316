// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/core/range_list.hpp>

namespace flowtap {

/// How a list of source ports and a list of destination ports combine.
enum class port_list_mode : std::uint8_t {
    /// Each list is a filter of its own; a packet must be admitted by both.
    product,
    /// Entry i of one list belongs to entry i of the other; a packet must meet both sides of one
    /// pair. The lists are of the same length and have no negated entry.
    pairs,
};

/// At most this many source-destination port pairs stand in one filter (Junos since 16.2).
inline constexpr std::size_t max_port_pairs = 15;

/// Looks at packets that enter through any interface.
struct global_scope {
    friend bool operator==(const global_scope&, const global_scope&) = default;
};
/// Looks at packets that enter through an interface of one routing instance.
struct vrf_scope {
    vrf_id vrf;
    friend bool operator==(const vrf_scope&, const vrf_scope&) = default;
};
/// Looks at packets that enter through one of these interfaces.
struct input_scope {
    std::vector<interface_id> interfaces;
    friend bool operator==(const input_scope&, const input_scope&) = default;
};
/// Looks at packets that leave through one of these interfaces.
struct output_scope {
    std::vector<interface_id> interfaces;
    friend bool operator==(const output_scope&, const output_scope&) = default;
};

using filter_scope = std::variant<global_scope, vrf_scope, input_scope, output_scope>;

/// What an ADD asks to match, with every name resolved: the input of the filter module.
///
/// A packet matches when its family is in `families`, the scope holds, and every field admits the
/// packet's value. A port field that is no wildcard is met only by a packet that carries a TCP or
/// UDP header, an ICMP field that is no wildcard only by one that carries an ICMP or ICMPv6 header.
/// If an address field is no wildcard, `families` is the one family of its addresses.
struct filter_spec {
    family_set families;
    filter_scope scope = global_scope{};
    range_list<address_bits> source_addresses;
    range_list<address_bits> destination_addresses;
    range_list<std::uint8_t> protocols;
    range_list<std::uint16_t> source_ports;
    range_list<std::uint16_t> destination_ports;
    port_list_mode port_lists = port_list_mode::product;
    range_list<std::uint8_t> icmp_types;
    range_list<std::uint8_t> icmp_codes;

    friend bool operator==(const filter_spec&, const filter_spec&) = default;
};

} // namespace flowtap
