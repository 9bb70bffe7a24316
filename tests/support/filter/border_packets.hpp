// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <variant>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/filter/criterion.hpp>

namespace flowtap::filter::testing {

/// Seeded packets that stand at the borders of filters: each value is the first, the last or one
/// inside of what some entry of the filter's field admits. About half of the packets meet the
/// filter; the others miss it in one field, mostly by one.
class border_packets {
public:
    explicit border_packets(std::uint64_t seed) : engine_(seed) {}

    packet_key near(const filter_spec& spec) {
        const packet_key met = meeting(spec);
        packet_key key = met;
        const bool miss = chance(50);
        for (int tries = 0; miss && tries < 8 && matches(spec, key); ++tries) {
            key = met;
            disturb(key, spec);
        }
        return key;
    }

    std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
    bool chance(unsigned percent) { return below(100) < percent; }

private:
    static std::uint64_t next(std::uint64_t value) { return value + 1; }
    static std::uint64_t before(std::uint64_t value) { return value - 1; }
    static address_bits next(const address_bits& value) {
        return {value.high + (value.low == ~0ULL ? 1 : 0), value.low + 1};
    }
    static address_bits before(const address_bits& value) {
        return {value.high - (value.low == 0 ? 1 : 0), value.low - 1};
    }

    /// A value from `first` to `last`.
    std::uint64_t between(std::uint64_t first, std::uint64_t last) {
        const std::uint64_t span = last - first;
        return span == ~0ULL ? engine_() : first + below(span + 1);
    }
    address_bits between(const address_bits& first, const address_bits& last) {
        if (first.high == last.high)
            return {first.high, between(first.low, last.low)};
        const address_bits value{between(first.high, last.high), engine_()};
        return std::clamp(value, first, last);
    }

    /// A value at a border of `entry`, or one inside it.
    template <class T, class Wide>
    T at_border(const range_entry<T>& entry) {
        switch (below(6)) {
        case 0:
            return static_cast<T>(before(Wide{entry.first}));
        case 1:
            return static_cast<T>(next(Wide{entry.last}));
        case 2:
        case 3:
            return entry.first;
        case 4:
            return entry.last;
        default:
            return static_cast<T>(between(Wide{entry.first}, Wide{entry.last}));
        }
    }

    /// A value near any entry of `list`, or any at all if there is none.
    template <class T, class Wide = std::uint64_t>
    T near_some(const range_list<T>& list, const T& otherwise) {
        if (list.is_wildcard())
            return otherwise;
        return at_border<T, Wide>(list.entries[below(list.entries.size())]);
    }

    /// A value that `list` admits, if a few tries find one.
    template <class T, class Wide = std::uint64_t>
    T admitted(const range_list<T>& list, const T& otherwise) {
        T value = otherwise;
        for (int tries = 0; tries < 12 && !list.admits(value); ++tries)
            value = near_some<T, Wide>(list, otherwise);
        return value;
    }

    template <class T>
    T any() {
        return static_cast<T>(engine_());
    }
    address_bits any_address(family of) { return cut({engine_(), engine_()}, of); }
    static address_bits cut(address_bits value, family of) {
        const address_bits top = highest_address(of);
        return {value.high & top.high, value.low & top.low};
    }

    family some_family(family_set families) {
        for (;;) {
            const auto drawn = static_cast<family>(below(3));
            if (families.contains(drawn))
                return drawn;
        }
    }

    void place(packet_key& key, const filter_scope& scope) {
        key.interface = interface_id(static_cast<std::uint32_t>(below(4)));
        key.vrf = vrf_id(static_cast<std::uint32_t>(below(4)));
        if (const auto* vrf = std::get_if<vrf_scope>(&scope)) {
            key.vrf = vrf->vrf;
        } else if (const auto* input = std::get_if<input_scope>(&scope)) {
            key.interface = input->interfaces[below(input->interfaces.size())];
        } else if (const auto* output = std::get_if<output_scope>(&scope)) {
            key.interface = output->interfaces[below(output->interfaces.size())];
            key.way = direction::egress;
        }
    }

