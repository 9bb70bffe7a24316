// SPDX-License-Identifier: Apache-2.0
// Merging criteria elsewhere: whatever an executor does, criteria match as they should.
#include <atomic>
#include <deque>
#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "rig.hpp"
#include "traffic.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

using work = std::function<void()>;

/// Keeps what it is given, to be run by hand.
struct manual_executor {
    std::function<void(work)> taker() {
        return [this](work what) {
            waiting.push_back(std::move(what));
            ++taken;
        };
    }
    void run_all() {
        while (!waiting.empty()) {
            waiting.front()();
            waiting.pop_front();
        }
    }

    std::deque<work> waiting;
    int taken = 0;
};

/// A control source that adds criteria for 10.0.0.<n> and deletes them, each in a turn of its own.
struct merge_rig : rig {
    explicit merge_rig(std::function<void(work)> background = nullptr)
        : rig(roomy(), nullptr, std::move(background)), on(path), session(open("lea1")) {}

    static tap::settings roomy() {
        tap::settings with = usual_settings();
        with.criteria_limit = 100'000;
        return with;
    }
    void add_for(int to) {
        const std::string answer =
            ask(session, "lea1", add("Dest-Address: 10.0.0." + std::to_string(to) + "\n"));
        REQUIRE(status_of_answer(answer) == 200);
        in_place[to].push_back(++last);
    }
    void remove_for(int to) {
        const int id = in_place[to].back();
        in_place[to].pop_back();
        const std::string answer =
            ask(session, "lea1",
                "DELETE DTCP/0.7\nFlags: STATIC\nCriteria-ID: " + std::to_string(id) + "\n");
        REQUIRE(value_of(answer, "CRITERIA-COUNT") == "1");
    }
    /// Packets to all addresses are copied where a criterion is in place, and nowhere else.
    void check() {
        for (int to = 0; to < 256; ++to) {
            const auto found = in_place.find(to);
            const std::size_t expected = found != in_place.end() && !found->second.empty() ? 1 : 0;
            REQUIRE(on.pass(udp_packet(static_cast<std::uint8_t>(to))) == expected);
        }
    }
    bool has_something_due() const { return point.deadline() && *point.deadline() <= now.steady; }

    wire on;
    tap::session_id session;
    std::map<int, std::vector<int>> in_place;
    int last = 0;
};

} // namespace

TEST_CASE("merging is handed out, and a turn after it has run publishes the outcome") {
    manual_executor elsewhere;
    merge_rig at(elsewhere.taker());
    for (int to = 0; to < 10; ++to)
        at.add_for(to);
    REQUIRE(elsewhere.waiting.size() == 1);
    at.check();
    at.turn();
    CHECK_FALSE(at.has_something_due());
    const auto before = at.path.in_force();
    elsewhere.run_all();
    CHECK(at.has_something_due());
    CHECK(at.path.in_force() == before);
    at.turn();
    CHECK(at.path.in_force() > before);
    CHECK_FALSE((at.has_something_due() && elsewhere.waiting.empty()));
    at.check();
}

TEST_CASE("one piece of merging is under way at a time, while criteria come and go") {
    manual_executor elsewhere;
    merge_rig at(elsewhere.taker());
    for (int round = 0; round < 6; ++round) {
        for (int to = 0; to < 100; ++to)
            at.add_for(to);
        CHECK(elsewhere.waiting.size() == 1);
        // Of those that the job has, and of those that it does not.
        for (int to = round; to < 100; to += 2)
            at.remove_for(to);
        elsewhere.run_all();
        for (int to = 50; to < 60; ++to)
            at.add_for(to);
        at.turn();
        at.check();
    }
    CHECK(elsewhere.taken > 5);
}

TEST_CASE("an executor may run what it is given at once") {
    int runs = 0;
    merge_rig at([&](const work& what) {
        what();
        ++runs;
    });
    for (int to = 0; to < 200; ++to)
        at.add_for(to);
    for (int to = 0; to < 200; to += 3)
        at.remove_for(to);
    CHECK(runs > 0);
    int turns = 0;
    for (; at.has_something_due() && turns < 10; ++turns)
        at.turn();
    CHECK(turns < 10);
    at.check();
}

TEST_CASE("an executor may never run what it is given") {
    manual_executor elsewhere;
    merge_rig at(elsewhere.taker());
    for (int i = 0; i < 2000; ++i) {
        at.add_for(i % 200);
        if (i % 5 == 4)
            at.remove_for(i % 200);
    }
    CHECK(elsewhere.taken == 1);
    at.check();
}

