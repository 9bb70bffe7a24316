// SPDX-License-Identifier: Apache-2.0
// Timeouts: what ends a criterion, when, and what is left of it.
#include <doctest/doctest.h>

#include "timed_rig.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

using ids = std::vector<std::uint32_t>;

std::string refresh(std::string_view which, std::string_view timeouts) {
    return "REFRESH DTCP/0.7\nCriteria-ID: " + std::string(which) + "\n" + std::string(timeouts);
}

std::string list(std::string_view which) {
    return "LIST DTCP/0.7\nCriteria-ID: " + std::string(which) + "\n";
}

} // namespace

TEST_CASE("Timeout-Total ends a criterion at its time exactly, whatever the traffic") {
    timed_rig at;
    const steady_time begin = at.now.steady;
    REQUIRE(at.add_to(1, "Timeout-Total: 10\n") == 200);
    for (int i = 0; i < 9; ++i) {
        at.wait(1s);
        CHECK(at.on.pass(udp_packet(1)) == 1);
    }
    at.wait(1s - 1ns);
    CHECK(at.on.pass(udp_packet(1)) == 1);
    CHECK(at.point.state().criteria == 1);
    REQUIRE(at.point.deadline() == begin + 10s);
    at.wait(1ns);
    CHECK(at.point.state().criteria == 0);
    CHECK(at.point.state().expired == 1);
    CHECK(at.on.pass(udp_packet(1)) == 0);
    CHECK_FALSE(at.point.deadline());

    const tap::audit_record& record = at.audit.records.back();
    CHECK(record.event == tap::audit_event::expiry);
    CHECK(record.principal == "lea1");
    CHECK(record.criterion == 1);
    CHECK(record.detail == "Timeout-Total");
    CHECK(status_of_answer(at.ask_lea1(list("1"))) == 431);
}

TEST_CASE("Timeout-Idle counts from the last packet, or from the ADD where there was none") {
    timed_rig at;
    at.add_to(1, "Timeout-Idle: 10\n");
    at.add_to(2, "Timeout-Idle: 10\n");
    at.wait(9500ms);
    CHECK(at.on.pass(udp_packet(1)) == 1);
    at.wait(500ms);
    CHECK(at.expired() == ids{2});
    at.wait(2s);
    CHECK(at.on.pass(udp_packet(1)) == 1);
    CHECK(value_of(at.ask_lea1(list("1")), "REMAINING-IDLE") == "10");
    at.wait(10s - 1ns);
    CHECK(value_of(at.ask_lea1(list("1")), "REMAINING-IDLE") == "1");
    at.wait(1ns);
    CHECK(at.expired() == ids{2, 1});
    CHECK(at.audit.records.back().detail == "Timeout-Idle");
}

TEST_CASE("never more than Timeout-Idle is left, though a worker's batch began after `now`") {
    timed_rig at;
    at.add_to(1, "Timeout-Idle: 10\n");
    at.pass(5ms);
    at.on.pass(udp_packet(1));
    at.pass(-5ms);
    CHECK(value_of(at.ask_lea1(list("1")), "REMAINING-IDLE") == "10");
}

TEST_CASE("Timeout-Packets lets exactly that many packets be copied") {
    timed_rig at;
    at.add_to(1, "Timeout-Packets: 3\nTimeout-Idle: 600\n");
    for (int i = 0; i < 2; ++i)
        CHECK(at.on.pass(udp_packet(1)) == 1);
    at.turn();
    const std::string listed = at.ask_lea1(list("1"));
    CHECK(value_of(listed, "TIMEOUT-PACKETS") == "3");
    CHECK(value_of(listed, "REMAINING-PACKETS") == "1");
    CHECK(at.on.pass(udp_packet(1)) == 1);
    CHECK(at.on.pass(udp_packet(1)) == 0);
    at.turn();
    CHECK(at.expired() == ids{1});
    CHECK(at.audit.records.back().detail == "Timeout-Packets");
    CHECK(at.point.state().criteria == 0);
}

TEST_CASE("Timeout-Bytes ends with the packet that does not fit any more") {
    timed_rig at;
    at.add_to(1, "Timeout-Bytes: 250\n");
    CHECK(at.on.pass(udp_packet(1, 100)) == 1);
    CHECK(value_of(at.ask_lea1(list("1")), "REMAINING-BYTES") == "150");
    CHECK(at.on.pass(udp_packet(1, 100)) == 1);
    CHECK(at.on.pass(udp_packet(1, 100)) == 0);
    at.turn();
    CHECK(at.expired() == ids{1});
    CHECK(at.audit.records.back().detail == "Timeout-Bytes");
}

