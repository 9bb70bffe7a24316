// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <variant>
#include <vector>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/filter/classifier.hpp>

#include "sift_headers.hpp"

/// Filters and packets out of the octets of a fuzz input.
namespace flowtap::filter::fuzzing {

inline void require(bool holds) {
    if (!holds)
        std::abort();
}

/// Values out of the input; zero once it is used up.
class fuzz_input {
public:
    explicit fuzz_input(std::span<const std::uint8_t> octets) : left_(octets) {}

    bool done() const { return left_.empty(); }
    std::uint8_t octet() {
        if (left_.empty())
            return 0;
        const std::uint8_t value = left_.front();
        left_ = left_.subspan(1);
        return value;
    }
    /// Half of the values are small, so that different places of the input meet.
    template <class T>
    T number() {
        const std::uint8_t kind = octet();
        if (kind < 0x80)
            return static_cast<T>(kind % 8);
        if (kind < 0x90)
            return static_cast<T>(~T{0} - kind % 4);
        T value = 0;
        for (std::size_t i = 0; i < sizeof(T); ++i)
            value = static_cast<T>((std::uint64_t{value} << 8) | octet());
        return value;
    }
    address_bits address(family of) {
        if (of == family::inet)
            return {0, number<std::uint32_t>()};
        return {number<std::uint64_t>(), number<std::uint64_t>()};
    }

private:
    std::span<const std::uint8_t> left_;
};

template <class T, class Draw>
range_list<T> draw_list(fuzz_input& input, const Draw& draw) {
    range_list<T> list;
    const std::uint8_t shape = input.octet();
    for (unsigned left = shape % 4U; left != 0; --left) {
        range_entry<T> entry;
        entry.first = draw();
        entry.last = (shape & 0x10) != 0 ? draw() : entry.first;
        entry.negated = (shape & (0x20U << (left & 1U))) != 0;
        list.entries.push_back(entry);
    }
    return list;
}

inline filter_scope draw_scope(fuzz_input& input) {
    const std::uint8_t kind = input.octet();
    std::vector<interface_id> interfaces;
    for (unsigned left = (kind >> 4U) % 4U; left != 0; --left)
        interfaces.emplace_back(input.number<std::uint32_t>());
    switch (kind % 6U) {
    case 0:
        return vrf_scope{vrf_id(input.number<std::uint32_t>())};
    case 1:
        return input_scope{interfaces};
    case 2:
        return output_scope{interfaces};
    default:
        return global_scope{};
    }
}

/// A filter; not always one that `criterion::make` accepts.
inline filter_spec draw_filter(fuzz_input& input) {
    filter_spec spec;
    const std::uint8_t kind = input.octet();
    for (const family member : {family::inet, family::inet6, family::ccc}) {
        if ((kind & (1U << static_cast<unsigned>(member))) != 0)
            spec.families.insert(member);
    }
    const family of = spec.families.contains(family::inet6) ? family::inet6 : family::inet;
    const auto address = [&] { return input.address(of); };
    const auto octet = [&] { return input.number<std::uint8_t>(); };
    const auto port = [&] { return input.number<std::uint16_t>(); };
    spec.source_addresses = draw_list<address_bits>(input, address);
    spec.destination_addresses = draw_list<address_bits>(input, address);
    spec.protocols = draw_list<std::uint8_t>(input, octet);
    spec.source_ports = draw_list<std::uint16_t>(input, port);
    spec.destination_ports = draw_list<std::uint16_t>(input, port);
    spec.icmp_types = draw_list<std::uint8_t>(input, octet);
    spec.icmp_codes = draw_list<std::uint8_t>(input, octet);
    if ((kind & 0x08U) != 0)
        spec.port_lists = port_list_mode::pairs;
    spec.scope = draw_scope(input);
    return spec;
}

inline packet_key draw_packet(fuzz_input& input) {
    packet_key key;
    const std::uint8_t kind = input.octet();
    key.of_family = static_cast<family>(kind % 3U);
    key.way = (kind & 0x10U) != 0 ? direction::egress : direction::ingress;
    key.interface = interface_id(input.number<std::uint32_t>());
    key.vrf = vrf_id(input.number<std::uint32_t>());
    if (key.of_family == family::ccc)
        return key;
    key.source = input.address(key.of_family);
    key.destination = input.address(key.of_family);
    key.protocol = input.number<std::uint8_t>();
    key.has_ports = (kind & 0x20U) != 0;
    key.has_icmp = (kind & 0x40U) != 0;
    if (key.has_ports) {
        key.source_port = input.number<std::uint16_t>();
        key.destination_port = input.number<std::uint16_t>();
    }
    if (key.has_icmp) {
        key.icmp_type = input.number<std::uint8_t>();
        key.icmp_code = input.number<std::uint8_t>();
    }
    return key;
}

/// Moves `value` by `by` steps, 0, 1 or -1.
template <class T>
T moved(T value, int by) {
    return static_cast<T>(value + static_cast<T>(by));
}
inline address_bits moved(address_bits value, int by) {
    if (by > 0)
        return {value.high + (value.low == ~0ULL ? 1 : 0), value.low + 1};
    if (by < 0)
        return {value.high - (value.low == 0 ? 1 : 0), value.low - 1};
    return value;
}

/// An end of an entry of `list`, or what lies just beyond it; zero for a wildcard.
template <class T>
T draw_border(fuzz_input& input, const range_list<T>& list) {
    if (list.is_wildcard())
        return T{};
    const std::uint8_t kind = input.octet();
    const auto& entry = list.entries[kind % list.entries.size()];
    const int by = kind < 0xA0 ? 0 : kind < 0xD0 ? 1 : -1;
    return moved((kind & 0x08U) != 0 ? entry.last : entry.first, by);
}

/// A packet with the values at the borders of `spec`.
inline packet_key draw_packet_near(fuzz_input& input, const filter_spec& spec) {
    packet_key key;
    const std::uint8_t kind = input.octet();
    key.of_family = static_cast<family>(kind % 3U);
    if (!spec.families.contains(key.of_family) && (kind & 0x80U) == 0)
        key.of_family = spec.families.contains(family::inet6) ? family::inet6 : family::inet;
    const auto* output = std::get_if<output_scope>(&spec.scope);
    const auto* in = std::get_if<input_scope>(&spec.scope);
    const auto* vrf = std::get_if<vrf_scope>(&spec.scope);
    key.way = (output != nullptr) != ((kind & 0x10U) != 0) ? direction::egress : direction::ingress;
    if (output != nullptr)
        key.interface = output->interfaces.back();
    if (in != nullptr)
        key.interface = in->interfaces.back();
    if (vrf != nullptr)
        key.vrf = vrf->vrf;
    if (key.of_family == family::ccc)
        return key;
    const address_bits top = highest_address(key.of_family);
    key.source = draw_border(input, spec.source_addresses);
    key.source = {key.source.high & top.high, key.source.low & top.low};
    key.destination = draw_border(input, spec.destination_addresses);
    key.destination = {key.destination.high & top.high, key.destination.low & top.low};
    key.protocol = draw_border(input, spec.protocols);
    key.has_ports = (kind & 0x20U) == 0;
    if (key.has_ports) {
        key.source_port = draw_border(input, spec.source_ports);
        key.destination_port = draw_border(input, spec.destination_ports);
    }
    key.has_icmp = !spec.icmp_types.is_wildcard() || !spec.icmp_codes.is_wildcard();
    key.has_icmp = key.has_icmp != ((kind & 0x40U) != 0);
    if (key.has_icmp) {
        key.icmp_type = draw_border(input, spec.icmp_types);
        key.icmp_code = draw_border(input, spec.icmp_codes);
    }
    return key;
}

/// What the definitions find for one packet among criteria in ascending order of slots.
inline std::vector<slot_id> oracle(std::span<const criterion> criteria, const packet_key& key) {
    std::vector<slot_id> expected;
    for (const criterion& one : criteria) {
        if (matches(one.spec(), key))
            expected.push_back(one.slot());
    }
    return expected;
}

/// Ends the program if `built` finds anything else than the definitions.
inline void compare(const classifier& built, std::span<const criterion> criteria,
                    std::span<const packet_key> keys) {
    match_buffer found(5, criteria.size() + 2);
    for (std::span<const packet_key> left = keys; !left.empty();) {
        const std::size_t done = built.match(left, found);
        require(done != 0);
        for (std::size_t i = 0; i < done; ++i)
            require(std::ranges::equal(oracle(criteria, left[i]), found.matches(i)));
        left = left.subspan(done);
    }
    for (const packet_key& key : keys) {
        if (!testing::is_plain(key) || oracle(criteria, key).empty())
            continue;
        plain_headers headers;
        testing::put_header(headers, 0, key);
        require(built.sift(headers, 1, key.interface, key.vrf) == 1);
    }
}

} // namespace flowtap::filter::fuzzing
