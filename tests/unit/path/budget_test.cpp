// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <flowtap/path/data_path.hpp>

#include "fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;

namespace {

/// A data path with one worker over packets that come again and again.
struct bench {
    explicit bench(std::vector<octets> packets, std::size_t batches = 1,
                   std::size_t room = SIZE_MAX, data_path_options options = {})
        : path(options) {
        auto to = std::make_unique<collecting_sink>(got, room);
        sink = to.get();
        work = &path.add_worker(
            std::make_unique<repeating_source>(std::move(packets), batches, backpressure::wait),
            std::move(to));
    }

    slot_id add(const match_budget& budget, std::uint32_t stream = 0) {
        const slot_id slot = taps.add(any_ipv4(), {stream});
        path.grant(slot, budget);
        return slot;
    }

    deliveries got;
    data_path path;
    collecting_sink* sink = nullptr;
    worker* work = nullptr;
    tapping taps{path};
};

std::vector<octets> packets_of(const std::vector<std::size_t>& lengths) {
    std::vector<octets> made;
    for (const std::size_t length : lengths)
        made.push_back(udp_packet(2, 53, length - 28));
    return made;
}

} // namespace

TEST_CASE("a budget is used to the last packet or octet, and not beyond") {
    struct row {
        const char* what;
        std::vector<std::size_t> lengths;
        match_budget budget;
        std::uint64_t packets;
        std::uint64_t octets;
        bool is_used_up;
        match_budget left;
    };
    const row rows[] = {
        {"none", {100, 100}, {}, 2, 200, false, {}},
        {"packets to spare", {100, 100}, {3, {}}, 2, 200, false, {1, {}}},
        {"packets, exactly", {100, 100}, {2, {}}, 2, 200, true, {0, {}}},
        {"packets, fewer", {100, 100, 100}, {2, {}}, 2, 200, true, {0, {}}},
        {"no packet", {100}, {0, {}}, 0, 0, true, {0, {}}},
        {"octets to spare", {100, 100}, {{}, 201}, 2, 200, false, {{}, 1}},
        {"octets, exactly", {100, 100}, {{}, 200}, 2, 200, true, {{}, 0}},
        {"octets, too few for the second", {100, 100}, {{}, 199}, 1, 100, true, {{}, 0}},
        {"a shorter packet after one too long", {100, 60, 30}, {{}, 140}, 1, 100, true, {{}, 0}},
        {"no octet", {100}, {{}, 0}, 0, 0, true, {{}, 0}},
        {"both, packets end first", {100, 50, 50}, {2, 1000}, 2, 150, true, {0, 850}},
        {"both, octets end first", {100, 50, 50}, {9, 120}, 1, 100, true, {8, 0}},
        {"both, at once", {100, 50, 50}, {2, 150}, 2, 150, true, {0, 0}},
        {"both, the last packet too long", {100, 50}, {2, 120}, 1, 100, true, {1, 0}},
        {"one part zero", {100}, {5, 0}, 0, 0, true, {5, 0}},
        {"more than any traffic",
         {100},
         {UINT64_MAX, UINT64_MAX},
         1,
         100,
         false,
         {(std::uint64_t{1} << 48) - 3, UINT64_MAX - 101}},
    };
    for (const row& each : rows) {
        CAPTURE(each.what);
        bench all(packets_of(each.lengths));
        const slot_id slot = all.add(each.budget);
        const slot_id beside = all.taps.add(any_ipv4(), {1});
        all.taps.publish();
        all.work->run();
        CHECK(all.path.counters(slot).packets == each.packets);
        CHECK(all.path.counters(slot).octets == each.octets);
        CHECK(all.got[0].size() == each.packets);
        CHECK(all.path.counters(beside).packets == each.lengths.size());
        CHECK(all.path.remaining(slot) == each.left);
        if (each.is_used_up)
            CHECK(all.path.next_exhausted() == slot);
        CHECK_FALSE(all.path.next_exhausted());
        CHECK(closes(all.work->counters()));
    }
}

