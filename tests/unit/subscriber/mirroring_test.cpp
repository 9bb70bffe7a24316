// SPDX-License-Identifier: Apache-2.0
#include <flowtap/subscriber/mirroring.hpp>

#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "subscriber_rig.hpp"

using namespace flowtap;
using namespace flowtap::subscriber;
using namespace flowtap::subscriber::test;
using tap::session_trait;

namespace {

using lines = std::vector<std::string>;
using numbers = std::vector<std::uint32_t>;

pool_member member(std::string name, std::uint32_t egress, std::string address = "") {
    pool_member made;
    made.name = std::move(name);
    made.egress = path::egress_id{egress};
    if (!address.empty())
        made.addresses.push_back(parse_ip_address(address).value());
    return made;
}

} // namespace

TEST_CASE("a criterion mirrors the sessions there are and those that come") {
    rig at;
    CHECK(at.put(session("1", "bob", "10.0.0.1")));
    CHECK(at.put(session("2", "carol", "10.0.0.2")));
    CHECK_FALSE(at.add(add_of(7, session_trait::user_name, "bob")));
    CHECK(at.put(session("3", "bob", "10.0.0.3")));
    CHECK(at.port.session_numbers() == numbers{1, 3});
    at.end("1");
    CHECK(at.port.session_numbers() == numbers{3});
    at.remove(7);
    CHECK(at.port.mirrors.empty());
    CHECK(at.events.take() == lines{"activated 1 lea7", "logged in 3 lea7", "activated 3 lea7",
                                    "logged out 1 lea7", "deactivated 3 lea7"});
}

TEST_CASE("a mirror is of the session's addresses, with its numbers in the mirror header") {
    mirroring_settings with = usual_settings();
    with.dscp = 34;
    rig at(with);
    session_record one = session("jnpr ge-1/0/0.1:77", "bob", "10.0.0.1");
    one.addresses.push_back(parse_ip_prefix("2001:db8::/56").value());
    one.interface = "ge-0/0/0.1";
    CHECK(at.put(one));
    tap::subscriber_request asked = add_of(7, session_trait::user_name, "bob");
    CHECK_FALSE(at.add(asked));
    const tap::mirror& made = at.port.only();
    CHECK(made.addresses == one.addresses);
    CHECK(made.interface == "ge-0/0/0.1");
    CHECK(made.asked_for.value() == 7);
    REQUIRE(made.copies.size() == 1);
    const packet::encapsulation& around = made.copies[0];
    CHECK(around.kind == packet::encapsulation_kind::udp_mirror);
    CHECK(to_string(around.source) == "198.51.100.9:6502");
    CHECK(to_string(around.destination) == "192.0.2.5:6502");
    CHECK(around.ttl == 255);
    CHECK(around.dscp == 34);
    CHECK(around.mirror == packet::mirror_header{7, 77});

    at.remove(7);
    asked.id.session_id = 4711;
    CHECK_FALSE(at.add(asked));
    CHECK(at.port.only().copies[0].mirror == packet::mirror_header{7, 4711});
}

TEST_CASE("at a login RADIUS comes first, within a session whoever was first") {
    rig at;
    CHECK_FALSE(at.add(add_of(7, session_trait::user_name, "bob")));
    CHECK(at.all.authorize_login({"192.0.2.1", "1"}, li_action::on, by_radius(), at.now));
    CHECK(at.put(session("1", "bob", "10.0.0.1")));
    CHECK(at.port.only().asked_for == tap::trigger_number{});
    CHECK(at.put(session("2", "bob", "10.0.0.2")));
    CHECK_FALSE(at.authorize("2"));
    CHECK(at.port.mirrors.size() == 2);
    CHECK(at.events.take() == lines{"logged in 1 radius", "activated 1 radius", "logged in 2 lea7",
                                    "activated 2 lea7",
                                    "not activated 2 radius: another intercept was first and "
                                    "mirrors the session"});
    // The next one takes over when the first is removed.
    CHECK_FALSE(at.authorize("1", li_action::off));
    CHECK(at.events.take() == lines{"deactivated 1 radius", "activated 1 lea7"});
    at.remove(7);
    CHECK(at.port.session_numbers() == numbers{2});
    CHECK(at.events.take() ==
          lines{"deactivated 1 lea7", "deactivated 2 lea7", "activated 2 radius"});
}

