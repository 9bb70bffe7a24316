// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/range_list.hpp>

namespace flowtap::filter {

using address_ranges = std::vector<value_range<address_bits>>;
using port_ranges = std::vector<value_range<std::uint16_t>>;
using protocol_bits = std::bitset<256>;

/// The two protocols that have ports.
inline constexpr std::array<std::uint8_t, 2> port_protocols = {6, 17};

/// Packets of one family, as a union: those of any of the following kinds.
struct packet_needs {
    bool everything = false;
    address_ranges destinations;
    address_ranges sources;
    protocol_bits protocols;
    /// By protocol, as in `port_protocols`.
    std::array<port_ranges, 2> destination_ports;
    std::array<port_ranges, 2> source_ports;

    /// The ranges of addresses and ports.
    std::size_t ranges() const noexcept;
    bool empty() const noexcept { return !everything && ranges() == 0 && protocols.none(); }
    void add(const packet_needs& other);
    /// Sorts and joins the ranges, and forgets what something else passes already.
    void normalize(family of);
};

/// A condition that every packet of family `of` meets which `spec` matches, in the one field that
/// tells most. None if it matches no packet of the family.
std::optional<packet_needs> need_of(const filter_spec& spec, family of);

} // namespace flowtap::filter
