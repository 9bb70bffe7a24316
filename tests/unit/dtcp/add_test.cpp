// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/request.hpp>

#include <doctest/doctest.h>

#include "messages.hpp"

namespace flowtap::dtcp {

namespace {

using test::bad_add;
using test::good_add;
using test::place_of;

/// A change is refused with the code, at the value of `name`.
void bad(const std::vector<test::field>& changes, const std::string& name, errc code,
         const parse_options& options = {}) {
    CAPTURE(name);
    CAPTURE(changes.back().second);
    const error refused = bad_add(changes, options);
    CHECK(refused.code == code);
    CHECK(refused.where == place_of(changes, name));
}

} // namespace

TEST_CASE("an ADD without anything optional has the defaults") {
    const add_request add = good_add({});
    CHECK(add.header.spoken == version_0_7);
    CHECK(add.header.csource_id == "ftap");
    CHECK(add.header.seq == sequence_number(1));
    CHECK(add.cdest_ids == std::vector<std::string>{"cd1"});
    CHECK(add.filter == filter_fields{});
    CHECK(add.limits.empty());
    CHECK(add.is_static);
    CHECK_FALSE(add.send_async);
    CHECK(add.priority == 1);
    CHECK(add.action == packet_action::copy);
    CHECK_FALSE(add.subscriber);
}

TEST_CASE("the request of a FlowTapLite client is taken as it stands") {
    const auto parsed = test::parse("ADD DTCP/0.8\n"
                                    "Csource-ID: ftap\n"
                                    "CDest-ID:  cd1\n"
                                    "Source-Address: 2001:db8:abcd:ef12:3456:78ab:abc8:1235/112\n"
                                    "Dest-Address: 2001:db8:affe::1:1\n"
                                    "Source-Port: 1234\n"
                                    "Dest-Port: 2345\n"
                                    "Protocol: *\n"
                                    "Priority: 2\n"
                                    "X-Jtap-Input-Interface: ge-2/0/1\n"
                                    "X-JTap-Cdest-Dest-Address: 192.0.2.5\n"
                                    "X-JTap-Cdest-Dest-Port: 2300\n"
                                    "X-JTap-Cdest-Source-Address: 198.51.100.9\n"
                                    "X-JTap-Cdest-Source-Port: 65535\n"
                                    "X-JTap-Cdest-TTL: 255\n"
                                    "X-JTap-IP-Version: ipv6\n"
                                    "Flags: STATIC\n"
                                    "Seq: 1\n");
    REQUIRE(parsed);
    const auto& add = std::get<add_request>(*parsed);
    CHECK(add.header.spoken == version_0_8);
    CHECK(add.cdest_ids == std::vector<std::string>{"cd1"});
    CHECK(add.filter.address_family == family::inet6);
    const address_bits first{0x20010DB8ABCDEF12, 0x345678ABABC80000};
    const address_bits last{0x20010DB8ABCDEF12, 0x345678ABABC8FFFF};
    REQUIRE(add.filter.source_addresses.entries.size() == 1);
    CHECK(add.filter.source_addresses.entries[0].first == first);
    CHECK(add.filter.source_addresses.entries[0].last == last);
    CHECK(add.filter.protocols.is_wildcard());
    CHECK(add.filter.source_ports.admits(1234));
    CHECK_FALSE(add.filter.source_ports.admits(1235));
    CHECK(add.priority == 2);
    CHECK(add.jtap.input_interfaces == std::vector<std::string>{"ge-2/0/1.0"});
    REQUIRE(add.jtap.destinations.size() == 1);
    CHECK(to_string(add.jtap.destinations[0]) == "192.0.2.5:2300");
    CHECK(add.jtap.source_port == 65535);
    CHECK(add.is_static);
}

TEST_CASE("what LIST repeats is kept as given, in its order") {
    const add_request add = good_add({{"X-JTap-Cdest-TTL", "007"},
                                      {"Dest-Port", "80,  443"},
                                      {"Timeout-Idle", "0600"},
                                      {"Source-Address", "10.1.2.3/8"},
                                      {"X-Unknown", "1"},
                                      {"X-JTap-Cdest-Source-Port", ""},
                                      {"x-jtap-cdest-source-port", "\\0491"}});
    const std::vector<given_field> expected = {
        {parameter::source_address, "10.1.2.3/8"},
        {parameter::dest_port, "80,  443"},
        {parameter::timeout_idle, "0600"},
        {parameter::x_jtap_cdest_dest_address, "192.0.2.5"},
        {parameter::x_jtap_cdest_dest_port, "2300"},
        {parameter::x_jtap_cdest_source_address, "198.51.100.9"},
        {parameter::x_jtap_cdest_source_port, "\\0491"},
        {parameter::x_jtap_cdest_ttl, "007"},
    };
    CHECK(add.given == expected);
    CHECK(add.jtap.source_port == 11);
}

TEST_CASE("an ADD needs a timeout or the flag STATIC") {
    const test::field no_flags{"Flags", ""};
    const add_request all = good_add({no_flags,
                                      {"Timeout-Idle", "86400"},
                                      {"Timeout-Total", "1"},
                                      {"Timeout-Packets", "4294967295"},
                                      {"Timeout-Bytes", "18446744073709551615"}});
    CHECK(all.limits.idle == std::chrono::seconds(86400));
    CHECK(all.limits.total == std::chrono::seconds(1));
    CHECK(all.limits.packets == packet_count(4294967295));
    CHECK(all.limits.bytes == octet_count(~0ULL));
    CHECK_FALSE(all.is_static);

    const add_request zeros =
        good_add({no_flags, {"Timeout-Idle", "0"}, {"Timeout-Packets", "10"}});
    CHECK_FALSE(zeros.limits.idle);
    CHECK(zeros.limits.packets == packet_count(10));

    for (const auto& changes : {std::vector<test::field>{no_flags},
                                {no_flags, {"Timeout-Idle", "0"}, {"Timeout-Bytes", "000"}},
                                {{"Flags", "SendAsync"}}}) {
        const error refused = bad_add(changes);
        CHECK(refused.code == errc::missing_timeout);
        CHECK(refused.where == text_position{});
        CHECK(status_of(refused.code) == status_code::improper_timeout);
    }
}

TEST_CASE("a timeout that is no number in its range is refused") {
    const test::field no_flags{"Flags", ""};
    const std::pair<const char*, const char*> rows[] = {
        {"Timeout-Idle", "86401"},
        {"Timeout-Total", "86401"},
        {"Timeout-Packets", "4294967296"},
        {"Timeout-Bytes", "18446744073709551616"},
        {"Timeout-Idle", "-1"},
        {"Timeout-Idle", "1s"},
        {"Timeout-Total", "1.5"},
        {"Timeout-Bytes", "*"},
        {"Timeout-Packets", "1,2"},
    };
    for (const auto& [name, value] : rows)
        bad({no_flags, {name, value}}, name, errc::invalid_timeout);
}

TEST_CASE("STATIC makes the server ignore all timeouts, nonsense included") {
    const add_request add = good_add({{"Timeout-Idle", "5"}, {"Timeout-Total", "soon"}});
    CHECK(add.limits.empty());
    CHECK(add.is_static);
}

TEST_CASE("flags are matched regardless of case, together and apart") {
    for (const char* value : {"STATIC,SendAsync", "sendasync, static", "Static,SENDASYNC,Both"}) {
        const add_request add = good_add({{"Flags", value}});
        CHECK(add.is_static);
        CHECK(add.send_async);
    }
    for (const char* value : {"Statics", "STATIC,Other", "*"})
        bad({{"Flags", value}}, "Flags", errc::not_implemented);
    CHECK(bad_add({{"Flags", "STATIC,"}}).code == errc::invalid_value);
    CHECK(bad_add({{"Flags", "STATIC SendAsync"}}).code == errc::invalid_value);
}

TEST_CASE("a priority is 1 to 255") {
    CHECK(good_add({{"Priority", "1"}}).priority == 1);
    CHECK(good_add({{"Priority", "255"}}).priority == 255);
    for (const char* value : {"0", "256", "-1", "high", "1,2"})
        bad({{"Priority", value}}, "Priority", errc::invalid_value);
}

TEST_CASE("Block and Redirect are refused until they are built, other actions always") {
    const parse_options built{.has_block_and_redirect = true};
    CHECK(good_add({{"Action", "copy"}}).action == packet_action::copy);
    CHECK(good_add({{"Action", "BLOCK"}}, built).action == packet_action::block);
    CHECK(good_add({{"Action", "Redirect"}}, built).action == packet_action::redirect);
    for (const char* value : {"Block", "Redirect", "Drop", "Copy,Block"})
        bad({{"Action", value}}, "Action", errc::not_implemented);
    bad({{"Action", "Drop"}}, "Action", errc::not_implemented, built);
}

TEST_CASE("a Cdest-ID is a list of printable tokens") {
    const test::field two_addresses{"X-JTap-Cdest-Dest-Address", "192.0.2.5,192.0.2.6"};
    const test::field two_ports{"X-JTap-Cdest-Dest-Port", "2300,2301"};
    CHECK(good_add({{"Cdest-ID", "cd1, cd2"}, two_addresses, two_ports}).cdest_ids ==
          std::vector<std::string>{"cd1", "cd2"});
    CHECK(good_add({{"Cdest-ID", "a\\044b"}}).cdest_ids == std::vector<std::string>{"a,b"});
    for (const char* value : {",", "cd1,,cd2", "cd 1", "a\\010", "a\\1", "caf\xC3\xA9"})
        CHECK(bad_add({{"Cdest-ID", value}}).code == errc::invalid_value);
    bad({{"Cdest-ID", "a,b,c"}}, "Cdest-ID", errc::too_many_destinations);
    const error missing = bad_add({{"Cdest-ID", ""}});
    CHECK(missing.code == errc::missing_parameter);
    CHECK(missing.subject == "Cdest-ID");
}

TEST_CASE("in dynamic flow capture Cdest-ID alone says where copies go") {
    const parse_options capture{.service = service_kind::dynamic_flow_capture};
    const std::vector<test::field> nothing_of_jtap = {{"X-JTap-Cdest-Dest-Address", ""},
                                                      {"X-JTap-Cdest-Dest-Port", ""},
                                                      {"X-JTap-Cdest-Source-Address", ""},
                                                      {"X-JTap-Cdest-Source-Port", ""}};
    const add_request add = good_add(nothing_of_jtap, capture);
    CHECK(add.jtap == jtap_parameters{});
    CHECK(add.given.empty());
    // What there is of them is as an unknown X- parameter.
    const add_request other = good_add({{"X-JTap-IP-Version", "nonsense"},
                                        {"X-MD-Intercept-Id", "nonsense"},
                                        {"X-JTap-Filter-Family", "ccc"}},
                                       capture);
    CHECK(other.jtap == jtap_parameters{});
    CHECK_FALSE(other.subscriber);
    CHECK_FALSE(other.filter.address_family);
    CHECK(bad_add({{"Cdest-ID", ""}}, capture).code == errc::missing_parameter);
}

} // namespace flowtap::dtcp
