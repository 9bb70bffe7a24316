// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <flowtap/path/data_path.hpp>

#include "fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;

namespace {

/// One criterion that every packet matches, and what it gets.
struct criterion_row {
    std::uint8_t group;
    std::uint64_t rank;
    std::vector<std::uint32_t> streams;
    /// Whether the first and the second of the streams get nothing.
    bool is_dropped;
    bool is_second_dropped = false;
};

action grouped(const criterion_row& row) {
    action made = action_for(row.streams);
    made.group = copy_group_id(row.group);
    made.rank = row.rank;
    return made;
}

} // namespace

TEST_CASE(
    "the lowest ranks of a group get their copies, as many as the limit, and the rest counts") {
    struct scenario {
        const char* what;
        std::vector<std::uint16_t> limits;
        std::vector<criterion_row> criteria;
        std::vector<std::uint32_t> copied;
    };
    const scenario scenarios[] = {
        {"no limits", {}, {{1, 1, {0}, false}, {1, 2, {1}, false}}, {0, 1}},
        {"as many as the limit", {0, 2}, {{1, 1, {0}, false}, {1, 2, {1}, false}}, {0, 1}},
        {"one more than the limit, in order of rank, not of slot",
         {0, 2},
         {{1, 3, {0}, true}, {1, 1, {1}, false}, {1, 2, {2}, false}},
         {1, 2}},
        {"of equal rank, the lower slot", {0, 1}, {{1, 7, {0}, false}, {1, 7, {1}, true}}, {0}},
        {"a stream that has its copy serves others beyond the limit",
         {0, 1},
         {{1, 1, {0}, false}, {1, 2, {1}, true}, {1, 3, {0}, false}},
         {0}},
        {"one of two targets is left out",
         {0, 2},
         {{1, 1, {0}, false}, {1, 2, {1, 2}, false, true}, {1, 3, {1, 0}, false}},
         {0, 1}},
        {"the first of two targets is left out",
         {0, 1},
         {{1, 1, {0}, false}, {1, 2, {1, 0}, true}, {1, 3, {2, 1}, true, true}},
         {0}},
        {"a limit of nothing", {0, 0}, {{1, 1, {0}, true}, {0, 0, {1}, false}}, {1}},
        {"group 0 and groups beyond the limits have none, and cost none",
         {0, 1},
         {{0, 9, {0}, false}, {2, 9, {1}, false}, {0, 9, {2}, false}, {1, 9, {3}, false}},
         {0, 1, 2, 3}},
        {"group 0 has no limit though one is written",
         {1},
         {{0, 1, {0}, false}, {0, 2, {1}, false}},
         {0, 1}},
        {"several groups, each with its own",
         {0, 1, 2},
         {{2, 5, {0}, true},
          {1, 2, {1}, true},
          {2, 4, {2}, false},
          {1, 1, {3}, false},
          {2, 3, {4}, false}},
         {2, 3, 4}},
        {"a stream shared between groups is the first group's copy",
         {0, 1, 1},
         {{2, 1, {0}, false}, {2, 2, {1}, false}, {1, 9, {0}, false}},
         {0, 1}},
        {"what a criterion without a limit copied anyway is free",
         {0, 1},
         {{1, 1, {0}, false}, {1, 2, {1}, false}, {0, 0, {0}, false}},
         {0, 1}},
    };
    const octets sent = udp_packet(2);
    for (const scenario& each : scenarios) {
        CAPTURE(each.what);
        deliveries got;
        data_path path;
        worker& work =
            path.add_worker(std::make_unique<repeating_source>(std::vector<octets>(3, sent), 2),
                            std::make_unique<collecting_sink>(got));
        tapping taps(path);
        taps.copy_limits = each.limits;
        std::vector<slot_id> slots;
        for (const criterion_row& row : each.criteria)
            slots.push_back(taps.add(any_ipv4(), grouped(row)));
        taps.publish();
        work.run();
        std::vector<std::uint32_t> copied;
        for (const auto& [stream, packets] : got) {
            copied.push_back(stream);
            CHECK(packets.size() == 6);
        }
        CHECK(copied == each.copied);
        for (std::size_t i = 0; i < slots.size(); ++i) {
            CAPTURE(i);
            const slot_counters counted = path.counters(slots[i]);
            CHECK(counted.packets == 6);
            CHECK(counted.dropped[0].packets == (each.criteria[i].is_dropped ? 6 : 0));
            CHECK(counted.dropped[1].packets == (each.criteria[i].is_second_dropped ? 6 : 0));
            for (const target_drops& one : counted.dropped)
                CHECK(one.octets == one.packets * sent.size());
        }
        CHECK(work.counters().copies == 6 * copied.size());
        CHECK(closes(work.counters()));
    }
}

