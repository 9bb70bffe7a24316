// SPDX-License-Identifier: Apache-2.0
// Changes of the configuration, revocation, restart.
#include <doctest/doctest.h>

#include "rig.hpp"
#include "traffic.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

bool everybody(std::string_view) {
    return true;
}

} // namespace

TEST_CASE("a change leaves alone what it does not concern") {
    tap::settings with = usual_settings();
    rig at(with);
    wire on(at.path);
    const tap::session_id session = at.open("lea1");
    at.ask(session, "lea1", add("Dest-Address: 10.0.0.1\n"));
    with.criteria_limit = 7;
    at.point.apply(with, everybody, at.now);
    at.turn();
    CHECK(on.pass(udp_packet(1)) == 1);
    CHECK(at.taken<tap::close_session>().empty());
    CHECK(status_of_answer(at.ask(session, "lea1", "NOOP DTCP/0.7\n")) == 200);
    // Who wanted it so is the caller's to say.
    CHECK(at.audit.count(tap::audit_event::commit) == 0);
}

TEST_CASE("who may not tap any more loses its criteria and its sessions at once") {
    tap::settings with = usual_settings();
    rig at(with);
    wire on(at.path);
    const tap::session_id gone = at.open("lea1");
    const tap::session_id same = at.open("lea1");
    const tap::session_id stays = at.open("lea3");
    at.ask(gone, "lea1", add("Dest-Address: 10.0.0.1\n"));
    at.ask(gone, "lea1", add("Dest-Address: 10.0.0.1\n"));
    at.ask(stays, "lea3", add("Dest-Address: 10.0.0.1\n"));
    CHECK(on.pass(udp_packet(1)) == 2);
    at.feed(same, at.request("lea1", "NOOP DTCP/0.7\n"));

    at.point.apply(
        with, [](std::string_view source) { return source != "lea1"; }, at.now);
    CHECK(on.pass(udp_packet(1)) == 1);
    at.turn();
    CHECK(on.pass(udp_packet(1)) == 1);
    CHECK(at.point.state().criteria == 1);
    const auto closed = at.taken<tap::close_session>();
    REQUIRE(closed.size() == 2);
    CHECK(closed[0].session == gone);
    CHECK(closed[1].session == same);
    CHECK(at.read(same).empty());
    CHECK(at.exchange(gone, at.request("lea1", "NOOP DTCP/0.7\n")).empty());
    CHECK(status_of_answer(at.ask(stays, "lea3", "NOOP DTCP/0.7\n")) == 200);

    REQUIRE(at.audit.count(tap::audit_event::purge) == 1);
    for (const tap::audit_record& one : at.audit.records)
        if (one.event == tap::audit_event::purge) {
            CHECK(one.principal == "lea1");
            CHECK(one.count == 2);
        }
}

TEST_CASE("a revocation is carried out although the audit log cannot be written") {
    tap::settings with = usual_settings();
    rig at(with);
    const tap::session_id session = at.open("lea1");
    at.ask(session, "lea1", add(""));
    at.audit.broken = true;
    at.point.apply(
        with, [](std::string_view) { return false; }, at.now);
    CHECK(at.point.state().criteria == 0);
    at.turn();
    CHECK(at.taken<tap::close_session>().size() == 1);
}

TEST_CASE("interfaces come and go by name") {
    tap::settings with = usual_settings();
    rig at(with);
    wire on(at.path);
    on.source->port = port_id{1};
    const tap::session_id session = at.open("lea1");
    const std::string on_one = add("X-JTap-Input-Interface: ge-0/0/1\n");
    at.ask(session, "lea1", on_one);
    CHECK(on.pass(udp_packet(1)) == 1);

    with.interfaces.pop_back();
    with.interfaces.push_back({"xe-0/0/9.0", "", port_id{1}, std::nullopt});
    at.point.apply(with, everybody, at.now);
    at.turn();
    CHECK(on.pass(udp_packet(1)) == 0);
    CHECK(status_of_answer(at.ask(session, "lea1", on_one)) == 901);
    CHECK(at.point.state().criteria == 1);

    with.interfaces.pop_back();
    with.interfaces.push_back({"ge-0/0/1.0", "", port_id{1}, std::nullopt});
    at.point.apply(with, everybody, at.now);
    at.turn();
    CHECK(on.pass(udp_packet(1)) == 1);
}

TEST_CASE("a new key counts from the change on") {
    tap::settings with = usual_settings();
    rig at(with);
    const tap::session_id session = at.open("lea1");
    with.default_source.key = "changed";
    at.point.apply(with, everybody, at.now);
    CHECK(at.ask(session, "lea1", "NOOP DTCP/0.7\n").empty());
    CHECK(status_of_answer(at.ask(session, "lea1", "NOOP DTCP/0.7\n", "changed")) == 200);
}

TEST_CASE("a restart leaves no criterion and closes every session") {
    rig at;
    wire on(at.path);
    const tap::session_id one = at.open("lea1");
    const tap::session_id other = at.open("lea3");
    at.ask(one, "lea1", add("Dest-Address: 10.0.0.1\n"));
    at.ask(other, "lea3", add("Dest-Address: 10.0.0.1\n"));
    at.feed(one, at.request("lea1", add("Dest-Address: 10.0.0.1\n")));
    at.point.restart(at.now);
    CHECK(on.pass(udp_packet(1)) == 0);
    at.turn();
    CHECK(on.pass(udp_packet(1)) == 0);
    CHECK(at.point.state().criteria == 0);
    CHECK(at.point.state().content_destinations == 0);
    CHECK(at.taken<tap::close_session>().size() == 2);
    CHECK(at.read(one).empty());
    at.point.close(one, at.now);
    at.point.close(other, at.now);
    CHECK(at.point.state().sessions == 0);
    CHECK(status_of_answer(at.ask(at.open("lea1"), "lea1", "LIST DTCP/0.7\n")) == 200);
}
