// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <ostream>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/packet/decapsulation.hpp>
#include <flowtap/packet/error.hpp>
#include <flowtap/packet/fragment.hpp>
#include <flowtap/packet/reassembly.hpp>
#include <flowtap/packet/view.hpp>

#include "builder.hpp"

using namespace flowtap;
using namespace flowtap::packet;
using namespace flowtap::test;

namespace {

header_template made(encapsulation_kind kind, family of_family) {
    const bool is_v4 = of_family == family::inet;
    const auto source = parse_ip_address(is_v4 ? "198.51.100.9" : "2001:db8::9").value();
    const auto destination = parse_ip_address(is_v4 ? "192.0.2.5" : "2001:db8::5").value();
    auto header = header_template::make({.kind = kind,
                                         .source = {source, 65535},
                                         .destination = {destination, 2300},
                                         .ttl = 77,
                                         .dscp = 34,
                                         .mirror = {5, 6}});
    REQUIRE(header);
    return *header;
}

std::vector<octets> pieces_of(const header_template& header, byte_view inner, std::size_t mtu) {
    auto pieces = fragmenter::make(header, inner, 0xABCD1234, mtu);
    REQUIRE(pieces);
    std::vector<octets> out;
    fragmenter::piece piece;
    while (pieces->next(piece))
        out.push_back(octets(piece.header.begin(), piece.header.end()) +
                      octets(piece.payload.begin(), piece.payload.end()));
    CHECK_FALSE(pieces->next(piece));
    return out;
}

packet_view viewed(byte_view packet) {
    packet_view view;
    decode(link_type::raw, packet, packet.size(), view);
    return view;
}

octets unfragmented(const header_template& header, const octets& inner) {
    octets out(header.size());
    REQUIRE(header.write(inner, 0x1234, out));
    return out + inner;
}

constexpr auto all_kinds = {encapsulation_kind::udp, encapsulation_kind::udp_mirror,
                            encapsulation_kind::ip_in_ip};
constexpr auto both_families = {family::inet, family::inet6};

} // namespace

TEST_CASE("a copy that fits the MTU is one packet without any mark of fragmentation") {
    const octets inner = ipv4({}, counting(100));
    for (const family of_family : both_families) {
        const header_template header = made(encapsulation_kind::udp, of_family);
        const octets whole = unfragmented(header, inner);
        const auto pieces = pieces_of(header, inner, whole.size());
        REQUIRE(pieces.size() == 1);
        CHECK(to_hex(pieces[0]) == to_hex(whole));
        CHECK(pieces_of(header, inner, whole.size() - 1).size() == 2);
    }
}

TEST_CASE("the pieces fit the MTU, are consistent, and join to the copy, at every MTU") {
    for (const std::size_t size : {9, 64, 500, 1400}) {
        const octets inner = ipv4({}, counting(size));
        for (const auto kind : all_kinds) {
            for (const family of_family : both_families) {
                const header_template header = made(kind, of_family);
                const octets whole = unfragmented(header, inner);
                for (std::size_t mtu = header.size() + 16; mtu <= whole.size(); mtu += 7) {
                    reassembler joiner({.packets = 1, .fragments_per_packet = 1000});
                    byte_view joined;
                    const auto pieces = pieces_of(header, inner, mtu);
                    for (const octets& piece : pieces) {
                        REQUIRE(piece.size() <= mtu);
                        const packet_view view = viewed(piece);
                        REQUIRE(view.ip.size() == piece.size());
                        if (of_family == family::inet)
                            REQUIRE(plain_checksum(byte_view(piece).first(20)) == 0);
                        REQUIRE(joined.empty());
                        joined = joiner.add(view);
                    }
                    REQUIRE(to_hex(joined) == to_hex(whole));
                }
            }
        }
    }
}

TEST_CASE("the first piece has the ports and the identification goes into each") {
    const octets inner = ipv4({}, counting(100));
    const auto v4 = pieces_of(made(encapsulation_kind::udp, family::inet), inner, 68);
    REQUIRE(v4.size() == 3);
    CHECK(to_hex(byte_view(v4[0]).first(8)) == "4588004412342000");
    CHECK(to_hex(byte_view(v4[1]).first(8)) == "4588004412342006");
    CHECK(to_hex(byte_view(v4[2]).first(8)) == "458800341234000c");
    CHECK(viewed(v4[0]).key.destination_port == 2300);

    const auto v6 = pieces_of(made(encapsulation_kind::udp, family::inet6), inner, 128);
    REQUIRE(v6.size() == 2);
    CHECK(to_hex(byte_view(v6[0]).first(8)) == "6880000000582c4d");
    CHECK(to_hex(byte_view(v6[0]).subspan(40, 8)) == "11000001abcd1234");
    CHECK(to_hex(byte_view(v6[1]).first(8)) == "6880000000382c4d");
    CHECK(to_hex(byte_view(v6[1]).subspan(40, 8)) == "11000050abcd1234");
}

TEST_CASE("an MTU that is too small and a copy that is too long are refused") {
    for (const family of_family : both_families) {
        const header_template header = made(encapsulation_kind::udp_mirror, of_family);
        const std::size_t smallest = header.size() + (of_family == family::inet ? 8 : 16);
        const octets inner = ipv4({}, counting(200));
        CHECK(fragmenter::make(header, inner, 1, smallest));
        const auto refused = fragmenter::make(header, inner, 1, smallest - 1);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == packet::errc::mtu_too_small);

        const auto too_long = fragmenter::make(header, octets(65535), 1, 1500);
        REQUIRE_FALSE(too_long);
        CHECK(too_long.error().code == packet::errc::too_long);
    }
}