TEST_CASE("copies that a limit left out use a budget up all the same") {
    deliveries got;
    data_path path;
    worker& work = path.add_worker(
        std::make_unique<repeating_source>(std::vector<octets>(9, udp_packet(2)), 1),
        std::make_unique<collecting_sink>(got));
    tapping taps(path);
    taps.copy_limits = {0, 1};
    const slot_id low = taps.add(any_ipv4(), grouped({1, 2, {0}, true}));
    const slot_id high = taps.add(any_ipv4(), grouped({1, 1, {1}, true}));
    path.grant(low, {7, {}});
    path.grant(high, {3, {}});
    taps.publish();
    work.run();
    CHECK(path.counters(low).packets == 7);
    CHECK(path.counters(low).dropped[0].packets == 3);
    CHECK(got[0].size() == 4);
    CHECK(got[1].size() == 3);
    CHECK(path.next_exhausted());
    CHECK(path.next_exhausted());
    CHECK_FALSE(path.next_exhausted());
}

TEST_CASE("a limit that changes, or goes, holds from the next batch on, and drops start anew") {
    deliveries got;
    data_path path(data_path_options{2, 16});
    worker& work =
        path.add_worker(std::make_unique<repeating_source>(std::vector<octets>{udp_packet(2)}, 9),
                        std::make_unique<collecting_sink>(got));
    tapping taps(path);
    const slot_id first = taps.add(any_ipv4(), grouped({1, 1, {0}, false}));
    const slot_id second = taps.add(any_ipv4(), grouped({1, 2, {1}, true}));
    taps.publish();
    work.run_once();
    CHECK(path.counters(second).dropped[0].packets == 0);
    taps.copy_limits = {0, 1};
    taps.publish();
    work.run_once();
    CHECK(path.counters(second).dropped[0].packets == 1);
    taps.copy_limits.clear();
    taps.publish();
    work.run_once();
    CHECK(path.counters(first).dropped[0].packets == 0);
    CHECK(path.counters(second).dropped[0].packets == 1);
    CHECK(got[1].size() == 2);

    taps.remove(second);
    taps.publish();
    const slot_id next = taps.add(any_ipv4(), {1});
    REQUIRE(next == second);
    CHECK(path.counters(next).dropped[0].packets == 0);
    CHECK(path.counters(next).dropped[0].octets == 0);
}

TEST_CASE("a packet that matches very many criteria with a limit is copied within it") {
    deliveries got;
    data_path path;
    worker& work =
        path.add_worker(std::make_unique<repeating_source>(std::vector<octets>{udp_packet(2)}, 2),
                        std::make_unique<collecting_sink>(got));
    tapping taps(path);
    taps.copy_limits = {0, 300};
    std::vector<slot_id> slots;
    for (std::uint32_t i = 0; i < 2000; ++i)
        slots.push_back(taps.add(any_ipv4(), grouped({1, 2000 - i, {i}, false})));
    taps.publish();
    work.run();
    // More than an outbox holds.
    CHECK(got.size() == 300);
    CHECK(got.begin()->first == 1700);
    std::uint64_t dropped_packets = 0;
    for (const slot_id slot : slots)
        dropped_packets += path.counters(slot).dropped[0].packets;
    CHECK(dropped_packets == 2 * 1700);
}
