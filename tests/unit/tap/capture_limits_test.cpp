// SPDX-License-Identifier: Apache-2.0
// Dynamic flow capture: what a group lets in, and how many copies it lets out.
#include <doctest/doctest.h>

#include "capture_rig.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

using texts = std::vector<std::string>;

std::vector<int> statuses(const texts& told) {
    std::vector<int> all;
    for (const std::string& one : told)
        all.push_back(status_of_answer(one));
    return all;
}

} // namespace

TEST_CASE("above its rate the input of a group is sampled, over all its interfaces together") {
    tap::settings with = capture_settings();
    with.capture_groups["g1"].interfaces = {"ge-0/0/0.0", "ge-0/0/1.0"};
    with.capture_groups["g1"].input_packet_rate = 100;
    capture_rig at(with);
    at.add_to("lea1", 1);
    std::size_t copied = 0;
    for (int i = 0; i < 100; ++i) {
        at.on.source->port = port_id{static_cast<std::uint32_t>(i % 2)};
        copied += at.on.pass(udp_packet(1));
    }
    CHECK(copied == 10);
    CHECK(at.path.counters().sampled_out == 90);
    // Settings with the same rate do not start it anew.
    at.apply(with);
    CHECK(at.on.pass(udp_packet(1)) == 0);
    at.wait(1s);
    CHECK(at.on.pass(udp_packet(1)) == 1);
    with.capture_groups["g1"].input_packet_rate.reset();
    at.apply(with);
    for (int i = 0; i < 100; ++i)
        CHECK(at.on.pass(udp_packet(1)) == 1);
}

TEST_CASE("the limit on copies changes in place") {
    capture_rig at;
    for (int i = 0; i < 2; ++i) {
        at.add_to("lea1", 1, i == 0 ? "Cdest-ID: cd1\n" : "Cdest-ID: cd2\n");
        at.add_to("lea2", 1, i == 0 ? "Cdest-ID: cd1\n" : "Cdest-ID: secret\n");
    }
    at.add_to("lea3", 1);
    CHECK(at.on.pass(udp_packet(1)) == 5);
    tap::settings with = capture_settings();
    with.capture_groups["g1"].max_duplicates = 2;
    at.apply(with);
    CHECK(at.on.pass(udp_packet(1)) == 3);
    at.apply(capture_settings());
    CHECK(at.on.pass(udp_packet(1)) == 5);
    CHECK(at.point.state().criteria == 5);
}

TEST_CASE(
    "of too many copies the highest priority and the oldest get theirs, and 598 tells the rest") {
    tap::settings with = capture_settings();
    with.capture_groups["g1"].max_duplicates = 2;
    with.capture_groups["g1"].duplicates_dropped_period = 5s;
    capture_rig at(with);
    at.add_to("lea1", 1, "Cdest-ID: cd1\nPriority: 2\n");
    at.add_to("lea1", 1, "Cdest-ID: cd2\nPriority: 2\n");
    at.add_to("lea2", 1, "Cdest-ID: cd1\nPriority: 2\n");
    at.add_to("lea2", 1, "Cdest-ID: secret\nPriority: 3\n");
    CHECK(at.on.pass(udp_packet(1)) == 2);
    std::vector<std::uint32_t> to;
    for (const auto& copy : at.on.sink->delivered)
        to.push_back(static_cast<std::uint32_t>(copy.around.destination.address.bits().low) & 255U);
    std::sort(to.begin(), to.end());
    CHECK(to == std::vector<std::uint32_t>{1, 3});

    at.wait(1s);
    texts first = at.told("lea1");
    REQUIRE(statuses(first) == std::vector<int>{598});
    CHECK(value_of(first[0], "CDEST-ID") == "cd2");
    CHECK(value_of(first[0], "CRITERIA-ID") == "2");
    texts second = at.told("lea2");
    REQUIRE(statuses(second) == std::vector<int>{598});
    CHECK(value_of(second[0], "CDEST-ID") == "cd1");
    CHECK(value_of(second[0], "CRITERIA-ID") == "1");

    // While more are dropped, one for each period, with the total. The first loss, at 0 s, was told
    // at 1 s; those at 1 to 5 s are told at 6 s, those at 6 to 9 s at 11 s.
    for (int i = 0; i < 9; ++i) {
        at.on.pass(udp_packet(1));
        at.wait(1s);
    }
    first = at.told("lea1");
    REQUIRE(statuses(first) == std::vector<int>{598});
    CHECK(value_of(first[0], "DROPPED-PACKETS") == "6");
    CHECK(value_of(first[0], "DROPPED-BYTES") == "600");
    at.wait(5s);
    first = at.told("lea1");
    REQUIRE(statuses(first) == std::vector<int>{598});
    CHECK(value_of(first[0], "DROPPED-PACKETS") == "10");
    CHECK(value_of(first[0], "DROPPED-BYTES") == "1000");
    at.wait(60s);
    CHECK(at.told("lea1").empty());

    // Every criterion counted every packet, copied or not.
    CHECK(value_of(at.ask("lea1", "LIST DTCP/0.7\nCriteria-ID: 2\n"), "MATCHING-PACKETS") == "10");
}

