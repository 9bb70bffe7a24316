// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <ostream>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/packet/reassembly.hpp>

#include "builder.hpp"

using namespace flowtap;
using namespace flowtap::packet;
using namespace flowtap::test;

namespace {

packet_view viewed(byte_view packet) {
    packet_view view;
    decode(link_type::raw, packet, packet.size(), view);
    return view;
}

/// A fragment of a packet with the payload 0, 1, 2, ...: octets `from` to `to`.
octets part(std::size_t from, std::size_t to, bool more, std::uint16_t identification = 1) {
    const auto field = static_cast<std::uint16_t>(from / 8 | (more ? 0x2000U : 0U));
    return ipv4({.identification = identification, .fragment = field},
                counting(to - from, static_cast<std::uint8_t>(from)));
}

octets part6(std::size_t from, std::size_t to, bool more) {
    const auto field = static_cast<std::uint16_t>(from | (more ? 1U : 0U));
    return ipv6({.next_header = 0}, extension(44, hex("05020000")) + fragment_header(17, field) +
                                        counting(to - from, static_cast<std::uint8_t>(from)));
}

std::string joined(reassembler& joiner, const octets& packet) {
    return to_hex(joiner.add(viewed(packet)));
}

} // namespace

TEST_CASE("fragments join in any order, and repeated ones do no harm") {
    constexpr unsigned seed = 3;
    MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    const std::string whole4 = to_hex(ipv4({.identification = 1}, counting(100)));
    const std::string whole6 =
        to_hex(ipv6({.next_header = 0}, extension(17, hex("05020000")) + counting(100)));
    std::vector<octets> parts4 = {part(0, 24, true), part(24, 48, true), part(48, 96, true),
                                  part(96, 100, false)};
    std::vector<octets> parts6 = {part6(0, 24, true), part6(24, 48, true), part6(48, 96, true),
                                  part6(96, 100, false)};
    for (int round = 0; round < 100; ++round) {
        std::shuffle(parts4.begin(), parts4.end(), random);
        std::shuffle(parts6.begin(), parts6.end(), random);
        reassembler joiner;
        for (std::size_t i = 0; i < 3; ++i) {
            REQUIRE(joined(joiner, parts4[i]).empty());
            REQUIRE(joined(joiner, parts6[i]).empty());
            REQUIRE(joined(joiner, parts4[0]).empty());
        }
        CHECK(joiner.pending() == 2);
        REQUIRE(joined(joiner, parts4[3]) == whole4);
        REQUIRE(joined(joiner, parts6[3]) == whole6);
        CHECK(joiner.pending() == 0);
        CHECK(joiner.given_up() == 0);
    }
}

TEST_CASE("what is no fragment comes back as it is") {
    reassembler joiner;
    const octets packet = ipv4({}, counting(10));
    CHECK(joined(joiner, packet) == to_hex(packet));
    const octets atomic = ipv6({.next_header = 44}, fragment_header(17, 0) + counting(10));
    CHECK(joined(joiner, atomic) == to_hex(atomic));
    CHECK(joined(joiner, hex("0000")).empty());
    CHECK(joiner.pending() == 0);
}

TEST_CASE("fragments that are cut short are not taken") {
    reassembler joiner;
    const octets fragment = part(8, 24, false);
    packet_view view;
    decode(link_type::raw, byte_view(fragment).first(30), fragment.size(), view);
    CHECK(joiner.add(view).empty());
    CHECK(joiner.pending() == 0);
}

TEST_CASE("a packet whose fragments contradict each other is given up") {
    const std::vector<std::vector<octets>> contradictory = {
        {part(0, 24, true), part(16, 40, true)},   // overlap
        {part(0, 24, true), part(0, 16, true)},    // the same start
        {part(0, 17, true)},                       // not of eight octets, and not the last
        {part(8, 8, true)},                        // nothing
        {part(8, 16, false), part(16, 24, true)},  // beyond the last
        {part(8, 16, false), part(16, 24, false)}, // two last ones
        {part(16, 24, true), part(8, 16, false)},  // a last one that is not the last
        {part(0, 8, true),
         ipv4({.identification = 1, .fragment = 0x2000}, octets(8))}, // other octets
        {part(65528, 65536, false)}, // beyond what a packet can hold
    };
    for (std::size_t i = 0; i < contradictory.size(); ++i) {
        CAPTURE(i);
        reassembler joiner;
        for (const octets& fragment : contradictory[i])
            CHECK(joined(joiner, fragment).empty());
        CHECK(joiner.given_up() == 1);
        // What else comes of it does not revive it.
        for (const octets& fragment : {part(0, 16, true), part(16, 24, false)})
            CHECK(joined(joiner, fragment).empty());
        CHECK(joiner.given_up() == 1);
    }
}

TEST_CASE("packets are told apart by addresses, protocol and identification") {
    reassembler joiner;
    const octets rest = ipv4({.identification = 1, .fragment = 1}, counting(8, 8));
    CHECK(joined(joiner, part(0, 8, true, 2)).empty());
    CHECK(joined(joiner,
                 ipv4({.source = "10.0.0.1", .identification = 1, .fragment = 0x2000}, counting(8)))
              .empty());
    CHECK(joined(joiner, ipv4({.destination = "10.0.0.1", .identification = 1, .fragment = 0x2000},
                              counting(8)))
              .empty());
    CHECK(
        joined(joiner, ipv4({.protocol = 6, .identification = 1, .fragment = 0x2000}, counting(8)))
            .empty());
    CHECK(joined(joiner, rest).empty());
    CHECK(joiner.pending() == 5);
    CHECK(joined(joiner, part(0, 8, true)) == to_hex(ipv4({.identification = 1}, counting(16))));
}

TEST_CASE("no more packets and fragments are held than the limits say") {
    reassembler joiner({.packets = 3, .fragments_per_packet = 4});
    for (std::uint16_t number = 0; number < 10; ++number)
        CHECK(joined(joiner, part(0, 8, true, number)).empty());
    CHECK(joiner.pending() == 3);
    CHECK(joiner.given_up() == 7);
    // The three newest are still there.
    CHECK_FALSE(joined(joiner, part(8, 16, false, 7)).empty());
    CHECK(joined(joiner, part(8, 16, false, 0)).empty());

    for (std::size_t i = 0; i < 5; ++i)
        CHECK(joined(joiner, part(i * 8, i * 8 + 8, true, 99)).empty());
    CHECK(joined(joiner, part(40, 48, false, 99)).empty());
    // One made room for it, and it had one fragment too many.
    CHECK(joiner.given_up() == 9);
}