TEST_CASE("a packet of which only a used-up criterion wanted a copy is not tapped") {
    bench all(packets_of({40, 40, 40}));
    all.add({1, {}});
    all.taps.publish();
    all.work->run();
    CHECK(all.work->counters().tapped == 1);
}

TEST_CASE("a budget of nothing is told without any worker") {
    data_path path;
    int calls = 0;
    path.on_news([&calls] { ++calls; });
    tapping taps(path);
    const slot_id slot = taps.add(any_ipv4(), {0});
    path.grant(slot, {0, {}});
    CHECK(calls == 1);
    CHECK(path.next_exhausted() == slot);
    CHECK_FALSE(path.next_exhausted());
}

TEST_CASE("budgets that a worker used up are told batch by batch, once, with one call a batch") {
    bench all(packets_of({40, 40, 40, 40}), 3);
    int calls = 0;
    all.path.on_news([&calls] { ++calls; });
    const slot_id second = all.add({6, {}});
    const slot_id first = all.add({2, {}});
    const slot_id also_first = all.add({{}, 4 * 40});
    all.add({100, {}});
    all.taps.publish();
    all.work->run_once();
    CHECK(calls == 1);
    CHECK(all.path.next_exhausted() == first);
    CHECK(all.path.next_exhausted() == also_first);
    CHECK_FALSE(all.path.next_exhausted());
    all.work->run();
    CHECK(calls == 2);
    CHECK(all.path.next_exhausted() == second);
    CHECK_FALSE(all.path.next_exhausted());
}

TEST_CASE("what is told of a budget has been counted and handed over") {
    bench all(packets_of({40, 40, 40}));
    const slot_id slot = all.add({3, {}});
    path_counters then;
    std::uint64_t matched = 0;
    all.path.on_news([&] {
        then = all.path.counters();
        matched = all.path.counters(slot).packets;
    });
    all.taps.publish();
    all.work->run();
    CHECK(matched == 3);
    CHECK(then.delivered == 3);
    CHECK(closes(then));
}

TEST_CASE("copies that a budget allowed are delivered although the sink is full for a while") {
    bench all(packets_of({40, 40, 40, 40, 40, 40}), 1, 1);
    const slot_id slot = all.add({4, {}});
    int waits = 0;
    int told = 0;
    all.path.on_news([&told] { ++told; });
    all.sink->on_wait = [&](collecting_sink& sink) {
        ++waits;
        // All that there is was granted, but it has not left yet.
        CHECK(all.path.remaining(slot).packets == 0U);
        CHECK(told == 0);
        CHECK_FALSE(all.path.next_exhausted());
        sink.make_room(1);
    };
    all.taps.publish();
    all.work->run();
    CHECK(waits == 3);
    CHECK(all.got[0].size() == 4);
    CHECK(told == 1);
    CHECK(all.path.next_exhausted() == slot);
}

TEST_CASE("a refill replaces the parts it gives, and keeps the others") {
    bench all(packets_of({40, 40}), 10);
    const slot_id slot = all.add({5, 1000});
    all.taps.publish();
    all.work->run_once();
    CHECK(all.path.remaining(slot) == match_budget{3, 920});
    CHECK(all.path.refill(slot, {10, {}}));
    CHECK(all.path.remaining(slot) == match_budget{10, 920});
    CHECK(all.path.refill(slot, {{}, 100}));
    CHECK(all.path.remaining(slot) == match_budget{10, 100});
    CHECK(all.path.refill(slot, {4, 2000}));
    CHECK(all.path.remaining(slot) == match_budget{4, 2000});
    CHECK(all.path.refill(slot, {}));
    CHECK(all.path.remaining(slot) == match_budget{4, 2000});
    all.work->run();
    CHECK(all.path.counters(slot).packets == 6);
    CHECK(all.path.next_exhausted() == slot);
    CHECK_FALSE(all.path.refill(slot, {10, {}}));
    CHECK_FALSE(all.path.refill(slot, {10, 1000}));
    CHECK(all.path.remaining(slot) == match_budget{0, 2000 - 4 * 40});
}