TEST_CASE("of two content destinations only the one that lost copies is told of") {
    tap::settings with = capture_settings();
    with.capture_groups["g1"].max_duplicates = 2;
    with.capture_groups["g1"].duplicates_dropped_period = 30s;
    capture_rig at(with);
    at.add_to("lea1", 1, "Cdest-ID: cd1\nPriority: 2\n");
    at.add_to("lea2", 1, "Cdest-ID: cd1,secret\n");
    CHECK(at.on.pass(udp_packet(1)) == 2);
    at.wait(1s);
    CHECK(at.told("lea1").empty());
    texts told = at.told("lea2");
    REQUIRE(statuses(told) == std::vector<int>{598});
    CHECK(value_of(told[0], "CDEST-ID") == "secret");
    CHECK(value_of(told[0], "DROPPED-PACKETS") == "1");

    // The other one has a period of its own.
    with.capture_groups["g1"].max_duplicates = 1;
    at.apply(with);
    CHECK(at.on.pass(udp_packet(1)) == 1);
    at.wait(2s);
    told = at.told("lea2");
    REQUIRE(statuses(told) == std::vector<int>{598});
    CHECK(value_of(told[0], "CDEST-ID") == "cd1");
    CHECK(value_of(told[0], "DROPPED-PACKETS") == "1");
    at.wait(30s);
    told = at.told("lea2");
    REQUIRE(statuses(told) == std::vector<int>{598});
    CHECK(value_of(told[0], "CDEST-ID") == "secret");
    CHECK(value_of(told[0], "DROPPED-PACKETS") == "2");
    CHECK(value_of(told[0], "DROPPED-BYTES") == "200");
}

TEST_CASE("598 tells of copies that are lost on their way, for whatever cause") {
    tap::settings with = capture_settings();
    with.capture_groups["g1"].duplicates_dropped_period = 5s;
    capture_rig at(with);
    at.add_to("lea1", 1, "Cdest-ID: cd1\n");
    at.add_to("lea2", 1, "Cdest-ID: cd1\n");
    at.on.pass(udp_packet(1));
    at.wait(1s);
    CHECK(at.told("lea1").empty());

    at.on.sink->is_full = true;
    CHECK(at.on.pass(udp_packet(1)) == 0);
    at.on.pass(udp_packet(2));
    at.wait(1s);
    for (const char* source : {"lea1", "lea2"}) {
        const texts told = at.told(source);
        REQUIRE(statuses(told) == std::vector<int>{598});
        CHECK(value_of(told[0], "CDEST-ID") == "cd1");
        CHECK(value_of(told[0], "CRITERIA-ID") == "1");
        CHECK(value_of(told[0], "DROPPED-PACKETS") == "1");
        CHECK(value_of(told[0], "DROPPED-BYTES") == "100");
    }

    // Each cause adds to the same totals, which are told once a period.
    at.on.sink->is_full = false;
    for (const auto cause : {path::drop_cause::unreachable, path::drop_cause::too_long,
                             path::drop_cause::send_error, path::drop_cause::looped}) {
        at.on.sink->dropping = cause;
        at.on.pass(udp_packet(1));
        at.wait(1s);
    }
    CHECK(at.told("lea1").empty());
    at.wait(1s);
    texts told = at.told("lea1");
    REQUIRE(statuses(told) == std::vector<int>{598});
    CHECK(value_of(told[0], "DROPPED-PACKETS") == "5");
    CHECK(value_of(told[0], "DROPPED-BYTES") == "500");

    // That the access point stops, or that nobody wants a copy any more, is no loss.
    for (const auto cause : {path::drop_cause::stopped, path::drop_cause::withdrawn}) {
        at.on.sink->dropping = cause;
        at.on.pass(udp_packet(1));
    }
    at.on.sink->dropping.reset();
    CHECK(at.on.pass(udp_packet(1)) == 2);
    at.wait(60s);
    CHECK(at.told("lea1").empty());
}

TEST_CASE("what is lost together with what a limit dropped is one sum") {
    tap::settings with = capture_settings();
    with.capture_groups["g1"].max_duplicates = 1;
    capture_rig at(with);
    at.add_to("lea1", 1, "Cdest-ID: cd1,cd2\n");
    at.on.sink->dropping = path::drop_cause::unreachable;
    at.on.pass(udp_packet(1));
    at.wait(1s);
    const texts told = at.told("lea1");
    // The one copy was lost, and there was no room for the other.
    REQUIRE(statuses(told) == std::vector<int>{598, 598});
    CHECK(value_of(told[0], "CDEST-ID") == "cd1");
    CHECK(value_of(told[1], "CDEST-ID") == "cd2");
    for (const std::string& one : told)
        CHECK(value_of(one, "DROPPED-PACKETS") == "1");
}

TEST_CASE("a criterion in a slot that was used before is told of its own losses only") {
    tap::settings with = capture_settings();
    capture_rig at(with);
    at.add_to("lea1", 1, "Cdest-ID: cd1\n");
    at.on.sink->dropping = path::drop_cause::unreachable;
    at.on.pass(udp_packet(1));
    at.wait(1s);
    CHECK(at.told("lea1").size() == 1);
    at.ask("lea1", "DELETE DTCP/0.7\nCriteria-ID: 1\n");
    at.on.sink->dropping.reset();
    at.on.pass(udp_packet(1));
    at.wait(1s);
    at.add_to("lea1", 1, "Cdest-ID: cd1\n");
    CHECK(at.on.pass(udp_packet(1)) == 1);
    at.wait(60s);
    CHECK(at.told("lea1").empty());
}