TEST_CASE("no-op is answered as on, in every case, and mirrors nothing") {
    for (const auto action : {li_action::on, li_action::no_op}) {
        CAPTURE(static_cast<int>(action));
        mirroring_settings with = usual_settings();
        with.mirrored = 1;
        rig at(with);
        CHECK(at.put(session("1", "bob", "10.0.0.1")));
        CHECK(at.put(session("one", "eve", "10.0.0.3")));
        CHECK(at.authorize("one", action) == subscriber::errc::no_session_number);
        radius_request to_inet6 = by_radius();
        to_inet6.destination.address = parse_ip_address("2001:db8::1").value();
        CHECK(at.authorize("1", action, to_inet6) == tap::errc::no_source_address);
        CHECK(at.authorize("4", action) == subscriber::errc::unknown_session);
        CHECK_FALSE(at.authorize("1", action));
        CHECK(at.port.mirrors.size() == (action == li_action::on ? 1 : 0));
        CHECK(at.events.take().size() == (action == li_action::on ? 1 : 0));
        CHECK_FALSE(at.authorize("1", li_action::off));
        CHECK(at.put(session("2", "bob", "10.0.0.2")));
        CHECK_FALSE(at.authorize("2"));
        CHECK(at.authorize("1", action) == tap::errc::too_many_subscribers);
        const auto announced =
            at.all.authorize_login({"192.0.2.1", "9"}, action, by_radius(), at.now);
        CHECK(announced.has_value());
        at.end("2");
        at.port.mirrors.clear();
        CHECK(at.put(session("9", "dan", "10.0.0.9")));
        CHECK(at.port.mirrors.size() == (action == li_action::on ? 1 : 0));
    }
}

TEST_CASE("a login that RADIUS announced is waited for so long and no longer") {
    for (const auto waited : {mirroring::announced_for - std::chrono::nanoseconds(1),
                              std::chrono::nanoseconds(mirroring::announced_for)}) {
        rig at;
        CHECK(at.all.authorize_login({"192.0.2.1", "1"}, li_action::on, by_radius(), at.now));
        at.pass(waited);
        CHECK(at.put(session("1", "bob", "10.0.0.1")));
        CHECK(at.port.mirrors.size() == (waited < mirroring::announced_for ? 1 : 0));
    }
    rig at;
    CHECK(at.all.authorize_login({"192.0.2.1", "1"}, li_action::on, by_radius(), at.now));
    CHECK(at.all.authorize_login({"192.0.2.1", "1"}, li_action::off, {}, at.now));
    CHECK(at.put(session("1", "bob", "10.0.0.1")));
    CHECK(at.port.mirrors.empty());
}

TEST_CASE("announced logins are limited") {
    mirroring_settings with = usual_settings();
    with.triggers = 2;
    rig at(with);
    const auto announce = [&](const char* id) {
        return at.all.authorize_login({"192.0.2.1", id}, li_action::on, by_radius(), at.now)
            .has_value();
    };
    CHECK(announce("1"));
    CHECK(announce("2"));
    CHECK(announce("2"));
    CHECK_FALSE(announce("3"));
    at.pass(mirroring::announced_for);
    CHECK(announce("3"));
}

TEST_CASE("no more sessions are mirrored than may be, and those that wait follow") {
    mirroring_settings with = usual_settings();
    with.mirrored = 2;
    rig at(with);
    for (const char* id : {"1", "2", "3"})
        CHECK(at.put(session(id, "bob", std::string("10.0.0.") + id)));
    CHECK(at.add(add_of(7, session_trait::user_name, "bob")) == tap::errc::too_many_subscribers);
    CHECK(at.port.mirrors.empty());
    CHECK_FALSE(at.add(add_of(8, session_trait::address, "10.0.0.1")));
    CHECK_FALSE(at.add(add_of(9, session_trait::user_name, "eve")));
    CHECK(at.put(session("4", "eve", "10.0.0.4")));
    CHECK(at.authorize("3") == tap::errc::too_many_subscribers);
    at.events.take();
    CHECK(at.put(session("5", "eve", "10.0.0.5")));
    CHECK(at.put(session("5", "eve", "10.0.0.6")));
    CHECK(at.events.take() ==
          lines{"logged in 5 lea9",
                "failed 5 lea9: as many subscriber sessions are mirrored as may be"});
    CHECK(at.all.state().waiting == 1);
    at.end("1");
    CHECK(at.port.session_numbers() == numbers{4, 5});
    CHECK(at.all.state().waiting == 0);
}

