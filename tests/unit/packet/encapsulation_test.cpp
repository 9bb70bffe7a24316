// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <optional>
#include <ostream>
#include <string>

#include <doctest/doctest.h>

#include <flowtap/packet/encapsulation.hpp>
#include <flowtap/packet/error.hpp>

#include "builder.hpp"

using namespace flowtap;
using namespace flowtap::packet;
using namespace flowtap::test;

namespace {

endpoint at(const char* address, std::uint16_t port) {
    return {parse_ip_address(address).value(), port};
}

const endpoint v4_source = at("198.51.100.9", 65535);
const endpoint v4_destination = at("192.0.2.5", 2300);
const endpoint v6_source = at("2001:db8::9", 65535);
const endpoint v6_destination = at("2001:db8::5", 2300);

header_template made(const encapsulation& parameters) {
    auto header = header_template::make(parameters);
    REQUIRE(header);
    return *header;
}

/// The header as hexadecimal digits; the text `false` when none was written.
std::string written(const encapsulation& parameters, const octets& inner,
                    std::uint16_t identification = 0x1234) {
    const header_template header = made(parameters);
    octets out(header.size());
    return header.write(inner, identification, out) ? to_hex(out) : "false";
}

std::string compact(const char* digits) {
    return to_hex(hex(digits));
}

} // namespace

TEST_CASE("the outer header is, octet for octet") {
    const octets inner = ipv4({.type_of_service = 0xBB}, udp(1, 2, hex("0102")));
    REQUIRE(inner.size() == 30);
    struct row {
        std::string what;
        encapsulation parameters;
        const char* header;
    };
    using kind = encapsulation_kind;
    for (const row& sample : {
             row{"UDP over IPv4: 58 octets, TTL 255, DF clear, UDP checksum 0",
                 {.source = v4_source, .destination = v4_destination},
                 "4500003a 12340000 ff11bd3c c6336409 c0000205 ffff08fc 00260000"},
             row{"with TTL 1 and a DSCP",
                 {.source = v4_source, .destination = v4_destination, .ttl = 1, .dscp = 34},
                 "4588003a 12340000 0111bab5 c6336409 c0000205 ffff08fc 00260000"},
             row{"with the packet's DSCP, but not its ECN",
                 {.source = v4_source, .destination = v4_destination, .dscp = std::nullopt},
                 "45b8003a 12340000 ff11bc84 c6336409 c0000205 ffff08fc 00260000"},
             row{"UDP with mirror header over IPv4: 66 octets",
                 {.kind = kind::udp_mirror,
                 .source = v4_source,
                 .destination = v4_destination,
                 .mirror = {0x3FFFFFFF, 0x0010F447}},
                 "45000042 12340000 ff11bd34 c6336409 c0000205 ffff08fc 002e0000 "
                 "3fffffff 0010f447"},
             row{"IP-in-IP, protocol 4",
                 {.kind = kind::ip_in_ip, .source = v4_source, .destination = v4_destination},
                 "45000032 12340000 ff04bd51 c6336409 c0000205"},
             row{"IP-in-IP over IPv6, protocol 4",
                 {.kind = kind::ip_in_ip, .source = v6_source, .destination = v6_destination},
                 "60000000 001e04ff 20010db8000000000000000000000009 "
                 "20010db8000000000000000000000005"},
         }) {
        CAPTURE(sample.what);
        CHECK(written(sample.parameters, inner) == compact(sample.header));
    }
    CHECK(written({.kind = kind::ip_in_ip, .source = v4_source, .destination = v4_destination},
                  ipv6({}, {}))
              .substr(18, 2) == "29");
    CHECK(written({.source = v6_source, .destination = v6_destination, .dscp = std::nullopt},
                  ipv6({.traffic_class = 0xBB}, {}))
              .substr(0, 8) == "6b800000");
}

TEST_CASE("every IPv4 header sums up to zero, whatever its identification, TTL, DSCP and length") {
    for (const auto dscp : {std::optional<std::uint8_t>(0), std::optional<std::uint8_t>(63),
                            std::optional<std::uint8_t>()}) {
        for (const auto kind : {encapsulation_kind::udp, encapsulation_kind::udp_mirror,
                                encapsulation_kind::ip_in_ip}) {
            for (unsigned number = 0; number <= 0xFFFF; number += 251) {
                const header_template header = made({.kind = kind,
                                                     .source = v4_source,
                                                     .destination = v4_destination,
                                                     .ttl = static_cast<std::uint8_t>(number),
                                                     .dscp = dscp});
                octets out(header.size());
                const octets inner = ipv4({.type_of_service = static_cast<std::uint8_t>(number)},
                                          counting(number % 1000));
                REQUIRE(header.write(inner, static_cast<std::uint16_t>(number), out));
                REQUIRE(plain_checksum(byte_view(out).first(20)) == 0);
            }
        }
    }
}

