// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/parser.hpp>

#include <doctest/doctest.h>

#include "messages.hpp"

namespace flowtap::dtcp {

namespace {

using test::bad_add;
using test::good_add;
using test::place_of;

template <class Number>
range_entry<Number> in(Number first, Number last) {
    range_entry<Number> entry;
    entry.first = first;
    entry.last = last;
    return entry;
}

template <class Number>
range_entry<Number> out(Number first, Number last) {
    range_entry<Number> entry = in(first, last);
    entry.negated = true;
    return entry;
}

address_bits v4(std::uint32_t bits) {
    return {0, bits};
}

/// The value is refused with the code, `offset` octets into it.
void bad(const std::string& name, const std::string& value, errc code, std::size_t offset) {
    const std::vector<test::field> changes = {{name, value}};
    CAPTURE(name);
    CAPTURE(value);
    const error refused = bad_add(changes);
    CHECK(refused.code == code);
    const text_position place = place_of(changes, name);
    CHECK(refused.where.line == place.line);
    CHECK(refused.where.column == place.column + offset);
    CHECK(refused.subject == name + ": " + value);
    CHECK(status_of(refused.code) == status_code::improper_filter);
}

void ok(const std::string& value, const std::vector<range_entry<std::uint8_t>>& entries) {
    CAPTURE(value);
    CHECK(good_add({{"Protocol", value}}).filter.protocols.entries == entries);
    // The same grammar reads the fields of ICMP.
    CHECK(good_add({{"ICMP-Type", value}}).filter.icmp_types.entries == entries);
    CHECK(good_add({{"ICMP-Code", value}}).filter.icmp_codes.entries == entries);
}

void ok(const std::string& value, const std::vector<range_entry<std::uint16_t>>& entries) {
    CAPTURE(value);
    CHECK(good_add({{"Source-Port", value}}).filter.source_ports.entries == entries);
    CHECK(good_add({{"Dest-Port", value}}).filter.destination_ports.entries == entries);
}

void ok(const std::string& value, family of,
        const std::vector<range_entry<address_bits>>& entries) {
    CAPTURE(value);
    const filter_fields source = good_add({{"Source-Address", value}}).filter;
    CHECK(source.source_addresses.entries == entries);
    CHECK(source.destination_addresses.is_wildcard());
    CHECK(source.address_family == of);
    const filter_fields destination = good_add({{"Dest-Address", value}}).filter;
    CHECK(destination.destination_addresses.entries == entries);
    CHECK(destination.address_family == of);
}

using u8 = std::uint8_t;
using u16 = std::uint16_t;

} // namespace

TEST_CASE("a field of numbers is a list of entries in five forms, each perhaps negated") {
    ok("0", {in<u8>(0, 0)});
    ok("255", {in<u8>(255, 255)});
    ok("006", {in<u8>(6, 6)});
    ok("6-17", {in<u8>(6, 17)});
    ok("6-6", {in<u8>(6, 6)});
    ok("6-*", {in<u8>(6, 255)});
    ok("*-17", {in<u8>(0, 17)});
    ok("0-255", {in<u8>(0, 255)});
    ok("!6", {out<u8>(6, 6)});
    ok("!*-5", {out<u8>(0, 5)});
    ok("6,17", {in<u8>(6, 6), in<u8>(17, 17)});
    ok("6, 17,\t !1", {in<u8>(6, 6), in<u8>(17, 17), out<u8>(1, 1)});
    ok("*,!6", {in<u8>(0, 255), out<u8>(6, 6)});
    ok("!*", {out<u8>(0, 255)});
    ok("1,1", {in<u8>(1, 1), in<u8>(1, 1)});
    ok("65535", {in<u16>(65535, 65535)});
    ok("1024-*", {in<u16>(1024, 65535)});
    ok("*-1023, 8080,!53", {in<u16>(0, 1023), in<u16>(8080, 8080), out<u16>(53, 53)});
}

TEST_CASE("nothing but plain stars is the wildcard") {
    ok("*", std::vector<range_entry<u8>>{});
    ok("*,*", std::vector<range_entry<u8>>{});
    ok("*", std::vector<range_entry<u16>>{});
}

TEST_CASE("numbers are refused where they stop being valid") {
    for (const char* name : {"Protocol", "Source-Port", "Dest-Port", "ICMP-Type", "ICMP-Code"}) {
        bad(name, "x", errc::invalid_filter_entry, 0);
        bad(name, "-", errc::invalid_filter_entry, 0);
        bad(name, "-5", errc::invalid_filter_entry, 0);
        bad(name, "+5", errc::invalid_filter_entry, 0);
        bad(name, "5-", errc::invalid_filter_entry, 1);
        bad(name, "5-x", errc::invalid_filter_entry, 1);
        bad(name, "5x", errc::invalid_filter_entry, 1);
        bad(name, "5 6", errc::invalid_filter_entry, 1);
        bad(name, "5 ,6", errc::invalid_filter_entry, 1);
        bad(name, "5,", errc::invalid_filter_entry, 2);
        bad(name, "5,,6", errc::invalid_filter_entry, 2);
        bad(name, ",5", errc::invalid_filter_entry, 1);
        bad(name, "5, x", errc::invalid_filter_entry, 3);
        bad(name, "5,6,!", errc::invalid_filter_entry, 4);
        bad(name, "! 5", errc::invalid_filter_entry, 0);
        bad(name, "!!5", errc::invalid_filter_entry, 0);
        bad(name, "5/8", errc::invalid_filter_entry, 1);
        bad(name, "1-2-3", errc::invalid_filter_entry, 3);
        bad(name, "*-*", errc::invalid_filter_entry, 0);
        bad(name, "7,*-*", errc::invalid_filter_entry, 2);
        bad(name, "**", errc::invalid_filter_entry, 1);
        bad(name, "99999999999999999999", errc::invalid_filter_entry, 0);
        bad(name, "\xFF", errc::invalid_filter_entry, 0);
        bad(name, "5\xC3\xA9", errc::invalid_filter_entry, 1);
        bad(name, "5,\xC3\xA9", errc::invalid_filter_entry, 2);
        bad(name, "7-5", errc::reversed_range, 0);
        bad(name, "1,!7-5", errc::reversed_range, 3);
        bad(name, "65536", errc::filter_value_out_of_range, 0);
        bad(name, "1, 2-65536", errc::filter_value_out_of_range, 5);
    }
    bad("Protocol", "256", errc::filter_value_out_of_range, 0);
    bad("ICMP-Type", "1,256-*", errc::filter_value_out_of_range, 2);
}

TEST_CASE("a field of addresses takes prefixes beside the five forms") {
    ok("10.1.2.3", family::inet, {in(v4(0x0A010203), v4(0x0A010203))});
    ok("10.1.2.3/24", family::inet, {in(v4(0x0A010200), v4(0x0A0102FF))});
    ok("10.1.2.3/32", family::inet, {in(v4(0x0A010203), v4(0x0A010203))});
    ok("10.1.2.3/0", family::inet, {in(v4(0), v4(0xFFFFFFFF))});
    ok("10.1.1.1-10.1.1.10", family::inet, {in(v4(0x0A010101), v4(0x0A01010A))});
    ok("10.0.0.1-*", family::inet, {in(v4(0x0A000001), v4(0xFFFFFFFF))});
    ok("*-10.0.0.1", family::inet, {in(v4(0), v4(0x0A000001))});
    ok("10.0.0.0/8, !10.1.0.0/16", family::inet,
       {in(v4(0x0A000000), v4(0x0AFFFFFF)), out(v4(0x0A010000), v4(0x0A01FFFF))});
    ok("*,!10.0.0.1", family::inet,
       {in(v4(0), v4(0xFFFFFFFF)), out(v4(0x0A000001), v4(0x0A000001))});
    ok("!*", family::inet, {out(v4(0), v4(0xFFFFFFFF))});

    const address_bits top{~0ULL, ~0ULL};
    const address_bits db8{0x20010DB800000000, 1};
    ok("2001:db8::1", family::inet6, {in(db8, db8)});
    ok("2001:DB8::1-*", family::inet6, {in(db8, top)});
    ok("*-2001:db8::1", family::inet6, {in(address_bits{}, db8)});
    ok("2001:db8::1235/112", family::inet6,
       {in(address_bits{0x20010DB800000000, 0}, address_bits{0x20010DB800000000, 0xFFFF})});
    ok("::/0", family::inet6, {in(address_bits{}, top)});
    ok("::ffff:192.0.2.1", family::inet6,
       {in(address_bits{0, 0xFFFFC0000201}, address_bits{0, 0xFFFFC0000201})});
    ok("*,!2001:db8::1", family::inet6, {in(address_bits{}, top), out(db8, db8)});
}

TEST_CASE("addresses that are wildcards say nothing of a family") {
    const filter_fields filter =
        good_add({{"Source-Address", "*"}, {"Dest-Address", "*,*"}}).filter;
    CHECK(filter.source_addresses.is_wildcard());
    CHECK(filter.destination_addresses.is_wildcard());
    CHECK_FALSE(filter.address_family);
}

TEST_CASE("addresses are refused where they stop being valid") {
    for (const char* name : {"Source-Address", "Dest-Address"}) {
        bad(name, "10.0.0.256", errc::invalid_filter_entry, 0);
        bad(name, "10.0.0", errc::invalid_filter_entry, 0);
        bad(name, "10.0.0.1.2", errc::invalid_filter_entry, 0);
        bad(name, "localhost", errc::invalid_filter_entry, 0);
        bad(name, "10.0.0.1/", errc::invalid_filter_entry, 8);
        bad(name, "10.0.0.1/24-10.0.0.2", errc::invalid_filter_entry, 11);
        bad(name, "10.0.0.1-10.0.0.2/24", errc::invalid_filter_entry, 17);
        bad(name, "*/8", errc::invalid_filter_entry, 0);
        bad(name, "*-*", errc::invalid_filter_entry, 0);
        bad(name, "10.0.0.1, 10.0.0.999", errc::invalid_filter_entry, 10);
        bad(name, "1:2:3", errc::invalid_filter_entry, 0);
        bad(name, "10.0.0.1\xFF", errc::invalid_filter_entry, 8);
        bad(name, "10.0.0.1/\xFF", errc::invalid_filter_entry, 8);
        bad(name, "fe80::1%eth0", errc::invalid_filter_entry, 7);
        bad(name, "10.0.0.1/33", errc::filter_value_out_of_range, 0);
        bad(name, "::1/129", errc::filter_value_out_of_range, 0);
        bad(name, "::1/999", errc::filter_value_out_of_range, 0);
        bad(name, "10.0.0.2-10.0.0.1", errc::reversed_range, 0);
        bad(name, "1.1.1.1,!::1", errc::mixed_families, 9);
        bad(name, "1.1.1.1-::1", errc::mixed_families, 8);
    }
    // An empty value stands in a line of its own.
    const auto parsed = test::parse(test::add_with({{"Source-Address", " "}}));
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == errc::invalid_filter_entry);
}