TEST_CASE("the first of several timeouts ends a criterion") {
    timed_rig at;
    at.add_to(1, "Timeout-Idle: 5\nTimeout-Total: 20\nTimeout-Packets: 3\n");
    at.add_to(2, "Timeout-Idle: 30\nTimeout-Total: 20\nTimeout-Packets: 3\n");
    at.add_to(3, "Timeout-Idle: 30\nTimeout-Total: 40\nTimeout-Packets: 1\n");
    at.on.pass(udp_packet(3));
    at.wait(19s);
    CHECK(at.expired() == ids{3, 1});
    at.wait(1s);
    CHECK(at.expired() == ids{3, 1, 2});
}

TEST_CASE("criteria end in the order of their ends, also when the turn comes late") {
    timed_rig at;
    at.add_to(1, "Timeout-Idle: 10\n");
    at.add_to(2, "Timeout-Total: 12\n");
    at.pass(5s);
    at.on.pass(udp_packet(1));
    at.pass(15s);
    at.turn();
    CHECK(at.expired() == ids{2, 1});
}

TEST_CASE("static criteria never end, whatever timeouts they were given") {
    timed_rig at;
    at.add_to(1, "Flags: STATIC\nTimeout-Idle: 1\nTimeout-Total: 1\nTimeout-Packets: 1\n"
                 "Timeout-Bytes: 1\n");
    for (int i = 0; i < 5; ++i)
        CHECK(at.on.pass(udp_packet(1)) == 1);
    at.pass(100'000s);
    at.turn();
    CHECK(at.on.pass(udp_packet(1)) == 1);
    CHECK(at.point.state().criteria == 1);
    CHECK(at.point.state().expired == 0);
}

TEST_CASE("REFRESH sets each timeout anew") {
    timed_rig at;
    at.add_to(1, "Timeout-Total: 10\n");
    at.add_to(2, "Timeout-Idle: 10\n");
    at.add_to(3, "Timeout-Packets: 2\n");
    at.add_to(4, "Timeout-Bytes: 200\n");
    at.wait(8s);
    at.on.pass(udp_packet(3));
    at.on.pass(udp_packet(4));
    CHECK(value_of(at.ask_lea1(refresh("1", "Timeout-Total: 5\n")), "CRITERIA-COUNT") == "1");
    CHECK(value_of(at.ask_lea1(refresh("2", "Timeout-Idle: 5\n")), "CRITERIA-COUNT") == "1");
    CHECK(value_of(at.ask_lea1(refresh("3", "Timeout-Packets: 3\n")), "CRITERIA-COUNT") == "1");
    CHECK(value_of(at.ask_lea1(refresh("4", "Timeout-Bytes: 300\n")), "CRITERIA-COUNT") == "1");
    CHECK(value_of(at.ask_lea1(list("3")), "REMAINING-PACKETS") == "3");
    CHECK(value_of(at.ask_lea1(list("4")), "REMAINING-BYTES") == "300");
    at.wait(5s - 1ns);
    CHECK(at.expired().empty());
    at.wait(1ns);
    CHECK(at.expired() == ids{1, 2});
    for (int i = 0; i < 3; ++i) {
        CHECK(at.on.pass(udp_packet(3)) == 1);
        CHECK(at.on.pass(udp_packet(4)) == 1);
    }
    CHECK(at.on.pass(udp_packet(3)) == 0);
    CHECK(at.on.pass(udp_packet(4)) == 0);
    at.turn();
    CHECK(at.expired() == ids{1, 2, 3, 4});
}

TEST_CASE("REFRESH can give a criterion a timeout that it did not have, sooner or later") {
    timed_rig at;
    at.add_to(1, "Timeout-Total: 100\n");
    at.ask_lea1(refresh("1", "Timeout-Idle: 7\n"));
    at.add_to(2, "Timeout-Total: 10\n");
    at.ask_lea1(refresh("2", "Timeout-Total: 50\n"));
    at.add_to(3, "Timeout-Total: 100\n");
    at.ask_lea1(refresh("3", "Timeout-Packets: 1\n"));
    at.wait(7s);
    CHECK(at.expired() == ids{1});
    CHECK(at.on.pass(udp_packet(3)) == 1);
    at.turn();
    at.wait(43s);
    CHECK(at.expired() == ids{1, 3, 2});
}

TEST_CASE("a REFRESH after the end finds nothing, even if nobody has told the end yet") {
    timed_rig at;
    at.add_to(1, "Timeout-Packets: 1\n");
    at.add_to(2, "Timeout-Packets: 1\n");
    at.add_to(3, "Timeout-Total: 5\n");
    at.on.pass(udp_packet(1));
    at.on.pass(udp_packet(2));
    at.pass(5s);
    CHECK(status_of_answer(at.ask_lea1(refresh("1", "Timeout-Packets: 9\n"))) == 431);
    CHECK(value_of(at.ask_lea1(refresh("2-*", "Timeout-Packets: 9\n")), "CRITERIA-COUNT") == "0");
    CHECK(at.on.pass(udp_packet(1)) == 0);
    CHECK(at.audit.count(tap::audit_event::expiry) == 3);
    CHECK(at.point.state().criteria == 0);
}

TEST_CASE("what a DELETE removed does not end a second time") {
    timed_rig at;
    at.add_to(1, "Timeout-Total: 5\nTimeout-Packets: 1\n");
    at.add_to(2, "Timeout-Total: 5\n");
    at.on.pass(udp_packet(1));
    at.ask_lea1("DELETE DTCP/0.7\nCriteria-ID: 2\n");
    at.wait(20s);
    CHECK(at.expired() == ids{1});
    // The slots are used again, with timeouts of their own.
    at.add_to(3, "Timeout-Total: 60\n");
    at.add_to(4, "Timeout-Packets: 9\n");
    at.wait(59s);
    CHECK(at.expired() == ids{1});
}

TEST_CASE(
    "criteria that end at once are done a slice at a time, and the next turn is due at once") {
    tap::settings with = usual_settings();
    with.criteria_limit = 3000;
    timed_rig at(with);
    std::vector<tap::session_id> sessions;
    for (int i = 0; i < 12; ++i) {
        sessions.push_back(at.open("lea3"));
        std::string octets;
        for (int k = 0; k < 250; ++k)
            octets += at.request("lea3", add("", "Timeout-Total: 10\n"));
        REQUIRE(at.feed(sessions.back(), octets) == octets.size());
    }
    at.turn();
    for (const tap::session_id session : sessions)
        at.read(session);
    REQUIRE(at.point.state().criteria == 3000);
    const path::generation before = at.path.in_force();
    at.pass(10s);
    at.turn();
    CHECK(at.point.state().criteria == 3000 - 1024);
    CHECK(*at.point.deadline() <= at.now.steady);
    // Compiling anew what is left takes longer than switching off what has ended.
    CHECK(at.path.in_force() == before);
    // To requests the others do not exist any more, either.
    CHECK(status_of_answer(at.ask(sessions[0], "lea3", list("3000"))) == 431);
    at.turn();
    at.turn();
    CHECK(at.path.in_force().value() == before.value() + 1);
    CHECK(at.point.state().criteria == 0);
    CHECK_FALSE(at.point.deadline());
    ids all = at.expired();
    std::sort(all.begin(), all.end());
    CHECK(all.size() == 3000);
    CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
}

TEST_CASE("a 390 tells what was configured and what is left, to those who asked for it") {
    timed_rig at;
    at.add_to(1, "Flags: SendAsync\nTimeout-Idle: 600\nTimeout-Total: 20\nTimeout-Packets: 30\n"
                 "Timeout-Bytes: 4000\n");
    at.add_to(1, "Timeout-Total: 20\n");
    at.wait(5s);
    at.on.pass(udp_packet(1));
    at.wait(14s);
    CHECK(at.told().empty());
    at.wait(1s);
    const std::vector<std::string> told = at.told();
    REQUIRE(told.size() == 1);
    CHECK(told[0] == "DTCP/0.7 390 Criterion Timeout Delete\n"
                     "CRITERIA-ID: 1\n"
                     "TIMEOUT-IDLE: 600\nTIMEOUT-TOTAL: 20\n"
                     "TIMEOUT-PACKETS: 30\nTIMEOUT-BYTES: 4000\n"
                     "REMAINING-IDLE: 585\nREMAINING-TOTAL: 0\n"
                     "REMAINING-PACKETS: 29\nREMAINING-BYTES: 3900\n"
                     "TIMESTAMP: 2011-02-13 15:57:09.609\n");
    CHECK(at.expired() == ids{1, 2});
    at.wait(60s);
    CHECK(at.told().empty());
}

TEST_CASE("many 390s go out a slice at a time, in order, and wait while there is no room") {
    tap::settings with = usual_settings();
    with.criteria_limit = 600;
    timed_rig at(with);
    for (int i = 0; i < 600; ++i)
        REQUIRE(at.add_to(1, "Flags: SendAsync\nTimeout-Total: 10\n") == 200);
    at.effects.clear();
    at.pass(10s);
    at.turn();
    std::vector<std::string> all = at.told();
    CHECK(all.size() == 256);
    CHECK(at.point.deadline() <= at.now.steady);

    at.point.hold_datagrams(true);
    at.turn();
    CHECK(at.told().empty());
    CHECK_FALSE(at.point.deadline());
    at.point.hold_datagrams(false);
    at.turn();
    CHECK(at.point.deadline() <= at.now.steady);
    at.turn();
    CHECK_FALSE(at.point.deadline());
    for (std::string& one : at.told())
        all.push_back(std::move(one));
    REQUIRE(all.size() == 600);
    for (std::size_t i = 0; i < all.size(); ++i)
        CHECK(value_of(all[i], "CRITERIA-ID") == std::to_string(i + 1));
}

TEST_CASE("a budget that is used up can be set anew until the copies that it allowed have left") {
    timed_rig at;
    at.add_to(1, "Flags: SendAsync\nTimeout-Packets: 1\n");
    CHECK(at.audit.records.back().detail.ends_with("; Flags: SendAsync"));
    at.on.sink->on_copies = [&] {
        at.on.sink->on_copies = nullptr;
        const std::string answer = at.ask_lea1(refresh("1", "Timeout-Packets: 2\n"));
        CHECK(value_of(answer, "CRITERIA-COUNT") == "1");
        CHECK(at.expired().empty());
    };
    CHECK(at.on.pass(udp_packet(1)) == 1);
    at.turn();
    CHECK(at.expired().empty());
    CHECK(at.on.pass(udp_packet(1)) == 1);
    CHECK(at.on.pass(udp_packet(1)) == 1);
    at.turn();
    CHECK(at.expired() == std::vector<std::uint32_t>{1});
    CHECK(at.on.pass(udp_packet(1)) == 0);
}

TEST_CASE("a 390 of a used up budget shows a zero") {
    timed_rig at;
    at.add_to(1, "Flags: SendAsync\nTimeout-Packets: 2\n");
    at.add_to(2, "Flags: SendAsync\nTimeout-Bytes: 250\nTimeout-Packets: 10\n");
    at.ask_lea1(refresh("2", "Timeout-Packets: 5\n"));
    for (int i = 0; i < 3; ++i) {
        at.on.pass(udp_packet(1, 100));
        at.on.pass(udp_packet(2, 100));
    }
    at.turn();
    const std::vector<std::string> told = at.told();
    REQUIRE(told.size() == 2);
    CHECK(value_of(told[0], "TIMEOUT-PACKETS") == "2");
    CHECK(value_of(told[0], "REMAINING-PACKETS") == "0");
    CHECK(value_of(told[0], "TIMEOUT-BYTES") == "none");
    CHECK(value_of(told[1], "TIMEOUT-PACKETS") == "5");
    CHECK(value_of(told[1], "REMAINING-PACKETS") == "3");
    CHECK(value_of(told[1], "REMAINING-BYTES") == "0");
}

TEST_CASE("a criterion that is deleted has no 390") {
    timed_rig at;
    at.add_to(1, "Flags: SendAsync\nTimeout-Packets: 2\nTimeout-Total: 5\n");
    at.add_to(2, "Flags: SendAsync,STATIC\nTimeout-Total: 5\n");
    at.ask_lea1("DELETE DTCP/0.7\nCriteria-ID: 1\n");
    at.wait(20s);
    CHECK(at.told().empty());
}

TEST_CASE("a 390 goes out when nothing of its criterion leaves any more") {
    timed_rig at;
    at.add_to(1, "Flags: SendAsync\nTimeout-Total: 5\n");
    at.wait(5s - 1ms);
    at.on.sink->on_copies = [&] {
        at.wait(20s);
        CHECK(at.point.state().criteria == 0);
        CHECK(at.told().empty());
        at.on.sink->on_copies = nullptr;
    };
    CHECK(at.on.pass(udp_packet(1)) == 1);
    at.turn();
    CHECK(at.told().size() == 1);
}

TEST_CASE("an end that cannot be recorded takes place all the same") {
    timed_rig at;
    at.add_to(1, "Timeout-Total: 5\n");
    at.audit.broken = true;
    at.wait(5s);
    CHECK(at.point.state().criteria == 0);
    CHECK(at.on.pass(udp_packet(1)) == 0);
}
