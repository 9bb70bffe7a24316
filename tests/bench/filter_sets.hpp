// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/packet_key.hpp>

/// Seeded sets of filters and traces of packets, in the shapes that matching is measured with.
namespace flowtap::filter::sets {

enum class set_shape {
    /// Hosts and pairs of hosts, some with ports, few prefixes, at most 20 without an address.
    intercept,
    /// Pairs of prefixes of mixed lengths with ranges of ports, overlapping: one to six matches.
    firewall,
};

/// How the entries of the filters are dressed up; the shape stays.
enum class set_dress {
    plain,
    /// Every filter has lists, ranges, a negation or 15 port pairs.
    elaborate,
};

/// Draws the filters of one set and packets that meet them, or not. The standard library's
/// distributions differ between implementations, so only its generator is used.
class filter_set {
public:
    filter_set(set_shape shape, family of, std::size_t count, std::uint64_t seed,
               set_dress dress = set_dress::plain)
        : family_(of), random_(seed) {
        filters_.reserve(count);
        for (std::size_t i = 0; i < std::max<std::size_t>(4, count / 16); ++i)
            sites_.push_back({site(), site()});
        for (std::size_t i = 0; i < count; ++i) {
            filters_.push_back(shape == set_shape::intercept ? intercept_filter(i, count)
                                                             : firewall_filter());
            if (dress == set_dress::elaborate)
                elaborate(filters_.back());
        }
    }

    const std::vector<filter_spec>& filters() const { return filters_; }

    /// `count` packets of which about `hit_percent` in a hundred are made to meet some filter.
    std::vector<packet_key> trace(std::size_t count, unsigned hit_percent) {
        std::vector<packet_key> keys;
        keys.reserve(count);
        for (std::size_t i = 0; i < count; ++i)
            keys.push_back(chance(hit_percent) ? hit() : miss());
        return keys;
    }

private:
    std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
    bool chance(unsigned percent) { return below(100) < percent; }

    // --- filters