TEST_CASE("a refill to nothing uses the budget up") {
    bench all(packets_of({40}));
    const slot_id slot = all.add({5, {}});
    all.taps.publish();
    CHECK(all.path.refill(slot, {0, {}}));
    CHECK(all.path.next_exhausted() == slot);
    CHECK_FALSE(all.path.refill(slot, {5, {}}));
    all.work->run();
    CHECK(all.path.counters(slot).packets == 0);
    CHECK_FALSE(all.path.next_exhausted());
}

TEST_CASE("a refill gives a budget to a criterion that had none") {
    bench all(packets_of({40, 40, 40}), 2);
    const slot_id slot = all.taps.add(any_ipv4(), {0});
    all.taps.publish();
    all.work->run_once();
    CHECK(all.path.remaining(slot) == match_budget{});
    CHECK(all.path.refill(slot, {2, {}}));
    all.work->run();
    CHECK(all.path.counters(slot).packets == 5);
    CHECK(all.path.next_exhausted() == slot);
}

TEST_CASE(
    "while copies still wait for the sink a used-up part can be refilled, but no other saves it") {
    bench all(packets_of({40, 40, 40}), 2, 1);
    const slot_id slot = all.add({2, 1000});
    bool is_done = false;
    match_budget with;
    all.sink->on_wait = [&](collecting_sink& sink) {
        is_done = all.path.refill(slot, with);
        sink.on_wait = nullptr;
        sink.make_room(SIZE_MAX);
    };
    all.taps.publish();
    SUBCASE("the part itself") {
        with = {3, {}};
        all.work->run();
        CHECK(is_done);
        CHECK(all.path.counters(slot).packets == 5);
    }
    SUBCASE("the other part") {
        with = {{}, 5000};
        all.work->run();
        CHECK_FALSE(is_done);
        CHECK(all.path.counters(slot).packets == 2);
        CHECK(all.path.remaining(slot) == match_budget{0, 920});
    }
    CHECK(all.path.next_exhausted() == slot);
    CHECK_FALSE(all.path.next_exhausted());
}

TEST_CASE("a slot that was released is not told, and leaves nothing to the next criterion") {
    bench all(packets_of({40, 40, 40}), 3, SIZE_MAX, {1, 16});
    const slot_id gone = all.add({1, {}});
    all.taps.publish();
    all.work->run_once();
    all.taps.remove(gone);
    SUBCASE("before it is told") {
        CHECK_FALSE(all.path.next_exhausted());
        all.taps.publish();
    }
    SUBCASE("when the slot has a criterion again before anybody asks") {
        all.taps.publish();
        const slot_id next = all.taps.add(any_ipv4(), {0});
        REQUIRE(next == gone);
        CHECK(all.path.remaining(next) == match_budget{});
        CHECK_FALSE(all.path.counters(next).last_match);
        all.taps.publish();
        all.work->run_once();
        CHECK(all.path.counters(next).packets == 3);
        CHECK_FALSE(all.path.next_exhausted());
    }
    SUBCASE("when the next criterion uses up its own budget, still unasked") {
        all.taps.publish();
        const slot_id next = all.add({4, {}});
        REQUIRE(next == gone);
        all.taps.publish();
        all.work->run();
        CHECK(all.path.counters(next).packets == 4);
        CHECK(all.path.next_exhausted() == next);
        CHECK_FALSE(all.path.next_exhausted());
    }
}

TEST_CASE("a worker with copies in hand does not take a new criterion for the one it held") {
    bench all(packets_of({40, 40, 40}), 2, 1, {1, 16});
    const slot_id gone = all.add({2, {}});
    slot_id next;
    all.sink->on_wait = [&](collecting_sink& sink) {
        all.taps.remove(gone);
        all.taps.publish();
        next = all.add({2, {}});
        REQUIRE(next == gone);
        all.taps.publish();
        sink.on_wait = nullptr;
        sink.make_room(SIZE_MAX);
    };
    all.taps.publish();
    all.work->run_once();
    CHECK_FALSE(all.path.next_exhausted());
    CHECK(all.path.remaining(next) == match_budget{2, {}});
    all.work->run();
    CHECK(all.path.counters(next).packets == 2);
    CHECK(all.path.next_exhausted() == next);
    CHECK(all.got[0].size() == 1 + 2);
}
