// SPDX-License-Identifier: Apache-2.0
// Small universes in full: every filter over a tiny domain against every packet, all filters in one
// classifier and each in one of its own.
#include <flowtap/filter/classifier.hpp>

#include <array>
#include <limits>
#include <ostream>
#include <vector>

#include <doctest/doctest.h>

#include "test_values.hpp"
#include "universe.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

/// The values at both ends of a field.
template <class T>
std::array<T, 4> domain() {
    constexpr T top = std::numeric_limits<T>::max();
    return {0, 1, static_cast<T>(top - 1), top};
}

std::array<address_bits, 4> address_domain(family of) {
    const address_bits top = highest_address(of);
    return {address_bits{0, 0}, address_bits{0, 1}, address_bits{top.high, top.low - 1}, top};
}

/// Every range over `values`, plain and negated.
template <class T>
std::vector<range_entry<T>> all_entries(const std::array<T, 4>& values) {
    std::vector<range_entry<T>> entries;
    for (std::size_t i = 0; i < values.size(); ++i) {
        for (std::size_t j = i; j < values.size(); ++j) {
            entries.push_back(entry(values[i], values[j], false));
            entries.push_back(entry(values[i], values[j], true));
        }
    }
    return entries;
}

/// The wildcard and every list of one entry.
template <class T>
std::vector<range_list<T>> short_lists(const std::array<T, 4>& values) {
    std::vector<range_list<T>> lists(1);
    for (const auto& one : all_entries(values))
        lists.push_back({{one}});
    return lists;
}

/// The same, and every list of two.
template <class T>
std::vector<range_list<T>> long_lists(const std::array<T, 4>& values) {
    auto lists = short_lists(values);
    for (const auto& one : all_entries(values)) {
        for (const auto& two : all_entries(values))
            lists.push_back({{one, two}});
    }
    return lists;
}

} // namespace

TEST_CASE("every filter of addresses against every pair of addresses") {
    for (const family of : {family::inet, family::inet6}) {
        universe all;
        const auto values = address_domain(of);
        for (const auto& source : long_lists(values)) {
            for (const auto& destination : short_lists(values)) {
                filter_spec spec = wildcard(of);
                spec.source_addresses = source;
                spec.destination_addresses = destination;
                all.add(spec);
            }
        }
        for (const family packet : {family::inet, family::inet6}) {
            for (const auto& source : address_domain(packet)) {
                for (const auto& destination : address_domain(packet)) {
                    packet_key key;
                    key.of_family = packet;
                    key.source = source;
                    key.destination = destination;
                    all.add(key);
                }
            }
        }
        all.check(282'912);
    }
}

TEST_CASE("every filter of ports against every pair of ports") {
    universe all;
    const auto values = domain<std::uint16_t>();
    for (const auto& source : long_lists(values)) {
        for (const auto& destination : short_lists(values)) {
            filter_spec spec = wildcard(family::inet);
            spec.source_ports = source;
            spec.destination_ports = destination;
            all.add(spec);
        }
    }
    for (const auto source : values) {
        for (const auto destination : values) {
            for (const bool present : {true, false}) {
                packet_key key;
                key.protocol = 17;
                key.has_ports = present;
                key.source_port = present ? source : std::uint16_t{0};
                key.destination_port = present ? destination : std::uint16_t{0};
                all.add(key);
            }
        }
    }
    all.check(282'912);
}

TEST_CASE("every filter of two port pairs against every pair of ports") {
    universe all;
    const std::array<std::uint16_t, 4> values = {0, 80, 81, 65535};
    std::vector<range_entry<std::uint16_t>> plain;
    for (const auto& one : all_entries(values)) {
        if (!one.negated && (one.first == one.last || one.first == 80))
            plain.push_back(one);
    }
    for (const auto& a : plain) {
        for (const auto& b : plain) {
            for (const auto& c : plain) {
                for (const auto& d : plain) {
                    filter_spec spec = wildcard(family::inet6);
                    spec.port_lists = port_list_mode::pairs;
                    spec.source_ports.entries = {a, b};
                    spec.destination_ports.entries = {c, d};
                    all.add(spec);
                }
            }
        }
    }
    for (const auto source : values) {
        for (const auto destination : values) {
            packet_key key;
            key.of_family = family::inet6;
            key.protocol = 6;
            key.has_ports = true;
            key.source_port = source;
            key.destination_port = destination;
            all.add(key);
        }
    }
    all.add(packet_key{.protocol = 6, .of_family = family::inet6});
    all.check(22'032);
}

TEST_CASE("every filter of protocol, ICMP type and code against every header") {
    universe all;
    const auto values = domain<std::uint8_t>();
    const auto lists = short_lists(values);
    for (std::size_t i = 0; i < lists.size(); ++i) {
        for (std::size_t j = 0; j < lists.size(); ++j) {
            for (const std::size_t k : {std::size_t{0}, i, j, (i + j) % lists.size()}) {
                filter_spec spec = wildcard(family::inet);
                spec.protocols = lists[i];
                spec.icmp_types = lists[j];
                spec.icmp_codes = lists[k];
                all.add(spec);
            }
        }
    }
    for (const auto protocol : values) {
        all.add(packet_key{.protocol = protocol});
        for (const auto type : values) {
            for (const auto code : values)
                all.add(packet_key{
                    .protocol = protocol, .icmp_type = type, .icmp_code = code, .has_icmp = true});
        }
    }
    all.check(119'952);
}

TEST_CASE("every scope and set of families against every place a packet is seen") {
    universe all;
    std::vector<filter_scope> scopes = {global_scope{}};
    for (std::uint32_t id = 0; id < 3; ++id)
        scopes.emplace_back(vrf_scope{vrf_id(id)});
    for (std::uint32_t members = 1; members < 8; ++members) {
        std::vector<interface_id> interfaces;
        for (std::uint32_t id = 0; id < 3; ++id) {
            if ((members & (1U << id)) != 0)
                interfaces.emplace_back(id == 2 ? 0xFFFF'FFFFU : id);
        }
        scopes.emplace_back(input_scope{interfaces});
        scopes.emplace_back(output_scope{interfaces});
    }
    for (unsigned members = 1; members < 8; ++members) {
        family_set families;
        for (const family member : {family::inet, family::inet6, family::ccc}) {
            if ((members & (1U << static_cast<unsigned>(member))) != 0)
                families.insert(member);
        }
        for (const auto& scope : scopes) {
            filter_spec spec;
            spec.families = families;
            spec.scope = scope;
            all.add(spec);
            spec.protocols = list<std::uint8_t>({{0, 0, false}});
            all.add(spec);
        }
    }
    for (const family of : {family::inet, family::inet6, family::ccc}) {
        for (const direction way : {direction::ingress, direction::egress}) {
            for (const std::uint32_t interface : {0U, 1U, 2U, 0xFFFF'FFFFU}) {
                for (std::uint32_t vrf = 0; vrf < 4; ++vrf)
                    all.add(packet_key{.interface = interface_id(interface),
                                       .vrf = vrf_id(vrf),
                                       .of_family = of,
                                       .way = way});
            }
        }
    }
    all.check(24'192);
}
