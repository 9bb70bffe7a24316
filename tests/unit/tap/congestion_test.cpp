// SPDX-License-Identifier: Apache-2.0
// Dynamic flow capture under load: 580, 680 and 598.
#include <purge_order.hpp>

#include <doctest/doctest.h>

#include "capture_rig.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

using texts = std::vector<std::string>;

tap::settings limited(std::optional<tap::bandwidth_limit> soft,
                      std::optional<tap::bandwidth_limit> hard) {
    tap::settings with = capture_settings();
    with.capture_groups["g1"].content_destinations["cd1"].soft = soft;
    with.capture_groups["g1"].content_destinations["cd1"].hard = hard;
    return with;
}

std::vector<int> statuses(const texts& told) {
    std::vector<int> all;
    for (const std::string& one : told)
        all.push_back(status_of_answer(one));
    return all;
}

} // namespace

TEST_CASE("criteria are purged by priority and then by age, until the rest is low enough") {
    struct row {
        const char* what;
        tap::bandwidth_limit hard;
        /// Priority and bandwidth, oldest first.
        std::vector<std::pair<int, std::uint64_t>> criteria;
        std::vector<std::size_t> purged;
    };
    for (const row& one : std::vector<row>{
             {"nothing at all", {10, 5}, {}, {}},
             {"within the limit", {10, 5}, {{1, 4}, {1, 6}}, {}},
             {"at the limit", {10, 5}, {{1, 10}}, {}},
             {"the newest of the lowest first", {10, 5}, {{1, 6}, {1, 5}}, {1, 0}},
             {"until what is low, no further", {10, 6}, {{1, 6}, {1, 5}}, {1}},
             {"low priority before new", {10, 7}, {{2, 6}, {1, 5}, {9, 1}}, {1}},
             {"priority decides", {10, 7}, {{1, 6}, {2, 5}, {9, 1}}, {0}},
             {"the old of low priority before the new of high", {10, 0}, {{1, 6}, {2, 5}}, {0, 1}},
             {"one without traffic goes in its turn", {10, 9}, {{2, 11}, {1, 0}}, {1, 0}},
             {"all of them", {10, 0}, {{255, 11}}, {0}},
         }) {
        CAPTURE(one.what);
        std::vector<tap::purge_candidate> candidates;
        for (std::size_t i = 0; i < one.criteria.size(); ++i)
            candidates.push_back(
                {(255U - static_cast<std::uint64_t>(one.criteria[i].first)) << 48U | i,
                 one.criteria[i].second, i});
        const std::size_t count = tap::choose_purged(candidates, one.hard);
        std::vector<std::size_t> purged;
        for (std::size_t i = 0; i < count; ++i)
            purged.push_back(candidates[i].index);
        CHECK(purged == one.purged);
    }
}

TEST_CASE("crossing the soft limit is told once to everyone concerned, and again after a fall") {
    capture_rig at(limited(tap::bandwidth_limit{5000, 2000}, tap::bandwidth_limit{90'000, 80'000}));
    at.add_to("lea1", 1);
    at.add_to("lea1", 2);
    at.add_to("lea2", 1);
    at.add_to("lea2", 3, "Cdest-ID: secret\n");
    at.add_to("lea3", 1);
    at.wait(2s);
    // 2 x 2000 bit/s by two criteria of two control sources, and 1000 by a third: not above.
    at.pass_packets(1, 2);
    at.pass_packets(2, 1);
    at.pass_packets(3, 50);
    at.wait(2s);
    CHECK(at.told("lea1").empty());
    at.pass_packets(2, 1);
    at.wait(1s);
    const texts told = at.told("lea1");
    REQUIRE(statuses(told) == std::vector<int>{580});
    CHECK(told[0].starts_with("DTCP/0.7 580 "));
    CHECK(value_of(told[0], "CDEST-ID") == "cd1");
    CHECK(value_of(told[0], "AVERAGE-BANDWIDTH") == "6000");
    CHECK(value_of(told[0], "ALERT-BANDWIDTH") == "5000");
    CHECK(value_of(told[0], "MAX-BANDWIDTH") == "90000");
    CHECK(value_of(told[0], "CRITERIA-ID") == "none");
    CHECK(at.told("lea2") == told);
    CHECK(at.told("lea3").empty());

    // It stays above, then goes down to what is low and no further: no word more.
    for (int i = 0; i < 5; ++i) {
        at.wait(5s);
        at.pass_packets(2, 3);
    }
    CHECK(at.told("lea1").empty());
    at.wait(8s);
    CHECK(at.told("lea1").empty());
    at.wait(3s);
    at.pass_packets(2, 9);
    at.wait(1s);
    CHECK(statuses(at.told("lea1")) == std::vector<int>{580});
    CHECK(statuses(at.told("lea2")) == std::vector<int>{580});
    CHECK(at.point.state().purged == 0);
}

TEST_CASE("a control source without criteria to a destination hears nothing of it") {
    capture_rig at(limited(tap::bandwidth_limit{5000, 2000}, std::nullopt));
    at.add_to("lea1", 1);
    at.add_to("lea2", 1, "Cdest-ID: secret\n");
    at.pass_packets(1, 10);
    at.wait(1s);
    const texts told = at.told("lea1");
    REQUIRE(statuses(told) == std::vector<int>{580});
    CHECK(value_of(told[0], "MAX-BANDWIDTH") == "none");
    CHECK(at.told("lea2").empty());
}