TEST_CASE("a session whose attributes change is mirrored as what it is now") {
    rig at;
    CHECK_FALSE(at.add(add_of(7, session_trait::address, "10.0.0.1")));
    CHECK(at.put(session("1", "bob")));
    CHECK(at.port.mirrors.empty());
    CHECK(at.put(session("1", "bob", "10.0.0.1")));
    CHECK(at.port.session_numbers() == numbers{1});
    session_record more = session("1", "bob", "10.0.0.1");
    more.addresses.push_back(parse_ip_prefix("2001:db8::/64").value());
    CHECK(at.put(more));
    CHECK(at.port.changes == 1);
    CHECK(at.port.only().addresses.size() == 2);
    CHECK(at.put(more));
    CHECK(at.port.changes == 1);
    CHECK(at.put(session("1", "bob", "10.0.0.2")));
    CHECK(at.port.mirrors.empty());
    CHECK(at.all.state().mirrored == 0);
}

TEST_CASE("a session is only meant in its routing instance and logical system") {
    mirroring_settings with = usual_settings();
    with.routing_instance = "cust-a";
    rig at(with);
    session_record in_a = session("1", "bob", "10.0.0.1");
    in_a.routing_instance = "cust-a";
    session_record in_ls = session("3", "bob", "10.0.0.3");
    in_ls.logical_system = "ls1";
    CHECK(at.put(in_a));
    CHECK(at.put(session("2", "bob", "10.0.0.2")));
    CHECK(at.put(in_ls));
    CHECK_FALSE(at.add(add_of(7, session_trait::user_name, "bob")));
    CHECK(at.port.session_numbers() == numbers{1});
    tap::subscriber_request in_default = add_of(8, session_trait::user_name, "bob");
    in_default.subscribers.routing_instance = "default";
    CHECK_FALSE(at.add(in_default));
    CHECK(at.port.session_numbers() == numbers{1, 2});
    in_default.number = tap::trigger_number{9};
    in_default.subscribers.logical_system = "ls1";
    CHECK_FALSE(at.add(in_default));
    CHECK(at.port.session_numbers() == numbers{1, 2, 3});
}

TEST_CASE("a trigger of each kind finds sessions before and after") {
    session_record one = session("17", "bob", "10.0.0.1");
    one.addresses.push_back(parse_ip_prefix("2001:db8:1::/48").value());
    one.interface = "ge-0/0/0.5";
    one.nas_port_id = "port 5";
    one.circuit_id = "circuit 5";
    one.remote_id = "remote 5";
    one.calling_station = "station 5";
    const std::pair<session_trait, const char*> triggers[] = {
        {session_trait::user_name, "bob"},
        {session_trait::accounting_session, "17"},
        {session_trait::address, "10.0.0.1"},
        {session_trait::address, "2001:db8:1:2::3"},
        {session_trait::interface, "ge-0/0/0.5"},
        {session_trait::nas_port_id, "port 5"},
        {session_trait::circuit_id, "circuit 5"},
        {session_trait::remote_id, "remote 5"},
        {session_trait::calling_station, "station 5"},
    };
    for (const auto& [by, value] : triggers) {
        CAPTURE(value);
        rig before;
        CHECK_FALSE(before.add(add_of(7, by, value)));
        CHECK(before.put(session("18", "carol", "10.0.0.2")));
        CHECK(before.put(one));
        CHECK(before.port.session_numbers() == numbers{17});
        before.remove(7);
        CHECK(before.port.mirrors.empty());
        rig after;
        CHECK(after.put(one));
        CHECK(after.put(session("18", "carol", "10.0.0.2")));
        CHECK_FALSE(after.add(add_of(7, by, value)));
        CHECK(after.port.session_numbers() == numbers{17});
        after.end("17");
        CHECK(after.put(session("17", "dan", "10.0.0.7")));
        CHECK(after.port.session_numbers() ==
              (by == session_trait::accounting_session ? numbers{17} : numbers{}));
    }
}

