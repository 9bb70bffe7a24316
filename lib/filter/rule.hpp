// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/packet_key.hpp>

#include "residual.hpp"
#include "values.hpp"

namespace flowtap::filter {

/// What a rule looks at, each as a number of 32 bits.
enum lane : std::size_t {
    lane_source,           ///< the IPv4 address; of other families nothing is asked here
    lane_destination,      ///< likewise
    lane_source_port,      ///< with `lane_present` if the packet has ports, else zero
    lane_destination_port, ///< likewise
    lane_protocol,         ///< with `lane_egress` if the packet leaves
    lane_unused,           ///< a rule keeps other things in its place
    lane_interface,
    lane_vrf,
};
inline constexpr std::size_t lane_count = 8;
inline constexpr std::uint32_t lane_present = 0x1'0000;
inline constexpr std::uint32_t lane_egress = 0x100;

using lane_values = std::array<std::uint32_t, lane_count>;

/// Bounds of all lanes: one cache line.
struct alignas(64) lane_box {
    lane_values low{};
    lane_values high{};
};

/// The lanes of a packet.
FLOWTAP_INLINE lane_values lanes_of(const packet_key& key) noexcept {
    const std::uint32_t present = key.has_ports ? lane_present : 0;
    const std::uint32_t way = key.way == direction::egress ? lane_egress : 0;
    return {static_cast<std::uint32_t>(key.source.low),
            static_cast<std::uint32_t>(key.destination.low),
            present | key.source_port,
            present | key.destination_port,
            way | key.protocol,
            0,
            key.interface.value(),
            key.vrf.value()};
}

/// Whether all lanes but the unused one are within their bounds. Without a
/// branch.
FLOWTAP_INLINE bool within(const lane_box& box, const lane_values& values) noexcept {
    std::uint32_t outside = 0;
    for (std::size_t i = 0; i < lane_count; ++i) {
        if (i == lane_unused)
            continue;
        outside |= static_cast<std::uint32_t>(values[i] < box.low[i]);
        outside |= static_cast<std::uint32_t>(box.high[i] < values[i]);
    }
    return outside == 0;
}

/// A criterion, or that part of it which names one range of addresses on a
/// side: a bound for every field, and what is left to check where the bounds do
/// not say it all. The rules of one criterion exclude each other.
struct rule_base {
    lane_box box;

    /// The criterion's number in the entry table of its level.
    std::uint32_t entry() const noexcept { return box.low[lane_unused]; }
    /// Where the rest of the check stands, or `residual_store::nothing`.
    std::uint32_t residual() const noexcept { return box.high[lane_unused]; }
};

template <class Address>
struct rule;

/// A rule for IPv4 packets, and for frames: the bounds say it all.
template <>
struct rule<std::uint32_t> : rule_base {
    value_range<std::uint32_t> source() const noexcept {
        return {box.low[lane_source], box.high[lane_source]};
    }
    value_range<std::uint32_t> destination() const noexcept {
        return {box.low[lane_destination], box.high[lane_destination]};
    }
    FLOWTAP_INLINE bool addresses_hold(const packet_key&) const noexcept { return true; }
};

/// A rule for IPv6 packets: the bounds, and a prefix for each address.
template <>
struct rule<address_bits> : rule_base {
    address_bits source_value;
    address_bits destination_value;
    address_bits source_mask;
    address_bits destination_mask;

    value_range<address_bits> source() const noexcept { return span(source_value, source_mask); }
    value_range<address_bits> destination() const noexcept {
        return span(destination_value, destination_mask);
    }
    FLOWTAP_INLINE bool addresses_hold(const packet_key& key) const noexcept {
        return (((key.source.high ^ source_value.high) & source_mask.high) |
                ((key.source.low ^ source_value.low) & source_mask.low) |
                ((key.destination.high ^ destination_value.high) & destination_mask.high) |
                ((key.destination.low ^ destination_value.low) & destination_mask.low)) == 0;
    }

private:
    static value_range<address_bits> span(const address_bits& value,
                                          const address_bits& mask) noexcept {
        return {value, {value.high | ~mask.high, value.low | ~mask.low}};
    }
};

static_assert(sizeof(rule<std::uint32_t>) == 64);
static_assert(sizeof(rule<address_bits>) == 128);

/// At most so many rules come of one criterion; one with more ranges of
/// addresses is bounded by what encloses them.
inline constexpr std::size_t max_rules = 4096;

/// Adds the rules of `spec` for packets whose addresses are of type `Address`,
/// and what of them no bound says. None if no packet can meet `spec`. `spec` is
/// one that `criterion::make` accepts. O(n log n) in the entries of its lists.
template <class Address>
void append_rules(const filter_spec& spec, std::uint32_t entry, std::vector<rule<Address>>& rules,
                  residual_store& residuals);

/// Whether one packet, of the family that `candidate` is for, meets it.
template <class Address>
bool holds(const rule<Address>& candidate, const residual_store& residuals, const packet_key& key,
           const lane_values& values) noexcept {
    return within(candidate.box, values) && candidate.addresses_hold(key) &&
           residuals.holds(candidate.residual(), key);
}

extern template void append_rules(const filter_spec&, std::uint32_t,
                                  std::vector<rule<std::uint32_t>>&, residual_store&);
extern template void append_rules(const filter_spec&, std::uint32_t,
                                  std::vector<rule<address_bits>>&, residual_store&);

} // namespace flowtap::filter