TEST_CASE("over IPv6 the UDP checksum is right, and is never zero") {
    for (const auto kind : {encapsulation_kind::udp, encapsulation_kind::udp_mirror}) {
        const header_template header = made({.kind = kind,
                                             .source = v6_source,
                                             .destination = v6_destination,
                                             .mirror = {0x12345678, 0x9ABCDEF0}});
        bool was_all_ones = false;
        for (unsigned number = 0; number <= 0xFFFF; ++number) {
            const octets inner = u16(static_cast<std::uint16_t>(number)) + counting(9);
            octets out(header.size());
            REQUIRE(header.write(inner, 0, out));
            const octets datagram = octets(out.begin() + 40, out.end()) + inner;
            const octets pseudo_header = octets(out.begin() + 8, out.begin() + 40) +
                                         u32(static_cast<std::uint32_t>(datagram.size())) + u32(17);
            const octets checksum(datagram.begin() + 6, datagram.begin() + 8);
            REQUIRE(plain_checksum(pseudo_header + datagram) == 0);
            REQUIRE(checksum != u16(0));
            was_all_ones |= checksum == u16(0xFFFF);
        }
        CHECK(was_all_ones);
    }
}

TEST_CASE("a copy is at most 65535 octets long") {
    const encapsulation over_v4{.source = v4_source, .destination = v4_destination};
    CHECK(written(over_v4, octets(65535 - 28, std::byte{0x45})).substr(4, 4) == "ffff");
    CHECK(written(over_v4, octets(65535 - 27, std::byte{0x45})) == "false");
    const encapsulation over_v6{.source = v6_source, .destination = v6_destination};
    CHECK(written(over_v6, octets(65535 - 48, std::byte{0x45})).substr(8, 4) == "ffd7");
    CHECK(written(over_v6, octets(65535 - 47, std::byte{0x45})) == "false");
}

TEST_CASE("nothing is written where nothing can be") {
    const header_template header = made(
        {.kind = encapsulation_kind::ip_in_ip, .source = v4_source, .destination = v4_destination});
    octets out(header.size(), std::byte{0xAA});
    CHECK_FALSE(header.write(byte_view(), 1, out));
    CHECK_FALSE(header.write(hex("020000000001"), 1, out));
    CHECK_FALSE(header.write(octets(65535, std::byte{0x45}), 1, out));
    CHECK(out == octets(header.size(), std::byte{0xAA}));
}

TEST_CASE("a whole frame may be copied in UDP") {
    const octets frame = hex("020000000002 020000000001 0806") + octets(28);
    CHECK(written({.source = v4_source, .destination = v4_destination}, frame).substr(0, 8) ==
          "45000046");
}

TEST_CASE("a template says what it was made of") {
    const encapsulation parameters{.kind = encapsulation_kind::udp_mirror,
                                   .source = v6_source,
                                   .destination = v6_destination,
                                   .ttl = 7,
                                   .mirror = {1, 2}};
    const header_template header = made(parameters);
    CHECK(header.parameters() == parameters);
    CHECK(header.size() == max_header_size);
}

TEST_CASE("parameters that no header can hold are refused") {
    struct row {
        encapsulation parameters;
        std::error_code code;
    };
    for (const row& sample : {row{{.source = v4_source, .destination = v6_destination},
                                  make_error_code(flowtap::errc::mixed_families)},
                              row{{.source = v4_source, .destination = v4_destination, .dscp = 64},
                                  make_error_code(packet::errc::invalid_dscp)},
                              row{{.kind = encapsulation_kind::udp_mirror,
                              .source = v4_source,
                              .destination = v4_destination,
                              .mirror = {0x4000'0000, 0}},
                                  make_error_code(flowtap::errc::out_of_range)}}) {
        const auto header = header_template::make(sample.parameters);
        REQUIRE_FALSE(header);
        CHECK(header.error().code == sample.code);
    }
}

TEST_CASE("every code of the module has a sentence of its own") {
    for (int code = 1; code <= static_cast<int>(packet::errc::mtu_too_small); ++code)
        CHECK(packet_category().message(code) != "unknown error");
    CHECK(packet_category().message(0) == "unknown error");
    CHECK(std::string(packet_category().name()) == "flowtap.packet");
}