TEST_CASE("copies leave through the members of the pool") {
    mirroring_settings with;
    with.pool = {member("a", 1, "198.51.100.1"), member("b", 2, "198.51.100.2")};
    with.pool[1].source_port = 4000;
    rig at(with);
    CHECK_FALSE(at.add(add_of(7, session_trait::user_name, "bob")));
    for (const char* id : {"1", "2", "3", "4"})
        CHECK(at.put(session(id, "bob", std::string("10.0.0.") + id)));
    CHECK(at.all.state().members == std::vector<std::size_t>{2, 2});
    const auto through = [&](std::uint32_t egress) {
        std::vector<std::string> sources;
        for (const auto& [number, one] : at.port.mirrors)
            if (one.egress.value() == egress)
                sources.push_back(to_string(one.copies[0].source));
        return sources;
    };
    CHECK(through(1) == lines{"198.51.100.1:6502", "198.51.100.1:6502"});
    CHECK(through(2) == lines{"198.51.100.2:4000", "198.51.100.2:4000"});
    at.events.take();
    at.all.set_member("a", false, at.now);
    CHECK(through(2).size() == 4);
    CHECK(at.port.changes == 2);
    CHECK(at.events.take().empty());
    at.all.set_member("b", false, at.now);
    CHECK(at.port.mirrors.empty());
    CHECK(at.events.take().size() == 4);
    CHECK(at.all.state().waiting == 4);
    at.all.set_member("a", true, at.now);
    CHECK(through(1).size() == 4);

    with.pool = {member("c", 3, "198.51.100.3")};
    at.all.apply(with, at.now);
    CHECK(through(3).size() == 4);
    with.source_address = ip_address::v4(0xC6336409);
    at.all.apply(with, at.now);
    CHECK(through(3) == lines(4, "198.51.100.9:6502"));
}

TEST_CASE("the source address of a request comes before the configuration's and a member's") {
    mirroring_settings with = usual_settings();
    with.pool = {member("a", 1, "198.51.100.1")};
    rig at(with);
    CHECK(at.put(session("1", "bob", "10.0.0.1")));
    tap::subscriber_request asked = add_of(7, session_trait::user_name, "bob");
    asked.copies[0].source_address = ip_address::v4(0xC6336477);
    asked.copies[0].source_port = 9;
    asked.copies[0].ttl = 3;
    CHECK_FALSE(at.add(asked));
    CHECK(to_string(at.port.only().copies[0].source) == "198.51.100.119:9");
    CHECK(at.port.only().copies[0].ttl == 3);
    asked.number = tap::trigger_number{8};
    asked.copies[0].destination.address = parse_ip_address("2001:db8::5").value();
    CHECK(at.add(asked) == flowtap::errc::mixed_families);
    asked.copies[0].source_address.reset();
    CHECK(at.add(asked) == tap::errc::no_source_address);
}

TEST_CASE("a drop policy is that of the criterion, switched for all its sessions") {
    mirroring_settings with = usual_settings();
    int policy = 0;
    // Nothing looks into it here.
    const std::shared_ptr<const path::drop_policy> p1(
        std::shared_ptr<void>(), reinterpret_cast<const path::drop_policy*>(&policy));
    with.drop_policies["p1"] = p1;
    rig at(with);
    CHECK(at.put(session("1", "bob", "10.0.0.1")));
    tap::subscriber_request asked = add_of(7, session_trait::user_name, "bob");
    asked.drop_policy = "p2";
    CHECK(at.add(asked) == tap::errc::unknown_drop_policy);
    asked.drop_policy = "p1";
    CHECK_FALSE(at.add(asked));
    CHECK(at.port.only().drops == p1);
    at.all.drop(tap::trigger_number{7}, std::nullopt, at.now);
    CHECK(at.port.only().drops == nullptr);
    at.all.drop(tap::trigger_number{7}, "p1", at.now);
    CHECK(at.port.only().drops == p1);
    CHECK(at.all.knows_drop_policy("p1"));
    CHECK_FALSE(at.all.knows_drop_policy("p2"));
    with.drop_policies.clear();
    at.all.apply(with, at.now);
    CHECK(at.port.only().drops == nullptr);
}

