// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include <flowtap/packet/plain.hpp>
#include <flowtap/packet/view.hpp>

#include "builder.hpp"
#include "corpus.hpp"
#include "key_text.hpp"

using namespace flowtap;
using namespace flowtap::packet;
using namespace flowtap::test;

namespace {

packet_view decoded(link_type link, byte_view frame, std::size_t wire_length) {
    packet_view view;
    decode(link, frame, wire_length, view);
    return view;
}

bool lies_within(byte_view part, byte_view whole) {
    return part.empty() ||
           (std::less_equal<>()(whole.data(), part.data()) &&
            std::less_equal<>()(part.data() + part.size(), whole.data() + whole.size()));
}

/// The key of a plain packet, where something else was before.
packet_key plain_key(byte_view packet, const packet_place& place) {
    packet_key key;
    key.source = key.destination = {~0ULL, ~0ULL};
    key.icmp_type = key.icmp_code = key.protocol = 0xFF;
    key.of_family = family::inet6;
    key.has_icmp = true;
    put_plain_key(packet, place, key);
    return key;
}

} // namespace

TEST_CASE("every frame of the corpus decodes to what its sample says") {
    for (const frame_sample& sample : corpus()) {
        CAPTURE(sample.name);
        const packet_view view = decoded(sample.link, sample.frame, sample.wire_length);
        CHECK(to_line(view) == sample.expected);
        CHECK(view.vlan == sample.vlan);
        CHECK(to_hex(view.ip) == to_hex(sample.ip));
        if (!sample.ip.empty())
            CHECK(view.total_length == sample.total_length);
    }
}

TEST_CASE("what is decoded as plain is as decode has it, whole and cut anywhere") {
    std::size_t plain = 0;
    for (const frame_sample& sample : corpus())
        for (std::size_t size = 0; size <= sample.frame.size(); ++size) {
            CAPTURE(sample.name);
            CAPTURE(size);
            const byte_view frame = byte_view(sample.frame).first(size);
            const byte_view found = find_plain(sample.link, frame);
            if (found.empty())
                continue;
            ++plain;
            packet_view view = decoded(sample.link, frame, sample.wire_length);
            CHECK(view.what == verdict::ip);
            CHECK(view.vlan == -1);
            CHECK_FALSE(view.more_fragments);
            CHECK(view.ip.data() == found.data());
            CHECK(view.ip.size() == found.size());
            CHECK(view.total_length == found.size());
            CHECK(plain_key(found, {}) == view.key);
            CHECK(plain_packet(sample.link, frame).data() == found.data());
            CHECK(plain_packet(sample.link, frame).size() == found.size());
            const packet_place place{interface_id(0x8765'4321), vrf_id(0x0FED'CBA9),
                                     direction::egress};
            view.key.interface = place.interface;
            view.key.vrf = place.vrf;
            view.key.way = place.way;
            CHECK(plain_key(found, place) == view.key);
        }
    CHECK(plain > 20);
}

TEST_CASE("the corpus reaches every verdict that each link type can give") {
    std::map<link_type, std::set<std::string>> reached;
    for (const frame_sample& sample : corpus())
        reached[sample.link].insert(sample.expected.substr(0, sample.expected.find(' ')));
    const std::set<std::string> of_ip = {"ip", "later_fragment", "cut_short", "malformed"};
    std::set<std::string> of_any = of_ip;
    of_any.insert("not_ip");
    for (const link_type link : {link_type::raw, link_type::raw_bsd, link_type::raw_openbsd,
                                 link_type::ipv4, link_type::ipv6})
        CHECK(reached[link] == of_ip);
    for (const link_type link :
         {link_type::null, link_type::ethernet, link_type::ppp, link_type::ppp_hdlc,
          link_type::cisco_hdlc, link_type::linux_cooked, link_type::ppp_with_direction,
          link_type::linux_cooked_v2})
        CHECK_MESSAGE(reached[link] == of_any, static_cast<int>(link));
}

TEST_CASE("a frame cut anywhere decodes within its octets, and never to more than it holds") {
    for (const frame_sample& sample : corpus()) {
        if (sample.frame.size() > 2000)
            continue;
        CAPTURE(sample.name);
        for (std::size_t size = 0; size <= sample.frame.size(); ++size) {
            // A buffer of just this size, so that a sanitizer sees a step beyond it.
            const std::unique_ptr<std::byte[]> exact(new std::byte[size]);
            std::copy_n(sample.frame.begin(), size, exact.get());
            const byte_view frame(exact.get(), size);
            const packet_view view = decoded(sample.link, frame, sample.wire_length);
            const packet_view shrunk = decoded(sample.link, frame, size);

            REQUIRE(lies_within(view.ip, frame));
            REQUIRE(lies_within(shrunk.ip, frame));
            REQUIRE(shrunk.what != verdict::cut_short);
            if (view.what == verdict::ip)
                REQUIRE(view.ip.size() == view.total_length);
            if (view.what == verdict::cut_short)
                REQUIRE(view.ip.size() < view.total_length);
            if (view.what == verdict::later_fragment)
                REQUIRE_FALSE((view.key.has_ports || view.key.has_icmp));
        }
    }
}