    void draw_ports(packet_key& key, const filter_spec& spec) {
        key.has_ports = true;
        if (spec.port_lists == port_list_mode::pairs) {
            const std::size_t pair = below(spec.source_ports.entries.size());
            const auto& source = spec.source_ports.entries[pair];
            const auto& destination = spec.destination_ports.entries[pair];
            key.source_port = static_cast<std::uint16_t>(between(source.first, source.last));
            key.destination_port =
                static_cast<std::uint16_t>(between(destination.first, destination.last));
            return;
        }
        key.source_port = admitted(spec.source_ports, any<std::uint16_t>());
        key.destination_port = admitted(spec.destination_ports, any<std::uint16_t>());
    }

    packet_key meeting(const filter_spec& spec) {
        packet_key key;
        key.of_family = some_family(spec.families);
        place(key, spec.scope);
        if (key.of_family == family::ccc)
            return key;
        key.source = cut(
            admitted<address_bits, address_bits>(spec.source_addresses, any_address(key.of_family)),
            key.of_family);
        key.destination = cut(admitted<address_bits, address_bits>(spec.destination_addresses,
                                                                   any_address(key.of_family)),
                              key.of_family);
        key.protocol = admitted(spec.protocols, any<std::uint8_t>());
        const bool asks_ports =
            !spec.source_ports.is_wildcard() || !spec.destination_ports.is_wildcard();
        const bool asks_icmp = !spec.icmp_types.is_wildcard() || !spec.icmp_codes.is_wildcard();
        if (asks_ports || (!asks_icmp && chance(60)))
            draw_ports(key, spec);
        if (asks_icmp) {
            key.has_icmp = true;
            key.icmp_type = admitted(spec.icmp_types, any<std::uint8_t>());
            key.icmp_code = admitted(spec.icmp_codes, any<std::uint8_t>());
        }
        return key;
    }

    void disturb_place(packet_key& key) {
        switch (below(4)) {
        case 0:
            key.way = key.way == direction::ingress ? direction::egress : direction::ingress;
            break;
        case 1:
            key.interface = interface_id(key.interface.value() + 1);
            break;
        case 2:
            key.interface = interface_id(key.interface.value() - 1);
            break;
        default:
            key.vrf = vrf_id(key.vrf.value() + (chance(50) ? 1U : ~0U));
            break;
        }
    }

    /// The header of which ports or ICMP were taken is not there, or there is one too many.
    static void disturb_headers(packet_key& key) {
        if (key.has_ports) {
            key.has_ports = false;
            key.source_port = key.destination_port = 0;
        } else if (key.has_icmp) {
            key.has_icmp = false;
            key.icmp_type = key.icmp_code = 0;
        } else {
            key.has_ports = true;
        }
    }

    /// Moves one field to a border, on whichever side of it.
    void disturb(packet_key& key, const filter_spec& spec) {
        if (key.of_family == family::ccc || chance(15))
            return disturb_place(key);
        if (chance(10))
            return disturb_headers(key);
        switch (below(7)) {
        case 0:
            key.source =
                cut(near_some<address_bits, address_bits>(spec.source_addresses, key.source),
                    key.of_family);
            break;
        case 1:
            key.destination = cut(
                near_some<address_bits, address_bits>(spec.destination_addresses, key.destination),
                key.of_family);
            break;
        case 2:
            key.protocol = near_some(spec.protocols, key.protocol);
            break;
        case 3:
            if (key.has_ports)
                key.source_port = near_some(spec.source_ports, key.source_port);
            break;
        case 4:
            if (key.has_ports)
                key.destination_port = near_some(spec.destination_ports, key.destination_port);
            break;
        case 5:
            if (key.has_icmp)
                key.icmp_type = near_some(spec.icmp_types, key.icmp_type);
            break;
        default:
            if (key.has_icmp)
                key.icmp_code = near_some(spec.icmp_codes, key.icmp_code);
            break;
        }
    }

    std::mt19937_64 engine_;
};

} // namespace flowtap::filter::testing