TEST_CASE("what the access point refuses is told once, and tried again with each change") {
    rig at;
    CHECK_FALSE(at.add(add_of(7, session_trait::user_name, "bob")));
    at.port.broken = tap::errc::vrf_not_configured;
    CHECK(at.put(session("1", "bob", "10.0.0.1")));
    CHECK(at.put(session("1", "bob", "10.0.0.2")));
    CHECK(at.events.take() ==
          lines{"logged in 1 lea7", "failed 1 lea7: the routing instance is not configured"});
    at.port.broken = {};
    CHECK(at.put(session("1", "bob", "10.0.0.3")));
    CHECK(at.events.take() == lines{"activated 1 lea7"});
    at.port.broken = tap::errc::out_of_resources;
    CHECK(at.put(session("1", "bob", "10.0.0.4")));
    CHECK(at.port.mirrors.empty());
    CHECK(at.events.take().size() == 1);
    at.end("1");
    CHECK(at.all.state().mirrored == 0);
}

TEST_CASE("a session that there is no room for is told of when it was to be mirrored") {
    mirroring_settings with = usual_settings();
    with.sessions = 1;
    rig at(with);
    CHECK_FALSE(at.add(add_of(7, session_trait::user_name, "bob")));
    CHECK(at.all.authorize_login({"192.0.2.1", "3"}, li_action::on, by_radius(), at.now));
    CHECK(at.put(session("1", "carol", "10.0.0.1")));
    CHECK_FALSE(at.put(session("2", "bob", "10.0.0.2")));
    CHECK_FALSE(at.put(session("3", "dan", "10.0.0.3")));
    CHECK_FALSE(at.put(session("4", "dan", "10.0.0.4")));
    CHECK(at.events.take() ==
          lines{"login failed 2 lea7: there are as many subscriber sessions as there may be",
                "login failed 3 radius: there are as many subscriber sessions as there may be"});
    CHECK(at.all.state().refused_sessions == 3);
}

TEST_CASE("an element that starts again ends all its sessions, and no others") {
    rig at;
    CHECK_FALSE(at.add(add_of(7, session_trait::user_name, "bob")));
    session_record other = session("9", "bob", "10.0.0.9");
    other.identity.element = "192.0.2.2";
    CHECK(at.put(session("1", "bob", "10.0.0.1")));
    CHECK(at.put(session("2", "bob", "10.0.0.2")));
    CHECK(at.put(other));
    CHECK(at.all.end_sessions("192.0.2.1", at.now) == 2);
    CHECK(at.port.session_numbers() == numbers{9});
    CHECK(at.all.end_sessions("192.0.2.1", at.now) == 0);
    CHECK(at.all.state().logouts == 2);
    CHECK(at.put(session("3", "bob", "10.0.0.3")));
    CHECK(at.all.end_all_sessions(at.now) == 2);
    CHECK(at.port.mirrors.empty());
    CHECK(at.all.sessions().size() == 0);
}

TEST_CASE("another request of RADIUS for a session takes the place of the first") {
    rig at;
    CHECK(at.put(session("1", "bob", "10.0.0.1")));
    CHECK_FALSE(at.authorize("1", li_action::on, by_radius(5)));
    CHECK_FALSE(at.authorize("1", li_action::on, by_radius(6)));
    CHECK(at.port.only().copies[0].mirror.intercept_id == 6);
    CHECK(at.port.last == 1);
    CHECK_FALSE(at.authorize("1", li_action::off));
    CHECK(at.port.mirrors.empty());
    CHECK_FALSE(at.authorize("1", li_action::off));
}