TEST_CASE("above the hard limit criteria go in their order, and each owner hears of its own") {
    capture_rig at(limited(std::nullopt, tap::bandwidth_limit{10'000, 4000}));
    at.add_to("lea1", 1, "Cdest-ID: cd1\nPriority: 5\n");
    at.add_to("lea1", 2, "Cdest-ID: cd1,cd2\nPriority: 1\n");
    at.add_to("lea2", 3, "Cdest-ID: cd1\nPriority: 1\n");
    at.add_to("lea2", 4, "Cdest-ID: cd1\nPriority: 9\n");
    at.add_to("lea2", 5, "Cdest-ID: secret\n");
    at.wait(2s);
    for (int to = 1; to <= 4; ++to)
        at.pass_packets(to, 2);
    at.pass_packets(5, 50);
    at.wait(2s);
    CHECK(at.point.state().criteria == 5);
    for (int to = 1; to <= 4; ++to)
        at.pass_packets(to, 1);
    at.audit.records.clear();
    at.wait(2s);
    // 12,000 bit/s: 3 (priority 1, newest), 2, and 1 (priority 5), and what is left is 3000.
    CHECK(at.point.state().criteria == 2);
    CHECK(at.point.state().purged == 3);
    CHECK(at.audit.count(tap::audit_event::purge) == 3);
    CHECK(at.audit.records[0].principal == "lea2");
    CHECK(at.audit.records[0].criterion == 1);
    CHECK(at.audit.records[1].criterion == 2);
    CHECK(at.audit.records[2].criterion == 1);

    const texts first = at.told("lea1");
    REQUIRE(statuses(first) == std::vector<int>{680});
    CHECK(value_of(first[0], "CDEST-ID") == "cd1");
    CHECK(value_of(first[0], "CRITERIA-ID") == "1-2");
    const texts second = at.told("lea2");
    REQUIRE(statuses(second) == std::vector<int>{680});
    CHECK(value_of(second[0], "CRITERIA-ID") == "1");
    CHECK(at.on.pass(udp_packet(1)) == 0);
    CHECK(at.on.pass(udp_packet(2)) == 0);
    CHECK(at.on.pass(udp_packet(4)) == 1);

    // What is left may go on, and nothing is told twice.
    at.wait(30s);
    CHECK(at.told("lea1").empty());
    CHECK(at.told("lea2").empty());
    CHECK(at.point.state().criteria == 2);
    CHECK(at.status("lea1", "LIST DTCP/0.7\nCriteria-ID: 1\n") == 431);
}

TEST_CASE("a 680 goes out when nothing of its criteria leaves any more") {
    capture_rig at(limited(std::nullopt, tap::bandwidth_limit{10'000, 4000}));
    at.add_to("lea1", 1);
    at.pass_packets(1, 11);
    at.on.sink->on_copies = [&] {
        at.wait(5s);
        CHECK(at.point.state().criteria == 0);
        CHECK(at.told("lea1").empty());
        at.on.sink->on_copies = nullptr;
    };
    at.on.pass(udp_packet(1));
    at.turn();
    at.wait(1s);
    CHECK(statuses(at.told("lea1")) == std::vector<int>{680});
}

TEST_CASE("many criteria that are purged at once are named in datagrams that fit") {
    tap::settings with = limited(std::nullopt, tap::bandwidth_limit{10'000, 4000});
    with.criteria_limit = 500;
    capture_rig at(with);
    for (int i = 0; i < 300; ++i)
        REQUIRE(at.add_to("lea1", i % 2,
                          "Cdest-ID: cd1\nPriority: " + std::to_string(1 + i % 2) + "\n") == 200);
    at.pass_packets(0, 1);
    at.wait(1s);
    // All but the four oldest of low priority, which is every other one.
    CHECK(at.point.state().criteria == 154);
    std::size_t named = 0;
    for (const std::string& one : at.told("lea1")) {
        CHECK(status_of_answer(one) == 680);
        CHECK(one.size() < 1300);
        std::string ids = value_of(one, "CRITERIA-ID");
        CHECK(ids.find('-') == std::string::npos);
        named += static_cast<std::size_t>(std::count(ids.begin(), ids.end(), ',')) + 1;
    }
    CHECK(named == 146);
    CHECK(at.point.state().purged == 146);
}

TEST_CASE("limits can be set, moved and taken away while there are criteria") {
    capture_rig at(limited(std::nullopt, std::nullopt));
    at.add_to("lea1", 1);
    at.add_to("lea1", 2);
    at.pass_packets(1, 6);
    at.pass_packets(2, 6);
    at.wait(2s);
    CHECK(at.told("lea1").empty());
    at.apply(limited(tap::bandwidth_limit{5000, 2000}, std::nullopt));
    at.wait(1s);
    CHECK(statuses(at.told("lea1")) == std::vector<int>{580});
    at.apply(limited(tap::bandwidth_limit{6000, 2000}, tap::bandwidth_limit{8000, 7000}));
    at.wait(1s);
    CHECK(statuses(at.told("lea1")) == std::vector<int>{680});
    CHECK(at.point.state().criteria == 1);
}

TEST_CASE("a round of samples that loses all its criteria has no part in the next one") {
    tap::settings with = limited(tap::bandwidth_limit{5000, 2000}, std::nullopt);
    with.criteria_limit = 6000;
    capture_rig at(with);
    // More than are read in a turn.
    for (int i = 0; i < 5000; ++i)
        REQUIRE(at.add_to("lea1", i < 10 ? 1 : 2) == 200);
    at.wait(5s);
    at.pass_packets(1, 1);
    at.pass(*at.point.deadline() - at.now.steady);
    at.turn();
    at.status("lea1", "DELETE DTCP/0.7\nCriteria-ID: *\nFlags: STATIC\n");
    REQUIRE(at.point.state().criteria == 0);
    at.wait(60s);
    at.add_to("lea2", 1);
    at.wait(5s);
    CHECK(at.told("lea1").empty());
    CHECK(at.told("lea2").empty());
}