TEST_CASE("one family per request") {
    const std::vector<test::field> mixed = {{"Source-Address", "10.0.0.1"},
                                            {"Dest-Address", "!10.0.0.2, 2001:db8::1"}};
    const error refused = bad_add(mixed);
    CHECK(refused.code == errc::mixed_families);
    CHECK(refused.where.line == place_of(mixed, "Dest-Address").line);
    CHECK(refused.where.column == place_of(mixed, "Dest-Address").column + 11);

    CHECK(good_add({{"X-JTap-IP-Version", "ipv4"}}).filter.address_family == family::inet);
    CHECK(good_add({{"X-JTap-IP-Version", "IPv6"}}).filter.address_family == family::inet6);
    CHECK(good_add({{"X-JTap-IP-Version", "ipv6"}, {"Source-Address", "::1"}})
              .filter.address_family == family::inet6);
    CHECK(bad_add({{"X-JTap-IP-Version", "ipv4"}, {"Source-Address", "::1"}}).code ==
          errc::mixed_families);
    // Everything but everything, of the family that is named.
    const address_bits top{~0ULL, ~0ULL};
    CHECK(good_add({{"X-JTap-IP-Version", "ipv6"}, {"Source-Address", "!*"}})
              .filter.source_addresses.entries ==
          std::vector<range_entry<address_bits>>{out(address_bits{}, top)});
}

