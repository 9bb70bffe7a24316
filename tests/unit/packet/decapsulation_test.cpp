// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <ostream>
#include <string>

#include <doctest/doctest.h>

#include <flowtap/packet/decapsulation.hpp>
#include <flowtap/packet/error.hpp>

#include "builder.hpp"
#include "corpus.hpp"

using namespace flowtap;
using namespace flowtap::packet;
using namespace flowtap::test;

namespace {

constexpr auto all_kinds = {encapsulation_kind::udp, encapsulation_kind::udp_mirror,
                            encapsulation_kind::ip_in_ip};

encapsulation parameters_of(encapsulation_kind kind, family of_family) {
    const bool is_v4 = of_family == family::inet;
    const auto source = parse_ip_address(is_v4 ? "198.51.100.9" : "2001:db8::9").value();
    const auto destination = parse_ip_address(is_v4 ? "192.0.2.5" : "2001:db8::5").value();
    const bool has_ports = kind != encapsulation_kind::ip_in_ip;
    const bool has_mirror = kind == encapsulation_kind::udp_mirror;
    return {.kind = kind,
            .source = {source, static_cast<std::uint16_t>(has_ports ? 65535 : 0)},
            .destination = {destination, static_cast<std::uint16_t>(has_ports ? 2300 : 0)},
            .ttl = 77,
            .dscp = 34,
            .mirror = has_mirror ? mirror_header{0x3FFFFFFF, 0x0010F447} : mirror_header{}};
}

octets copy_of(const encapsulation& parameters, const octets& inner) {
    const auto header = header_template::make(parameters);
    REQUIRE(header);
    octets out(header->size());
    REQUIRE(header->write(inner, 0x4321, out));
    return out + inner;
}

std::string refusal(encapsulation_kind kind, const octets& packet) {
    const auto found = decapsulate(kind, packet);
    return found ? "none" : found.error().code.message();
}

std::string message(packet::errc code) {
    return packet_category().message(static_cast<int>(code));
}

} // namespace

