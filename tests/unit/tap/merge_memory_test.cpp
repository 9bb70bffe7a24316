// SPDX-License-Identifier: Apache-2.0
// Merging when memory runs out.
#include <deque>
#include <functional>
#include <utility>

#include <doctest/doctest.h>

#include "../../support/memory/allocations.hpp"
#include "rig.hpp"
#include "traffic.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;
namespace allocations = flowtap::testing::allocations;

TEST_CASE("merging that finds no memory is tried again later, and not at once and for ever") {
    std::deque<std::function<void()>> waiting;
    rig at(usual_settings(), nullptr,
           [&](std::function<void()> what) { waiting.push_back(std::move(what)); });
    wire on(at.path);
    const auto run_all = [&] {
        for (; !waiting.empty(); waiting.pop_front())
            waiting.front()();
    };
    const auto has_something_due = [&] {
        return at.point.deadline() && *at.point.deadline() <= at.now.steady;
    };
    const tap::session_id session = at.open("lea1");
    for (int to = 0; to < 3; ++to)
        REQUIRE(status_of_answer(at.ask(
                    session, "lea1", add("Dest-Address: 10.0.0." + std::to_string(to) + "\n"))) ==
                200);
    waiting.clear();
    for (int i = 0; i < 3; ++i) {
        at.pass(20s);
        // The first turn reads the counters, too.
        for (int turns = 0; has_something_due() && turns < 10; ++turns)
            at.turn();
        REQUIRE(waiting.size() == 1);
        allocations::fail_all();
        run_all();
        allocations::fail_none();
        CHECK(has_something_due());
        at.turn();
        CHECK(waiting.empty());
        CHECK_FALSE(has_something_due());
    }
    const auto before = at.path.in_force();
    at.pass(20s);
    at.turn();
    run_all();
    at.turn();
    CHECK(at.path.in_force() > before);
    for (int to = 0; to < 4; ++to)
        CHECK(on.pass(udp_packet(static_cast<std::uint8_t>(to))) == (to < 3 ? 1 : 0));
}
