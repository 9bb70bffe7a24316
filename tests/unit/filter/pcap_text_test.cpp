// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <ostream>
#include <string>

#include <doctest/doctest.h>
#include <flowtap/filter/criterion.hpp>
#include <flowtap/filter/pcap_text.hpp>

#include "pcap_program.hpp"
#include "random_filters.hpp"
#include "raw_packets.hpp"
#include "test_values.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

TEST_CASE("texts read as a person would write them") {
    filter_spec spec = wildcard(family::inet);
    CHECK(to_pcap_filter(spec) == "(ip and ip[6:2] & 0x1fff = 0)");
    spec.source_addresses = host("192.0.2.1");
    spec.destination_addresses = host("198.51.100.0/24");
    spec.destination_addresses.entries.push_back(
        entry(bits("198.51.100.9"), bits("198.51.100.9"), true));
    spec.protocols = list<std::uint8_t>({{6, 6, false}});
    CHECK(to_pcap_filter(spec) ==
          "(ip and ip[6:2] & 0x1fff = 0 and ip src host 192.0.2.1 and (ip dst net 198.51.100.0/24 "
          "and not (ip dst host 198.51.100.9)) and ip[9] = 6)");
}

TEST_CASE("what a packet alone does not show has no text") {
    filter_spec spec = wildcard(family::inet);
    spec.scope = vrf_scope{vrf_id(1)};
    CHECK_FALSE(to_pcap_filter(spec).has_value());
    CHECK_FALSE(to_pcap_filter(wildcard(family::ccc)).has_value());
    spec = wildcard(family::inet);
    spec.families.insert(family::inet6);
    CHECK(to_pcap_filter(spec).has_value());
    spec.families.insert(family::ccc);
    CHECK_FALSE(to_pcap_filter(spec).has_value());
}

TEST_CASE("libpcap selects by the text what the definitions select") {
    constexpr std::uint64_t seed = 4711;
    INFO("seed " << seed);
    random_filters random(seed);
    int texts = 0;
    int selected = 0;
    for (int round = 0; round < 1500; ++round) {
        const family of = random.chance(40) ? family::inet6 : family::inet;
        const auto one = criterion::make(slot_id(1), random.filter(of, 0)).value();
        const auto text = to_pcap_filter(one.spec());
        if (!text)
            continue; // a filter of frames
        ++texts;
        const pcap_program program(*text);
        INFO(*text << ": " << program.problem());
        REQUIRE(program.good());
        for (int i = 0; i < 40; ++i) {
            const packet_key key =
                as_decoded(random.packet(random.chance(80) ? of : family::inet6));
            const std::size_t options = random.chance(20) ? random.below(11) : 0;
            const bool expected = matches(one.spec(), key);
            REQUIRE(program.selects(raw_packet(key, options)) == expected);
            selected += expected ? 1 : 0;
        }
    }
    CHECK(texts > 1300);
    CHECK(selected > 3000);
}

TEST_CASE("later fragments are not selected") {
    filter_spec spec = wildcard(family::inet);
    auto packet = raw_packet(tcp("192.0.2.1", 1, "192.0.2.2", 2));
    const pcap_program inet(*to_pcap_filter(spec));
    CHECK(inet.selects(packet));
    packet[6] = std::byte{0x20}; // more fragments
    CHECK(inet.selects(packet));
    packet[7] = std::byte{0x01};
    CHECK_FALSE(inet.selects(packet));

    spec.families = family::inet6;
    spec.destination_ports = list<std::uint16_t>({{2, 2, false}});
    const pcap_program inet6(*to_pcap_filter(spec));
    packet = raw_packet(tcp("2001:db8::1", 1, "2001:db8::2", 2));
    CHECK(inet6.selects(packet));
    const std::array<std::byte, 8> fragment_header = {std::byte{6}};
    packet.insert(packet.begin() + 40, fragment_header.begin(), fragment_header.end());
    packet[6] = std::byte{44};
    CHECK(inet6.selects(packet));
    packet[43] = std::byte{0x01}; // more fragments
    CHECK(inet6.selects(packet));
    packet[43] = std::byte{0x09};
    CHECK_FALSE(inet6.selects(packet));
}