TEST_CASE("an escape stands for its octet in a value and never delimits") {
    CHECK(good_add({{"Protocol", "\\054"}}).filter.protocols.entries == std::vector{in<u8>(6, 6)});
    CHECK(good_add({{"Source-Address", "10\\0460.0.1"}}).filter.source_addresses.entries ==
          std::vector{in(v4(0x0A000001), v4(0x0A000001))});
    bad("Protocol", "6\\04417", errc::invalid_filter_entry, 1); // a comma
    bad("Protocol", "6\\04517", errc::invalid_filter_entry, 1); // a dash
    bad("Protocol", "\\0336", errc::invalid_filter_entry, 0);   // a `!`
    bad("Protocol", "\\042", errc::invalid_filter_entry, 0);    // a `*`
    bad("Protocol", "\\05", errc::invalid_filter_entry, 0);
    bad("Source-Address", "10.0.0.0\\0478", errc::invalid_filter_entry, 8); // a slash
    // Columns count what was received, not what it stands for.
    bad("Protocol", "\\054,x", errc::invalid_filter_entry, 5);
    bad("Source-Address", "\\049.1.1.1,::1", errc::mixed_families, 11);
}

TEST_CASE("ports need a protocol that has them") {
    for (const char* name : {"Source-Port", "Dest-Port"}) {
        for (const char* protocols : {"6", "17", "1-6", "*", "!6", "!17", "1,17"})
            CHECK(good_add({{name, "53"}, {"Protocol", protocols}}).priority == 1);
        for (const char* protocols : {"1", "58", "7-16", "!6,!17", "6-17,!6,!17", "!*"}) {
            CAPTURE(protocols);
            const error refused = bad_add({{name, "53"}, {"Protocol", protocols}});
            CHECK(refused.code == errc::ports_without_protocol);
            CHECK(refused.subject == std::string(name) + ": 53");
        }
        CHECK(good_add({{name, "*"}, {"Protocol", "1"}}).priority == 1);
    }
}

