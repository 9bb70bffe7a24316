// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/filter/criterion.hpp>

#include "test_values.hpp"

namespace flowtap::filter::testing {

/// Sets of filters that are hard on one structure of a classifier or another.
enum class hard_shape {
    wildcards,   ///< every filter admits every packet that enters
    one_host,    ///< all about the same host, told apart by ports
    one_pair,    ///< all about the same two hosts, with ranges of ports that overlap
    prefixes,    ///< all prefix lengths of one address, on either side or on both
    odd_ranges,  ///< ranges of addresses, ports and protocols that are no prefixes
    full_ranges, ///< ranges that hold everything there is, beside a host on one side or none
    negations,   ///< nothing but `!` entries
    long_lists,  ///< lists with hundreds of entries
    places,      ///< many interfaces and routing instances, with and without a host
    ports_only,  ///< protocols and ports, no address
    icmp,        ///< types and codes, with and without a host
    port_pairs,  ///< 2 to 15 pairs, with and without a host
};
inline constexpr std::array hard_shapes = {
    hard_shape::wildcards,  hard_shape::one_host,    hard_shape::one_pair,  hard_shape::prefixes,
    hard_shape::odd_ranges, hard_shape::full_ranges, hard_shape::negations, hard_shape::long_lists,
    hard_shape::places,     hard_shape::ports_only,  hard_shape::icmp,      hard_shape::port_pairs};

/// Draws filters of one shape and family.
class hard_filters {
public:
    hard_filters(hard_shape shape, family of, std::uint64_t seed)
        : shape_(shape), family_(of), engine_(seed) {}

    filter_spec next() {
        filter_spec spec = wildcard(family_);
        switch (shape_) {
        case hard_shape::wildcards:
            break;
        case hard_shape::one_host:
            spec.destination_addresses.entries = {one(number(0))};
            spec.destination_ports = single(static_cast<std::uint16_t>(below(65536)));
            break;
        case hard_shape::one_pair:
            spec.source_addresses.entries = {one(number(1))};
            spec.destination_addresses.entries = {one(number(0))};
            spec.source_ports = range<std::uint16_t>();
            break;
        case hard_shape::prefixes:
            if (chance(70))
                spec.source_addresses.entries = {prefix()};
            if (spec.source_addresses.is_wildcard() || chance(50))
                spec.destination_addresses.entries = {prefix()};
            break;
        case hard_shape::odd_ranges:
            spec.source_addresses.entries = {odd_range()};
            if (chance(50))
                spec.destination_addresses.entries = {odd_range()};
            spec.source_ports = range<std::uint16_t>();
            spec.protocols = range<std::uint8_t>();
            break;
        case hard_shape::full_ranges:
            full_ranges(spec);
            break;
        case hard_shape::negations:
            negations(spec);
            break;
        case hard_shape::long_lists:
            long_lists(spec);
            break;
        case hard_shape::places:
            spec.scope = place();
            if (chance(60))
                spec.source_addresses.entries = {one(number(below(50)))};
            break;
        case hard_shape::ports_only:
            spec.protocols = single<std::uint8_t>(chance(50) ? 6 : 17);
            spec.destination_ports = single(static_cast<std::uint16_t>(below(3000)));
            break;
        case hard_shape::icmp:
            spec.icmp_types =
                chance(50) ? single(static_cast<std::uint8_t>(below(256))) : range<std::uint8_t>();
            if (chance(50))
                spec.icmp_codes = range<std::uint8_t>();
            if (chance(50))
                spec.destination_addresses.entries = {one(number(below(50)))};
            break;
        case hard_shape::port_pairs:
            port_pairs(spec);
            break;
        }
        return spec;
    }

private:
    std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
    bool chance(unsigned percent) { return below(100) < percent; }