TEST_CASE("every packet of the corpus comes out of every encapsulation as it went in") {
    for (const packet_sample& sample : packet_samples()) {
        if (sample.packet.size() > 60'000)
            continue;
        for (const auto kind : all_kinds) {
            const auto version = std::to_integer<unsigned>(sample.packet[0]) >> 4;
            if (kind == encapsulation_kind::ip_in_ip && version != 4 && version != 6)
                continue;
            for (const family of_family : {family::inet, family::inet6}) {
                CAPTURE(sample.name);
                const encapsulation parameters = parameters_of(kind, of_family);
                const octets packet = copy_of(parameters, sample.packet);
                const auto found = decapsulate(kind, packet);
                REQUIRE(found);
                CHECK(found->kind == kind);
                CHECK(found->source == parameters.source);
                CHECK(found->destination == parameters.destination);
                CHECK(found->ttl == 77);
                CHECK(found->dscp == 34);
                CHECK(found->mirror == parameters.mirror);
                CHECK(to_hex(found->inner) == to_hex(sample.packet));
                const bool is_v4 = of_family == family::inet;
                CHECK(found->identification == (is_v4 ? 0x4321 : 0));
                CHECK(found->ip_checksum ==
                      (is_v4 ? checksum_state::good : checksum_state::absent));
                const bool has_checksum = !is_v4 && kind != encapsulation_kind::ip_in_ip;
                CHECK(found->udp_checksum ==
                      (has_checksum ? checksum_state::good : checksum_state::absent));
            }
        }
    }
}

TEST_CASE("wrong checksums are told of, and the packet comes out all the same") {
    octets over_v4 = copy_of(parameters_of(encapsulation_kind::udp, family::inet), counting(8));
    over_v4[8] = std::byte{3};  // TTL
    over_v4[27] = std::byte{1}; // UDP checksum
    const auto found4 = decapsulate(encapsulation_kind::udp, over_v4);
    REQUIRE(found4);
    CHECK(found4->ip_checksum == checksum_state::bad);
    CHECK(found4->udp_checksum == checksum_state::bad);
    octets over_v6 = copy_of(parameters_of(encapsulation_kind::udp, family::inet6), counting(8));
    over_v6.back() = std::byte{0xFF};
    const auto found6 = decapsulate(encapsulation_kind::udp, over_v6);
    REQUIRE(found6);
    CHECK(found6->udp_checksum == checksum_state::bad);
}

TEST_CASE("octets behind the UDP datagram are not taken for the copy") {
    const octets packet = ipv4({}, udp(1, 2, counting(4)) + counting(6));
    const auto found = decapsulate(encapsulation_kind::udp, packet);
    REQUIRE(found);
    CHECK(to_hex(found->inner) == "00010203");
}

TEST_CASE("IPv4 options and IPv6 extension headers of the outer packet are skipped") {
    const octets inner = ipv4({}, counting(8));
    const octets with_options = ipv4({.options = octets(8, std::byte{1})}, udp(1, 2, inner));
    const auto found4 = decapsulate(encapsulation_kind::udp, with_options);
    REQUIRE(found4);
    CHECK(to_hex(found4->inner) == to_hex(inner));
    // The tunnel encapsulation limit of RFC 2473.
    const octets limited = ipv6({.next_header = 60}, extension(4, hex("04010401 0100")) + inner);
    const auto found6 = decapsulate(encapsulation_kind::ip_in_ip, limited);
    REQUIRE(found6);
    CHECK(to_hex(found6->inner) == to_hex(inner));
}

TEST_CASE("what is not the expected encapsulation is refused for what it is") {
    using kind = encapsulation_kind;
    const octets inner = ipv4({}, counting(8));
    struct row {
        const char* what;
        kind expected;
        octets packet;
        packet::errc code;
    };
    for (const row& sample : {
             row{"TCP", kind::udp, ipv4({.protocol = 6}, tcp(1, 2)),
                 packet::errc::not_encapsulated},
             row{"UDP for IP-in-IP", kind::ip_in_ip, ipv4({}, udp(1, 2, inner)),
                 packet::errc::not_encapsulated},
             row{"IP-in-IP for UDP", kind::udp, ipv4({.protocol = 4}, inner),
                 packet::errc::not_encapsulated},
             row{"protocol 4 with IPv6", kind::ip_in_ip, ipv4({.protocol = 4}, ipv6({}, {})),
                 packet::errc::not_encapsulated},
             row{"protocol 41 with IPv4", kind::ip_in_ip, ipv4({.protocol = 41}, inner),
                 packet::errc::not_encapsulated},
             row{"protocol 4 with nothing", kind::ip_in_ip, ipv4({.protocol = 4}, {}),
                 packet::errc::not_encapsulated},
             row{"half a UDP header", kind::udp, ipv4({}, hex("000100020008")),
                 packet::errc::not_encapsulated},
             row{"UDP length 7", kind::udp, ipv4({}, hex("00010002 00070000") + inner),
                 packet::errc::not_encapsulated},
             row{"UDP length beyond the packet", kind::udp, ipv4({}, hex("00010002 00100000")),
                 packet::errc::not_encapsulated},
             row{"half a mirror header", kind::udp_mirror, ipv4({}, udp(1, 2, counting(7))),
                 packet::errc::not_encapsulated},
             row{"mirror header of version 1", kind::udp_mirror,
                 ipv4({}, udp(1, 2, hex("40000001 00000001") + inner)),
                 packet::errc::not_encapsulated},
             row{"first fragment", kind::udp, ipv4({.fragment = 0x2000}, udp(1, 2, inner)),
                 packet::errc::fragment},
             row{"later fragment", kind::udp, ipv4({.fragment = 1}, udp(1, 2, inner)),
                 packet::errc::fragment},
             row{"total length beyond the packet", kind::udp,
                 ipv4({.total_length = 99}, udp(1, 2, inner)), packet::errc::malformed},
             row{"nothing", kind::udp, {}, packet::errc::malformed},
         }) {
        CAPTURE(std::string(sample.what));
        CHECK(refusal(sample.expected, sample.packet) == message(sample.code));
    }
}

TEST_CASE("a mirror header is read off the payload of a datagram") {
    const octets payload = hex("3fffffff 0010f447") + counting(5);
    const auto found = packet::read_mirror_header(payload);
    REQUIRE(found);
    CHECK(found->header == mirror_header{0x3FFFFFFF, 0x0010F447});
    CHECK(std::ranges::equal(found->inner, byte_view(payload).subspan(8)));
    CHECK(packet::read_mirror_header(byte_view(payload).first(8))->inner.empty());
    CHECK(packet::read_mirror_header(byte_view(payload).first(7)).error().code ==
          packet::errc::not_encapsulated);
    for (const char* const version : {"40", "80", "c0"})
        CHECK(packet::read_mirror_header(hex(version) + counting(7)).error().code ==
              packet::errc::not_encapsulated);
}

TEST_CASE("a decoded frame that holds no whole packet is refused for what it is") {
    const octets frame = ipv4({}, udp(1, 2, counting(20)));
    packet_view view;
    decode(link_type::raw, byte_view(frame).first(30), frame.size(), view);
    CHECK(decapsulate(encapsulation_kind::udp, view).error().code == packet::errc::cut_short);
    decode(link_type::ethernet, octets(60), 60, view);
    CHECK(decapsulate(encapsulation_kind::udp, view).error().code == packet::errc::not_ip);
    decode(static_cast<link_type>(105), octets(60), 60, view);
    CHECK(decapsulate(encapsulation_kind::udp, view).error().code == packet::errc::not_ip);
}

TEST_CASE("a copy cut anywhere is refused, or gives octets of its own") {
    for (const auto kind : all_kinds) {
        for (const family of_family : {family::inet, family::inet6}) {
            const octets packet = copy_of(parameters_of(kind, of_family), ipv4({}, counting(8)));
            for (std::size_t size = 0; size < packet.size(); ++size) {
                const std::unique_ptr<std::byte[]> exact(new std::byte[size]);
                std::copy_n(packet.begin(), size, exact.get());
                REQUIRE_FALSE(decapsulate(kind, byte_view(exact.get(), size)));
            }
        }
    }
}