TEST_CASE("an ICMP field needs ICMP or ICMPv6") {
    for (const char* name : {"ICMP-Type", "ICMP-Code"}) {
        for (const char* protocols : {"1", "58", "*", "0-10", "!6", "!1", "!58"})
            CHECK(good_add({{name, "8"}, {"Protocol", protocols}}).priority == 1);
        for (const char* protocols : {"6", "2-57", "!1,!58"}) {
            CAPTURE(protocols);
            CHECK(bad_add({{name, "8"}, {"Protocol", protocols}}).code ==
                  errc::icmp_without_protocol);
        }
        CHECK(good_add({{name, "*"}, {"Protocol", "6"}}).priority == 1);
    }
}

TEST_CASE("of a repeated field the first counts, and the others are not read") {
    const add_request add = good_add({{"Protocol", "6"}, {"protocol", "nonsense"}});
    CHECK(add.filter.protocols.entries == std::vector{in<u8>(6, 6)});
}

TEST_CASE("a filter can be read without a request around it") {
    const auto parts = parse_envelope("filter\nSource-Address: 10.0.0.0/8\nProtocol: 6\n"
                                      "Dest-Port: 80,443\nWhatever: x\n");
    REQUIRE(parts);
    const auto filter = parse_filter(*parts);
    REQUIRE(filter);
    CHECK(filter->address_family == family::inet);
    CHECK(filter->destination_ports.entries == std::vector{in<u16>(80, 80), in<u16>(443, 443)});
    const auto refused = parse_filter(*parse_envelope("filter\nProtocol: 6\nDest-Port: http\n"));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().where == text_position{3, 12});
    CHECK_FALSE(parse_filter(*parse_envelope("filter\nProtocol 6\n")));
}

TEST_CASE("the fields become a filter_spec whose scope and open families are the caller's") {
    const add_request add = good_add({{"Source-Address", "10.0.0.0/8"},
                                      {"Dest-Address", "!10.1.1.1"},
                                      {"Protocol", "6"},
                                      {"Source-Port", "1,2"},
                                      {"Dest-Port", "3,4"}},
                                     {.port_lists = port_list_mode::pairs});
    const filter_spec spec = make_filter_spec(add.filter);
    CHECK(spec.families == family_set(family::inet));
    CHECK(std::holds_alternative<global_scope>(spec.scope));
    CHECK(spec.source_addresses == add.filter.source_addresses);
    CHECK(spec.destination_addresses == add.filter.destination_addresses);
    CHECK(spec.protocols == add.filter.protocols);
    CHECK(spec.source_ports == add.filter.source_ports);
    CHECK(spec.destination_ports == add.filter.destination_ports);
    CHECK(spec.port_lists == port_list_mode::pairs);
    CHECK(make_filter_spec(good_add({}).filter).families.empty());
    const filter_spec icmp =
        make_filter_spec(good_add({{"ICMP-Type", "8"}, {"ICMP-Code", "0"}}).filter);
    CHECK(icmp.icmp_types.entries == std::vector{in<u8>(8, 8)});
    CHECK(icmp.icmp_codes.entries == std::vector{in<u8>(0, 0)});
}

} // namespace flowtap::dtcp
