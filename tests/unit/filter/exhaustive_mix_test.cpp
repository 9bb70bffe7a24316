// SPDX-License-Identifier: Apache-2.0
// Small universes in which fields meet: filters of two addresses, protocol and ports, of families
// and scopes, against every packet; alone, in pairs, and in sets large enough for every structure.
#include <array>
#include <ostream>
#include <vector>

#include <doctest/doctest.h>

#include "test_values.hpp"
#include "universe.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

/// One address in four that differ in their last two bits, in the middle of a family's space.
address_bits address(family of, std::uint64_t number) {
    if (of == family::inet)
        return {0, 0x0A00'0000U + number};
    return {0x2001'0DB8'0000'0000U, 0xFFFF'FFFF'FFFF'FFFCU + number};
}

/// Hosts, prefixes, a range that is none, holes and lists over the four addresses.
std::vector<range_list<address_bits>> address_lists(family of) {
    const auto part = [of](std::uint64_t first, std::uint64_t last, bool negated = false) {
        return entry(address(of, first), address(of, last), negated);
    };
    const address_bits top = highest_address(of);
    return {{},
            {{part(0, 0)}},
            {{part(3, 3)}},
            {{part(0, 1)}},
            {{part(2, 3)}},
            {{part(1, 2)}},
            {{part(0, 3)}},
            {{part(1, 1, true)}},
            {{part(0, 0), part(2, 2)}},
            {{part(0, 2), part(1, 1, true)}},
            {{entry(address_bits{}, top)}},
            {{entry(address(of, 2), top)}},
            {{entry(address_bits{}, address(of, 1)), part(3, 3)}}};
}

std::vector<range_list<std::uint16_t>> port_lists() {
    return {{},
            list<std::uint16_t>({{0, 0, false}}),
            list<std::uint16_t>({{1, 2, false}}),
            list<std::uint16_t>({{3, 3, true}}),
            list<std::uint16_t>({{0, 65535, false}}),
            list<std::uint16_t>({{0, 0, false}, {3, 65535, false}})};
}

std::vector<range_list<std::uint8_t>> protocol_lists() {
    return {{},
            list<std::uint8_t>({{6, 6, false}}),
            list<std::uint8_t>({{6, 17, false}}),
            list<std::uint8_t>({{17, 17, true}}),
            list<std::uint8_t>({{1, 1, false}, {17, 17, false}})};
}

void add_packets(universe& all, family of) {
    for (std::uint64_t source = 0; source < 4; ++source) {
        for (std::uint64_t destination = 0; destination < 4; ++destination) {
            for (const std::uint8_t protocol : std::array<std::uint8_t, 3>{1, 6, 17}) {
                packet_key key;
                key.of_family = of;
                key.source = address(of, source);
                key.destination = address(of, destination);
                key.protocol = protocol;
                all.add(key);
                key.has_ports = true;
                for (std::uint16_t port = 0; port < 16; ++port) {
                    key.source_port = port / 4;
                    key.destination_port = port % 4;
                    all.add(key);
                }
            }
        }
    }
}

/// Every `step`th of all filters over the lists above; the step is prime to the lists' sizes.
universe addresses_and_ports(family of, std::size_t step) {
    universe all;
    add_packets(all, of);
    std::size_t number = 0;
    for (const auto& source : address_lists(of)) {
        for (const auto& destination : address_lists(of)) {
            for (const auto& protocols : protocol_lists()) {
                for (const auto& source_ports : port_lists()) {
                    for (const auto& destination_ports : port_lists()) {
                        if (++number % step != 0)
                            continue;
                        filter_spec spec = wildcard(of);
                        spec.source_addresses = source;
                        spec.destination_addresses = destination;
                        spec.protocols = protocols;
                        spec.source_ports = source_ports;
                        spec.destination_ports = destination_ports;
                        all.add(spec);
                    }
                }
            }
        }
    }
    return all;
}

std::vector<filter_scope> scopes() {
    const interface_id one(1);
    const interface_id two(2);
    return {global_scope{},
            vrf_scope{vrf_id(0)},
            vrf_scope{vrf_id(1)},
            input_scope{{one}},
            input_scope{{two, one, two}},
            output_scope{{one}},
            output_scope{{two}},
            output_scope{{one, two}},
            input_scope{{interface_id(0)}},
            output_scope{{interface_id(0)}}};
}

/// Families, scopes, an address, a protocol and an ICMP type, each with each.
universe places_and_headers() {
    universe all;
    for (const unsigned members : {1U, 2U, 3U, 4U, 7U}) {
        family_set families;
        for (const family member : {family::inet, family::inet6, family::ccc}) {
            if ((members & (1U << static_cast<unsigned>(member))) != 0)
                families.insert(member);
        }
        const bool may_have_addresses = members == 1 || members == 2;
        const family of = members == 2 ? family::inet6 : family::inet;
        for (const auto& scope : scopes()) {
            for (const unsigned what : {0U, 1U, 2U, 3U, 4U, 5U}) {
                filter_spec spec;
                spec.families = families;
                spec.scope = scope;
                if (what == 1)
                    spec.protocols = list<std::uint8_t>({{0, 0, false}});
                if (what == 2)
                    spec.icmp_types = list<std::uint8_t>({{8, 8, true}});
                if (what == 3)
                    spec.destination_ports = list<std::uint16_t>({{0, 65535, false}});
                if (what >= 4 && !may_have_addresses)
                    continue;
                if (what == 4)
                    spec.destination_addresses.entries = {entry(address(of, 1), address(of, 1))};
                if (what == 5)
                    spec.source_addresses.entries = {entry(address(of, 1), address(of, 1), true)};
                all.add(spec);
            }
        }
    }
    for (const direction way : {direction::ingress, direction::egress}) {
        for (std::uint32_t place = 0; place < 9; ++place) {
            packet_key key;
            key.way = way;
            key.interface = interface_id(place / 3);
            key.vrf = vrf_id(place % 3);
            key.of_family = family::ccc;
            all.add(key);
            for (const family of : {family::inet, family::inet6}) {
                key.of_family = of;
                for (std::uint64_t host = 0; host < 4; ++host) {
                    key.source = address(of, host / 2);
                    key.destination = address(of, host % 2);
                    all.add(key);
                    packet_key icmp = key;
                    icmp.has_icmp = true;
                    icmp.icmp_type = host == 0 ? 8 : 0;
                    all.add(icmp);
                    packet_key udp = key;
                    udp.protocol = 17;
                    udp.has_ports = true;
                    all.add(udp);
                }
            }
        }
    }
    return all;
}

} // namespace

