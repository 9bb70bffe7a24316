// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/request.hpp>

#include <doctest/doctest.h>

#include "messages.hpp"

namespace flowtap::dtcp {

namespace {

using test::bad_add;
using test::good_add;

/// A subscriber ADD without what such an ADD may leave out.
std::vector<test::field> with(std::vector<test::field> changes) {
    changes.insert(
        changes.begin(),
        {{"X-JTap-Cdest-Source-Address", ""}, {"X-JTap-Cdest-Source-Port", ""}, {"Cdest-ID", ""}});
    return changes;
}

const test::field eight_octets{"X-MD-Intercept-Id", "0x0000abcd00000001"};
const test::field user{"X-UserName", "user@example.net"};

} // namespace

TEST_CASE("a subscriber ADD needs an intercept id, one trigger and a destination") {
    const add_request add = good_add(with({eight_octets, user}));
    REQUIRE(add.subscriber);
    CHECK(add.subscriber->intercept == intercept_id{0xABCD, 1});
    CHECK(add.subscriber->trigger == parameter::x_user_name);
    CHECK(add.subscriber->trigger_value == "user@example.net");
    CHECK(add.cdest_ids.empty());
    CHECK_FALSE(add.jtap.source_address);
    CHECK_FALSE(add.jtap.source_port);
    CHECK(add.jtap.destinations.size() == 1);

    CHECK(bad_add(with({eight_octets, user, {"X-JTap-Cdest-Dest-Address", ""}})).code ==
          errc::missing_jtap_parameter);
    CHECK(bad_add(with({eight_octets, user, {"X-JTap-Cdest-Dest-Port", ""}})).code ==
          errc::missing_jtap_parameter);
    CHECK(bad_add(with({eight_octets})).code == errc::missing_selector);
    CHECK(bad_add(with({eight_octets, user, {"X-NAS-Port-Id", "ge-0/0/0"}})).code ==
          errc::ambiguous_selector);
    // Without the intercept id it is no subscriber ADD, and the rest is required again.
    CHECK(bad_add(with({user})).code == errc::missing_parameter);
}

TEST_CASE("each trigger can name a subscriber") {
    const std::pair<const char*, parameter> rows[] = {
        {"X-UserName", parameter::x_user_name},
        {"X-Act-Sess-Id", parameter::x_act_sess_id},
        {"X-IP-Addr", parameter::x_ip_addr},
        {"X-Interface-Id", parameter::x_interface_id},
        {"X-NAS-Port-Id", parameter::x_nas_port_id},
        {"X-RM-Circuit-Id", parameter::x_rm_circuit_id},
        {"X-Call-Sta-Id", parameter::x_call_sta_id},
    };
    for (const auto& row : rows) {
        CAPTURE(row.first);
        const add_request add = good_add(with({eight_octets,
                                               {row.first, "10.0.0.1"},
                                               {"X-Logical-System", "ls1"},
                                               {"X-Router-Instance", "ri\\0321"}}));
        REQUIRE(add.subscriber);
        CHECK(add.subscriber->trigger == row.second);
        CHECK(add.subscriber->trigger_value == "10.0.0.1");
        CHECK(add.subscriber->logical_system == "ls1");
        CHECK(add.subscriber->router_instance == "ri 1");
    }
    CHECK(bad_add(with({eight_octets, {"X-IP-Addr", "10.0.0"}})).code == errc::invalid_value);
    CHECK(bad_add(with({eight_octets, {"X-UserName", "a b"}})).code == errc::invalid_value);
}

TEST_CASE("the top two bits of an intercept id say how long it is") {
    const auto id_of = [](const std::string& text) {
        return good_add(with({{"X-MD-Intercept-Id", text}, user})).subscriber->intercept;
    };
    CHECK(id_of("0x0000abcd00000001") == intercept_id{0xABCD, 1});
    CHECK(id_of("3FFFFFFFffffffff") == intercept_id{0x3FFFFFFF, 0xFFFFFFFF});
    CHECK(id_of("0X40000005") == intercept_id{0x40000005, {}});
    CHECK(id_of("7fffffff") == intercept_id{0x7FFFFFFF, {}});
    for (const char* text :
         {"00000005", "80000005", "c0000005", "4000000000000001", "8000000000000001", "0x",
          "4000000", "400000050", "40 00005", "0x-4000005", "4000000g", "0x0x400000"}) {
        CAPTURE(text);
        CHECK(bad_add(with({{"X-MD-Intercept-Id", text}, user})).code == errc::invalid_value);
    }
}

} // namespace flowtap::dtcp