    /// An address inside the networks that are tapped: 16 of them, each with clusters.
    address_bits tapped_address() {
        const std::uint64_t network = below(16);
        if (family_ == family::inet)
            return {0, (10U << 24) | (network << 20) | below(1U << 20)};
        return {0x2001'0DB8'0000'0000U | (network << 24) | below(1U << 16), random_()};
    }

    /// What a firewall filter is about: anywhere.
    address_bits site() {
        if (family_ == family::inet)
            return {0, random_() & 0xFFFF'FFFFU};
        return {0x2000'0000'0000'0000U | (random_() >> 4), random_()};
    }

    static range_entry<address_bits> one(const address_bits& address) {
        range_entry<address_bits> entry;
        entry.first = entry.last = address;
        return entry;
    }

    range_entry<address_bits> prefix(unsigned shortest, unsigned longest) {
        auto length = static_cast<std::uint8_t>(shortest + below(longest - shortest + 1));
        if (family_ == family::inet6)
            length = static_cast<std::uint8_t>(32 + length * 2); // 32 to 96
        const ip_prefix block{ip_address(family_, tapped_address()), length};
        range_entry<address_bits> entry;
        entry.first = block.first().bits();
        entry.last = block.last().bits();
        return entry;
    }

    template <class T>
    static range_list<T> just(T first, T last) {
        range_entry<T> entry;
        entry.first = first;
        entry.last = last;
        range_list<T> list;
        list.entries.push_back(entry);
        return list;
    }

    std::uint16_t port() {
        return chance(50) ? static_cast<std::uint16_t>(below(1024))
                          : static_cast<std::uint16_t>(below(65536));
    }
    std::uint8_t transport() { return chance(70) ? 6 : 17; }

    void add_transport(filter_spec& spec) {
        const std::uint8_t protocol = transport();
        const std::uint16_t number = port();
        spec.protocols = just(protocol, protocol);
        (chance(70) ? spec.destination_ports : spec.source_ports) = just(number, number);
    }

    filter_spec intercept_filter(std::size_t index, std::size_t count) {
        filter_spec spec;
        spec.families = family_;
        // A few without any address: one in a hundred, at most 20.
        if (index < std::min<std::size_t>(20, count / 100)) {
            add_transport(spec);
            return spec;
        }
        const std::uint64_t kind = below(100);
        if (kind < 35) {
            spec.destination_addresses.entries = {one(tapped_address())};
        } else if (kind < 60) {
            spec.source_addresses.entries = {one(tapped_address())};
        } else if (kind < 75) {
            spec.source_addresses.entries = {one(tapped_address())};
            spec.destination_addresses.entries = {one(tapped_address())};
        } else if (kind < 88) {
            auto& side = chance(50) ? spec.destination_addresses : spec.source_addresses;
            side.entries = {chance(60) ? one(tapped_address()) : prefix(24, 30)};
            add_transport(spec);
        } else if (kind < 93) {
            auto& side = chance(50) ? spec.destination_addresses : spec.source_addresses;
            side.entries = {prefix(16, 28)};
        } else {
            spec.source_addresses.entries = {one(tapped_address())};
            spec.destination_addresses.entries = {one(tapped_address())};
            add_transport(spec);
        }
        return spec;
    }

    range_list<std::uint16_t> port_range() {
        const std::uint64_t kind = below(5);
        if (kind == 0)
            return {};
        if (kind == 1)
            return just<std::uint16_t>(0, 1023);
        if (kind == 2)
            return just<std::uint16_t>(1024, 65535);
        const std::uint16_t first = port();
        const std::uint64_t last = kind == 3 ? first : first + below(2000);
        return just(first, static_cast<std::uint16_t>(std::min<std::uint64_t>(last, 65535)));
    }

    /// A prefix around `site`. As few sites are shared by many filters, prefixes of several lengths
    /// overlap.
    range_entry<address_bits> site_prefix(const address_bits& site) {
        constexpr std::array<std::uint8_t, 8> lengths = {8, 12, 16, 20, 24, 24, 28, 32};
        auto length = lengths[below(lengths.size())];
        if (family_ == family::inet6)
            length = static_cast<std::uint8_t>(length < 16 ? 32 : 32 + length * 2);
        const ip_prefix block{ip_address(family_, site), length};
        range_entry<address_bits> entry;
        entry.first = block.first().bits();
        entry.last = block.last().bits();
        return entry;
    }

    filter_spec firewall_filter() {
        filter_spec spec;
        spec.families = family_;
        const auto& [source, destination] = sites_[below(sites_.size())];
        spec.source_addresses.entries = {site_prefix(source)};
        spec.destination_addresses.entries = {site_prefix(destination)};
        const std::uint8_t protocol = transport();
        spec.protocols = just(protocol, protocol);
        spec.source_ports = chance(60) ? range_list<std::uint16_t>() : port_range();
        spec.destination_ports = port_range();
        return spec;
    }

    void elaborate(filter_spec& spec) {
        auto& side = spec.destination_addresses.is_wildcard() ? spec.source_addresses
                                                              : spec.destination_addresses;
        switch (below(3)) {
        case 0:
            if (!side.is_wildcard()) {
                side.entries.push_back(one(tapped_address()));
                side.entries.push_back(one(tapped_address()));
            }
            break;
        case 1: {
            auto hole = one(tapped_address());
            hole.negated = true;
            side.entries.push_back(hole);
            break;
        }
        default:
            spec.port_lists = port_list_mode::pairs;
            spec.source_ports = {};
            spec.destination_ports = {};
            for (std::size_t i = 0; i < max_port_pairs; ++i) {
                const std::uint16_t from = port();
                const std::uint16_t to = port();
                spec.source_ports.entries.push_back(just(from, from).entries.front());
                spec.destination_ports.entries.push_back(just(to, to).entries.front());
            }
            break;
        }
    }

    // --- packets

    template <class T>
    T inside(const range_list<T>& list, std::size_t entry, T otherwise) {
        if (list.is_wildcard() || list.entries[entry].negated)
            return otherwise;
        const auto& range = list.entries[entry];
        return static_cast<T>(range.first + below(std::uint64_t{range.last} - range.first + 1));
    }

    address_bits inside(const range_list<address_bits>& list, const address_bits& otherwise) {
        if (list.is_wildcard() || list.entries.front().negated)
            return otherwise;
        const auto& range = list.entries.front();
        const std::uint64_t span = range.last.low - range.first.low;
        const std::uint64_t low = span == ~0ULL ? random_() : range.first.low + below(span + 1);
        const std::uint64_t high_span = range.last.high - range.first.high;
        return {range.first.high + (high_span == 0 ? 0 : below(high_span)), low};
    }

    /// An address that no filter is about, mostly.
    address_bits other_address() {
        if (chance(30))
            return tapped_address();
        if (family_ == family::inet)
            return {0, (std::uint64_t{172} << 24) | below(1U << 24)};
        return {0x2400'0000'0000'0000U | below(1ULL << 40), random_()};
    }

    packet_key miss() {
        packet_key key;
        key.of_family = family_;
        key.source = other_address();
        key.destination = other_address();
        key.protocol = transport();
        key.has_ports = true;
        key.source_port = port();
        key.destination_port = port();
        return key;
    }

    packet_key hit() {
        const filter_spec& spec = filters_[below(filters_.size())];
        packet_key key = miss();
        key.source = inside(spec.source_addresses, key.source);
        key.destination = inside(spec.destination_addresses, key.destination);
        key.protocol = inside(spec.protocols, 0, key.protocol);
        const std::size_t pair =
            spec.port_lists == port_list_mode::pairs ? below(max_port_pairs) : 0;
        key.source_port = inside(spec.source_ports, pair, key.source_port);
        key.destination_port = inside(spec.destination_ports, pair, key.destination_port);
        return key;
    }

    family family_;
    std::mt19937_64 random_;
    std::vector<std::pair<address_bits, address_bits>> sites_;
    std::vector<filter_spec> filters_;
};

} // namespace flowtap::filter::sets