TEST_CASE("the members of a view are set anew by each decoding") {
    const auto samples = corpus();
    packet_view reused;
    for (const frame_sample& sample : samples) {
        decode(sample.link, sample.frame, sample.wire_length, reused);
        const packet_view fresh = decoded(sample.link, sample.frame, sample.wire_length);
        CAPTURE(sample.name);
        CHECK(reused.what == fresh.what);
        CHECK(reused.vlan == fresh.vlan);
        CHECK(reused.ip.data() == fresh.ip.data());
        CHECK(reused.total_length == fresh.total_length);
        CHECK(reused.fragment_offset == fresh.fragment_offset);
        CHECK(reused.more_fragments == fresh.more_fragments);
        CHECK(reused.key == fresh.key);
    }
}

TEST_CASE("a wire length below the captured octets counts as their number") {
    const octets frame = ipv4({}, udp(1, 2, counting(8)));
    CHECK(to_line(decoded(link_type::raw, frame, 0)) == "ip 192.0.2.1 198.51.100.2 17 1 2 - - 0");
}

TEST_CASE("more fragments is told of first and middle fragments") {
    struct row {
        octets packet;
        bool more;
    };
    for (const row& sample :
         {row{ipv4({.fragment = 0x2000}, udp(1, 2)), true},
          row{ipv4({.fragment = 0x2001}, udp(1, 2)), true},
          row{ipv4({.fragment = 0x0001}, udp(1, 2)), false}, row{ipv4({}, udp(1, 2)), false},
          row{ipv6({.next_header = 44}, fragment_header(17, 1) + udp(1, 2)), true},
          row{ipv6({.next_header = 44}, fragment_header(17, 0) + udp(1, 2)), false}}) {
        CHECK(decoded(link_type::raw, sample.packet, sample.packet.size()).more_fragments ==
              sample.more);
    }
}

TEST_CASE("the identification of a fragment is that of the header that makes it one") {
    struct row {
        const char* what;
        octets packet;
        std::optional<std::uint32_t> identification;
    };
    const octets datagram = udp(1, 2, counting(12));
    const auto v6 = [](std::uint8_t next, const octets& payload) {
        return ipv6({.next_header = next}, payload);
    };
    const octets other_header = u8(17) + u8(0) + u16(1) + u32(7);
    const row rows[] = {
        {"IPv4, whole", ipv4({}, datagram), {}},
        {"IPv4, first", ipv4({.fragment = 0x2000}, datagram), 0x1234},
        {"IPv4, middle", ipv4({.fragment = 0x2001}, datagram), 0x1234},
        {"IPv4, last", ipv4({.identification = 0, .fragment = 0x0001}, datagram), 0},
        {"IPv6, whole", v6(17, datagram), {}},
        {"IPv6, atomic", v6(44, fragment_header(17, 0) + datagram), {}},
        {"IPv6, first", v6(44, fragment_header(17, 1) + datagram), 0xABCD1234},
        {"IPv6, last", v6(44, fragment_header(17, 8) + datagram), 0xABCD1234},
        {"IPv6, behind options", v6(0, extension(44, {}) + fragment_header(17, 8) + datagram),
         0xABCD1234},
        {"IPv6, behind an atomic header", v6(44, fragment_header(44, 0) + other_header + datagram),
         7},
        {"IPv6, of two headers the outer", v6(44, fragment_header(44, 1) + other_header + datagram),
         0xABCD1234},
    };
    for (const row& each : rows) {
        CAPTURE(each.what);
        const packet_view view = decoded(link_type::raw, each.packet, each.packet.size());
        CHECK(fragment_identification(view) == each.identification);
        for (std::size_t size = 0; size < each.packet.size(); ++size) {
            const std::unique_ptr<std::byte[]> exact(new std::byte[size]);
            std::copy_n(each.packet.begin(), size, exact.get());
            const auto found = fragment_identification(
                decoded(link_type::raw, byte_view(exact.get(), size), each.packet.size()));
            CHECK((!found || found == each.identification));
        }
    }
}