TEST_CASE("filters of addresses, protocol and ports against all packets, alone and together") {
    // 13 x 13 address lists, 5 protocol lists, 6 x 6 port lists: each seventh of 30,420 filters,
    // against 16 pairs of addresses, 3 protocols and 17 pairs of ports or none.
    for (const family of : {family::inet, family::inet6})
        addresses_and_ports(of, 7).check(4345UL * 816);
}

TEST_CASE("every two filters of addresses, protocol and ports against all packets") {
    for (const family of : {family::inet, family::inet6})
        addresses_and_ports(of, 509).check_pairs(59UL * 58 / 2);
}

TEST_CASE("filters of places and headers against all packets, alone and together") {
    places_and_headers().check(240UL * 450);
}

TEST_CASE("every two filters of places and headers against all packets") {
    places_and_headers().check_pairs(240UL * 239 / 2);
}

TEST_CASE("drawn sets of every size find their filters among packets of the same tiny domains") {
    for (const family of : {family::inet, family::inet6}) {
        const universe all = addresses_and_ports(of, 11);
        for (const std::size_t size : {3, 7, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 512})
            all.check_draws(size, 4, 100 + size);
        for (const std::size_t size : {4095, 4096, 4097, 5000})
            all.check_draws(size, 1, 100 + size);
    }
    for (const std::size_t size : {3, 8, 33, 64, 65, 300, 4097})
        places_and_headers().check_draws(size, 4, 200 + size);
}
