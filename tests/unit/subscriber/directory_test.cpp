// SPDX-License-Identifier: Apache-2.0
#include <flowtap/subscriber/directory.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "subscriber_rig.hpp"

using namespace flowtap;
using namespace flowtap::subscriber;
using subscriber::test::session;
using tap::session_trait;

namespace {

session_record full_session() {
    session_record one = session("17", "bob", "10.1.2.3");
    one.addresses.push_back(parse_ip_prefix("2001:db8:1::/48").value());
    one.addresses.push_back(parse_ip_prefix("2001:db8:2::5/128").value());
    one.interface = "ge-0/0/0.100";
    one.nas_port_id = "ge-0/0/0.100:100";
    one.circuit_id = "circuit 9";
    one.remote_id = "remote 9";
    one.calling_station = "00-11-22-33-44-55";
    return one;
}

} // namespace

TEST_CASE("a session is found by each of its attributes, and by nothing else") {
    directory all;
    const session_ref one = all.put(full_session()).value();
    const session_ref other = all.put(session("18", "carol", "10.1.2.4")).value();
    struct row {
        session_trait by;
        const char* value;
        bool found;
    };
    const row rows[] = {
        {session_trait::user_name, "bob", true},
        {session_trait::user_name, "Bob", false},
        {session_trait::user_name, "bo", false},
        {session_trait::user_name, "", false},
        {session_trait::accounting_session, "17", true},
        {session_trait::accounting_session, "017", false},
        {session_trait::address, "10.1.2.3", true},
        {session_trait::address, "10.1.2.2", false},
        {session_trait::address, "2001:db8:1::", true},
        {session_trait::address, "2001:db8:1:ffff:ffff:ffff:ffff:ffff", true},
        {session_trait::address, "2001:db8:2::", false},
        {session_trait::address, "2001:db8:2::5", true},
        {session_trait::address, "10.1.2.3/32", false},
        {session_trait::address, "bob", false},
        {session_trait::interface, "ge-0/0/0.100", true},
        {session_trait::interface, "ge-0/0/0", false},
        {session_trait::nas_port_id, "ge-0/0/0.100:100", true},
        {session_trait::circuit_id, "circuit 9", true},
        {session_trait::circuit_id, "remote 9", false},
        {session_trait::remote_id, "remote 9", true},
        {session_trait::calling_station, "00-11-22-33-44-55", true},
    };
    for (const row& each : rows) {
        CAPTURE(each.value);
        const auto found = all.find(each.by, each.value);
        CHECK((std::find(found.begin(), found.end(), one) != found.end()) == each.found);
        CHECK(std::find(found.begin(), found.end(), other) == found.end());
        CHECK(has_trait(all.at(one), each.by, each.value) == each.found);
    }
    CHECK(all.find({"192.0.2.1", "17"}) == one);
    CHECK_FALSE(all.find({"192.0.2.2", "17"}));
}

TEST_CASE("sessions that share an attribute are all found, whichever of them goes") {
    for (std::uint32_t gone = 0; gone < 3; ++gone) {
        CAPTURE(gone);
        directory all;
        std::vector<session_ref> refs;
        for (const char* id : {"1", "2", "3"})
            refs.push_back(all.put(session(id, "bob", "10.0.0.1")).value());
        all.erase(refs[gone]);
        CHECK(all.find(session_trait::user_name, "bob").size() == 2);
        CHECK(all.find(session_trait::address, "10.0.0.1").size() == 2);
        CHECK(all.find_element("192.0.2.1").size() == 2);
        CHECK(all.size() == 2);
    }
}

TEST_CASE("new attributes of a session take the place of the old ones") {
    directory all;
    const session_ref one = all.put(full_session()).value();
    CHECK(all.put(session("17", "carol", "10.9.9.9")).value() == one);
    CHECK(all.size() == 1);
    CHECK(all.find(session_trait::user_name, "bob").empty());
    CHECK(all.find(session_trait::circuit_id, "circuit 9").empty());
    CHECK(all.find(session_trait::address, "2001:db8:1::").empty());
    CHECK(all.find(session_trait::address, "10.9.9.9").size() == 1);
}

TEST_CASE("sessions beyond the limit, without an identity, or too long are refused") {
    directory all(2);
    CHECK(all.put(session("1")));
    CHECK(all.put(session("2")));
    CHECK(all.put(session("3")).error().code == subscriber::errc::too_many_sessions);
    CHECK(all.put(session("2", "carol")));
    all.limit(3);
    CHECK(all.put(session("")).error().code == subscriber::errc::invalid_session);
    CHECK(all.put(session(std::string(longest_text + 1, '1'))).error().code ==
          subscriber::errc::invalid_session);
    session_record wide = session("3");
    wide.addresses.resize(most_addresses + 1);
    CHECK(all.put(wide).error().code == subscriber::errc::invalid_session);
    wide.addresses.resize(most_addresses);
    CHECK(all.put(wide));
    CHECK(all.size() == 3);
}

TEST_CASE("one Acct-Session-Id at two elements is two sessions") {
    directory all;
    session_record other = session("1");
    other.identity.element = "192.0.2.2";
    CHECK(all.put(session("1")));
    CHECK(all.put(other));
    CHECK(all.size() == 2);
    CHECK(all.find(session_trait::accounting_session, "1").size() == 2);
    CHECK(all.find_element("192.0.2.2").size() == 1);
}

TEST_CASE("a session with two prefixes around an address is found once") {
    directory all;
    session_record one = session("1", "", "10.0.0.0/8");
    one.addresses.push_back(parse_ip_prefix("10.1.0.0/16").value());
    CHECK(all.put(one));
    CHECK(all.find(session_trait::address, "10.1.1.1").size() == 1);
}