    /// One address of many that lie close to each other, across the middle of a word's range.
    address_bits number(std::uint64_t index) const {
        if (family_ == family::inet)
            return {0, 0x7FFF'FF80U + index};
        return {0x2001'0DB8'7FFF'FFFFU + index / 16, 0x7FFF'FFFF'FFFF'FF80U + index};
    }
    static range_entry<address_bits> one(const address_bits& address) {
        return entry(address, address);
    }
    template <class T>
    static range_list<T> single(T value) {
        return list<T>({{value, value, false}});
    }
    template <class T>
    range_entry<T> range_of(bool negated) {
        T first = static_cast<T>(engine_());
        T last = static_cast<T>(engine_());
        if (last < first)
            std::swap(first, last);
        return entry(first, last, negated);
    }
    template <class T>
    range_list<T> range() {
        range_list<T> made;
        made.entries.push_back(range_of<T>(false));
        return made;
    }

    range_entry<address_bits> prefix() {
        const auto length = static_cast<std::uint8_t>(below(family_ == family::inet ? 33 : 129));
        const ip_prefix block{ip_address(family_, number(below(3))), length};
        return entry(block.first().bits(), block.last().bits());
    }
    range_entry<address_bits> odd_range() {
        const std::uint64_t first = 1 + below(1000);
        const std::uint64_t length = chance(50) ? below(8) : below(3000);
        return entry(number(first), number(first + length));
    }
    void full_ranges(filter_spec& spec) {
        const auto all = entry(address_bits{}, highest_address(family_));
        spec.source_addresses.entries = {all};
        spec.destination_addresses.entries = {chance(50) ? one(number(below(50))) : all};
        if (chance(40))
            spec.source_ports = list<std::uint16_t>({{0, 65535, false}});
        if (chance(40))
            spec.protocols = list<std::uint8_t>({{0, 255, false}});
        if (chance(10))
            spec.icmp_types = list<std::uint8_t>({{0, 255, false}});
    }
    void negations(filter_spec& spec) {
        for (std::uint64_t left = 1 + below(3); left != 0; --left) {
            auto not_this = chance(50) ? one(number(below(50))) : odd_range();
            not_this.negated = true;
            spec.source_addresses.entries.push_back(not_this);
        }
        if (chance(50))
            spec.destination_ports.entries = {range_of<std::uint16_t>(true)};
        if (chance(50))
            spec.protocols.entries = {range_of<std::uint8_t>(true)};
    }
    void long_lists(filter_spec& spec) {
        const std::uint64_t entries = 100 + below(300);
        for (std::uint64_t i = 0; i < entries; ++i) {
            auto part = chance(80) ? one(number(below(100'000))) : odd_range();
            part.negated = chance(5);
            spec.source_addresses.entries.push_back(part);
            if (i % 3 == 0)
                spec.destination_ports.entries.push_back(
                    single(static_cast<std::uint16_t>(below(65536))).entries.front());
        }
    }
    filter_scope place() {
        const auto interface = [this] {
            return interface_id(static_cast<std::uint32_t>(below(3000)));
        };
        switch (below(4)) {
        case 0:
            return vrf_scope{vrf_id(static_cast<std::uint32_t>(below(3000)))};
        case 1:
            return input_scope{{interface()}};
        case 2:
            return output_scope{{interface(), interface(), interface()}};
        default:
            return input_scope{{interface(), interface(), interface(), interface(), interface(),
                                interface(), interface(), interface()}};
        }
    }
    void port_pairs(filter_spec& spec) {
        spec.port_lists = port_list_mode::pairs;
        for (std::uint64_t left = 2 + below(max_port_pairs - 1); left != 0; --left) {
            spec.source_ports.entries.push_back(
                chance(70) ? single(static_cast<std::uint16_t>(below(100))).entries.front()
                           : range_of<std::uint16_t>(false));
            spec.destination_ports.entries.push_back(
                single(static_cast<std::uint16_t>(below(100))).entries.front());
        }
        if (chance(50))
            spec.source_addresses.entries = {one(number(below(50)))};
    }

    hard_shape shape_;
    family family_;
    std::mt19937_64 engine_;
};

/// `count` criteria of a shape. Slots are neither dense nor in order.
inline std::vector<criterion> hard_criteria(hard_shape shape, family of, std::size_t count,
                                            std::uint64_t seed) {
    hard_filters filters(shape, of, seed);
    std::vector<criterion> criteria;
    for (std::size_t i = 0; i < count; ++i) {
        const auto slot = static_cast<std::uint32_t>((i * 7919 + 13) % 1'000'003);
        criteria.push_back(criterion::make(slot_id(slot), filters.next()).value());
    }
    return criteria;
}

} // namespace flowtap::filter::testing
