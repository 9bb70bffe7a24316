// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/request.hpp>

#include <doctest/doctest.h>

#include "messages.hpp"

namespace flowtap::dtcp {

namespace {

using test::bad_add;
using test::good_add;
using test::place_of;

void bad(const std::vector<test::field>& changes, const std::string& name, errc code,
         std::size_t offset = 0) {
    CAPTURE(name);
    CAPTURE(changes.back().second);
    const error refused = bad_add(changes);
    CHECK(refused.code == code);
    CHECK(refused.where.line == place_of(changes, name).line);
    CHECK(refused.where.column == place_of(changes, name).column + offset);
}

const std::string dest_address = "X-JTap-Cdest-Dest-Address";
const std::string dest_port = "X-JTap-Cdest-Dest-Port";
const std::string source_address = "X-JTap-Cdest-Source-Address";
const std::string source_port = "X-JTap-Cdest-Source-Port";

} // namespace

TEST_CASE("addresses and ports of content destinations go together, in order") {
    const add_request add = good_add({{"Cdest-ID", "cd1,cd2"},
                                      {dest_address, "2001:db8::5, 2001:db8::6"},
                                      {dest_port, "2300,2301"},
                                      {source_address, "2001:db8::9"}});
    REQUIRE(add.jtap.destinations.size() == 2);
    CHECK(to_string(add.jtap.destinations[0]) == "[2001:db8::5]:2300");
    CHECK(to_string(add.jtap.destinations[1]) == "[2001:db8::6]:2301");
    CHECK(to_string(*add.jtap.source_address) == "2001:db8::9");
    CHECK(add.jtap.ttl == 255);
}

TEST_CASE("a flow-tap ADD must say where copies come from and go to") {
    for (const std::string& name : {dest_address, dest_port, source_address, source_port}) {
        const error refused = bad_add({{name, ""}});
        CHECK(refused.code == errc::missing_jtap_parameter);
        CHECK(refused.subject == name);
        CHECK(refused.where == text_position{});
    }
}

TEST_CASE("counts that do not agree are refused, and more than two destinations") {
    bad({{dest_port, "1,2"}}, dest_port, errc::counts_differ);
    bad({{dest_address, "1.1.1.1,2.2.2.2"}}, dest_port, errc::counts_differ);
    bad({{dest_address, "1.1.1.1,2.2.2.2"}, {dest_port, "1,2"}}, "Cdest-ID", errc::counts_differ);
    bad({{"Cdest-ID", "a,b"}}, "Cdest-ID", errc::counts_differ);
    bad({{"Cdest-ID", "a,b,c"}, {dest_address, "1.1.1.1,2.2.2.2,3.3.3.3"}, {dest_port, "1,2,3"}},
        "Cdest-ID", errc::too_many_destinations);
    bad({{dest_address, "1.1.1.1,2.2.2.2,3.3.3.3"}}, dest_address, errc::too_many_destinations);
}

TEST_CASE("addresses, ports and TTL are checked") {
    bad({{dest_address, "1.1.1"}}, dest_address, errc::invalid_jtap_parameter);
    bad({{dest_address, "1.1.1.1, x"}}, dest_address, errc::invalid_jtap_parameter, 9);
    bad({{dest_address, "1.1.1.1,"}}, dest_address, errc::invalid_jtap_parameter, 8);
    bad({{dest_address, "10.0.0.0/8"}}, dest_address, errc::invalid_jtap_parameter);
    bad({{dest_port, "65536"}}, dest_port, errc::invalid_jtap_parameter);
    bad({{dest_port, "0"}}, dest_port, errc::invalid_jtap_parameter);
    bad({{dest_port, "*"}}, dest_port, errc::invalid_jtap_parameter);
    bad({{source_address, "1.1.1.1,1.1.1.2"}}, source_address, errc::invalid_jtap_parameter);
    bad({{source_port, "70000"}}, source_port, errc::invalid_jtap_parameter);
    CHECK(good_add({{source_port, "0"}}).jtap.source_port == 0);
    CHECK(good_add({{"X-JTap-Cdest-TTL", "0"}}).jtap.ttl == 0);
    CHECK(good_add({{"X-JTap-Cdest-TTL", "64"}}).jtap.ttl == 64);
    bad({{"X-JTap-Cdest-TTL", "256"}}, "X-JTap-Cdest-TTL", errc::invalid_jtap_parameter);
}

TEST_CASE("the source's family is that of every destination") {
    bad({{source_address, "2001:db8::9"}}, source_address, errc::mixed_families);
    bad({{"Cdest-ID", "a,b"}, {dest_address, "192.0.2.5,2001:db8::5"}, {dest_port, "1,2"}},
        source_address, errc::mixed_families);
}

TEST_CASE("interfaces are up to eight names, of unit 0 when none is named") {
    CHECK(good_add({{"X-JTap-Input-Interface", "ge-0/0/0, xe-1/2/3.100"}}).jtap.input_interfaces ==
          std::vector<std::string>{"ge-0/0/0.0", "xe-1/2/3.100"});
    CHECK(good_add({{"X-JTap-Output-Interface", "lo0"}}).jtap.output_interfaces ==
          std::vector<std::string>{"lo0.0"});
    CHECK(good_add({{"X-JTap-Input-Interface", "a,b,c,d,e,f,g,h"}}).jtap.input_interfaces.size() ==
          8);
    for (const char* name : {"X-JTap-Input-Interface", "X-JTap-Output-Interface"}) {
        bad({{name, "a,b,c,d,e,f,g,h,i"}}, name, errc::invalid_jtap_parameter);
        bad({{name, "a,,b"}}, name, errc::invalid_jtap_parameter, 2);
        bad({{name, "ge 0"}}, name, errc::invalid_jtap_parameter);
    }
}

TEST_CASE("one of VRF, input interface and output interface") {
    CHECK(good_add({{"X-JTap-VRF-Name", "cust-a"}}).jtap.vrf == "cust-a");
    bad({{"X-JTap-VRF-Name", "cust a"}}, "X-JTap-VRF-Name", errc::invalid_jtap_parameter);
    const test::field vrf{"X-JTap-VRF-Name", "v"};
    const test::field in{"X-JTap-Input-Interface", "a"};
    const test::field out{"X-JTap-Output-Interface", "b"};
    CHECK(bad_add({vrf, in}).code == errc::several_scopes);
    CHECK(bad_add({vrf, out}).code == errc::several_scopes);
    bad({in, out}, "X-JTap-Output-Interface", errc::several_scopes);
    CHECK(bad_add({vrf, in, out}).code == errc::several_scopes);
}

TEST_CASE("family ccc is of DTCP/0.8, names interfaces, and has no field about IP packets") {
    const test::field newest{"version", "0.8"};
    const test::field ccc{"X-JTap-Filter-Family", "CCC"};
    const test::field in{"X-JTap-Input-Interface", "ge-0/0/0"};
    const add_request add = good_add({newest, ccc, in});
    CHECK(good_add({newest, ccc, {"X-JTap-Output-Interface", "a,b"}}).jtap.filter_family ==
          family::ccc);
    CHECK(add.jtap.filter_family == family::ccc);
    CHECK(add.filter.address_family == family::ccc);
    CHECK(make_filter_spec(add.filter).families == family_set(family::ccc));

    for (const char* older : {"0.5", "0.6", "0.7"}) {
        const error refused = bad_add({{"version", older}, ccc, in});
        CHECK(refused.code == errc::misplaced_parameter);
        CHECK(status_of(refused.code) == status_code::bad_request);
    }
    bad({newest, {"X-JTap-Filter-Family", "inet"}}, "X-JTap-Filter-Family",
        errc::invalid_jtap_parameter);
    for (const test::field& other :
         {test::field{"Source-Address", "10.0.0.1"}, test::field{"Dest-Address", "*"},
          test::field{"Source-Port", "1"}, test::field{"Dest-Port", "1"},
          test::field{"Protocol", "*"}, test::field{"ICMP-Type", "8"},
          test::field{"ICMP-Code", "0"}, test::field{"X-JTap-IP-Version", "ipv4"}})
        bad({newest, ccc, in, other}, other.first, errc::family_with_addresses);
    bad({newest, ccc}, "X-JTap-Filter-Family", errc::missing_jtap_parameter);
    bad({newest, ccc, {"X-JTap-VRF-Name", "v"}}, "X-JTap-Filter-Family",
        errc::missing_jtap_parameter);
}

TEST_CASE("an IP version is ipv4 or ipv6") {
    bad({{"X-JTap-IP-Version", "4"}}, "X-JTap-IP-Version", errc::invalid_jtap_parameter);
    CHECK(good_add({{"X-JTap-IP-Version", "IPV4"}}).jtap.ip_version == family::inet);
}

TEST_CASE("problems of X-JTap parameters are a JTap failure") {
    CHECK(status_of(bad_add({{dest_port, ""}}).code) == status_code::jtap_failure);
    CHECK(status_of(bad_add({{dest_port, "x"}}).code) == status_code::jtap_failure);
}

} // namespace flowtap::dtcp