TEST_CASE("an executor may drop what it is given: it gets more with the next change") {
    int dropped = 0;
    merge_rig at([&](const work&) { ++dropped; });
    for (int to = 0; to < 100; ++to)
        at.add_for(to);
    CHECK(dropped > 1);
    CHECK_FALSE(at.has_something_due());
    at.check();
}

TEST_CASE("merging may run twice, or more often, and does so once") {
    manual_executor elsewhere;
    merge_rig at(elsewhere.taker());
    for (int to = 0; to < 10; ++to)
        at.add_for(to);
    REQUIRE(elsewhere.waiting.size() == 1);
    const work copy = elsewhere.waiting.front();
    elsewhere.run_all();
    copy();
    at.turn();
    copy();
    at.turn();
    at.check();
}

TEST_CASE("merging that is under way, or waits, outlives the access point") {
    manual_executor elsewhere;
    {
        merge_rig at(elsewhere.taker());
        for (int to = 0; to < 10; ++to)
            at.add_for(to);
    }
    REQUIRE(elsewhere.waiting.size() == 1);
    elsewhere.run_all();
    {
        merge_rig at(elsewhere.taker());
        for (int to = 0; to < 10; ++to)
            at.add_for(to);
    }
    REQUIRE(elsewhere.waiting.size() == 1);
    elsewhere.waiting.clear();
}

TEST_CASE("merging on another thread goes on with changes, traffic and the end of all") {
    for (int round = 0; round < 5; ++round) {
        std::vector<std::thread> threads;
        {
            merge_rig at([&](work what) { threads.emplace_back(std::move(what)); });
            for (int i = 0; i < 200; ++i) {
                at.add_for(i % 100);
                if (i % 3 == 0)
                    at.remove_for(i % 100);
                CHECK(at.on.pass(udp_packet(static_cast<std::uint8_t>(i % 100))) ==
                      (at.in_place[i % 100].empty() ? 0 : 1));
            }
            at.check();
        }
        for (std::thread& one : threads)
            one.join();
    }
}

TEST_CASE("ten seconds after the last change all is merged to one whole") {
    manual_executor elsewhere;
    merge_rig with_executor(elsewhere.taker());
    merge_rig without;
    for (merge_rig* const at : {&with_executor, &without}) {
        for (int to = 0; to < 100; ++to)
            at->add_for(to);
        for (int i = 0; i < 3; ++i) {
            elsewhere.run_all();
            at->turn();
        }
        at->remove_for(7);
        elsewhere.run_all();
        at->turn();
        elsewhere.waiting.clear();
        const auto before = at->path.in_force();
        at->pass(9s);
        at->turn();
        elsewhere.run_all();
        at->turn();
        CHECK(at->path.in_force() == before);
        at->pass(1s);
        at->turn();
        elsewhere.run_all();
        CHECK(at->has_something_due());
        at->turn();
        CHECK(at->path.in_force().value() == before.value() + 1);
        // What was replaced is taken apart, and then there is nothing left to do.
        auto last = at->path.in_force();
        for (int i = 0; i < 4; ++i) {
            last = at->path.in_force();
            at->pass(20s);
            at->turn();
            elsewhere.run_all();
            at->turn();
        }
        CHECK(at->path.in_force() == last);
        CHECK(last.value() <= before.value() + 2);
        at->check();
    }
}

TEST_CASE("what was merged waits for a worker that is stuck, and nobody asks for turns meanwhile") {
    manual_executor elsewhere;
    merge_rig at(elsewhere.taker());
    wire stuck(at.path);
    for (int to = 0; to < 10; ++to)
        at.add_for(to);
    REQUIRE(elsewhere.waiting.size() == 1);
    stuck.sink->on_copies = [&] {
        // One more is in force at once; the next one has to wait for the worker.
        at.add_for(20);
        at.feed(at.session, at.request("lea1", add("Dest-Address: 10.0.0.21\n")));
        at.turn();
        elsewhere.run_all();
        at.turn();
        CHECK_FALSE(at.has_something_due());
        stuck.sink->on_copies = nullptr;
    };
    CHECK(stuck.pass(udp_packet(1)) == 1);
    at.turn();
    at.turn();
    CHECK(status_of_answer(at.read(at.session)) == 200);
    at.in_place[21].push_back(++at.last);
    at.check();
}
