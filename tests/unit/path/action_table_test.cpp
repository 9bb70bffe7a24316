// SPDX-License-Identifier: Apache-2.0
#include <flowtap/path/action_table.hpp>

#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using test::action_for;

TEST_CASE("a copy of an action table does not see later changes") {
    action_table table;
    table.assign(slot_id(3), action_for({1}));
    const action_table before = table;
    table.assign(slot_id(3), action_for({2}));
    table.assign(slot_id(700), action_for({9}));
    CHECK(before[slot_id(3)].targets.at(0).stream == stream_id(1));
    CHECK(before.find(slot_id(700)) == nullptr);
    CHECK(table[slot_id(3)].targets.at(0).stream == stream_id(2));
    CHECK(table[slot_id(700)].targets.at(0).stream == stream_id(9));
}

TEST_CASE("an erased action is gone from the table and stays in its copies") {
    action_table table;
    table.assign(slot_id(300), action_for({1}));
    const action_table before = table;
    table.erase(slot_id(300));
    table.erase(slot_id(5000));
    CHECK(table.find(slot_id(300)) == nullptr);
    CHECK(before.find(slot_id(300)) != nullptr);
}

TEST_CASE("an action table knows how high its slots and streams go") {
    action_table table;
    CHECK(table.slot_bound() == 0);
    CHECK(table.stream_bound() == 0);
    table.assign(slot_id(300), action_for({17, 4}));
    CHECK(table.slot_bound() > 300);
    CHECK(table.stream_bound() == 18);
}

TEST_CASE("tables that were copied from one another change apart") {
    action_table table;
    table.assign(slot_id(7), action_for({1}));
    action_table other = table;
    other.assign(slot_id(7), action_for({2}));
    table.erase(slot_id(7));
    const action_table third = std::exchange(other, {});
    CHECK(table.find(slot_id(7)) == nullptr);
    CHECK(other.find(slot_id(7)) == nullptr);
    CHECK(third[slot_id(7)].targets.at(0).stream == stream_id(2));
}

TEST_CASE("every copy of a table keeps what it had, whatever happens to the others") {
    constexpr std::uint32_t seed = 4711;
    MESSAGE("seed ", seed);
    std::mt19937 random(seed);
    const auto draw = [&](std::size_t below) {
        return static_cast<std::uint32_t>(random() % below);
    };
    struct kept {
        action_table table;
        std::map<std::uint32_t, std::uint32_t> model;
    };
    std::vector<kept> all(1);
    for (int step = 0; step < 20'000; ++step) {
        kept& one = all[draw(all.size())];
        // Few slots, far apart and close together.
        const std::uint32_t slot = draw(40) * (draw(2) == 0 ? 1 : 997);
        switch (draw(8)) {
        case 0:
            if (all.size() < 6)
                all.push_back(kept(one));
            else
                one = kept(all[draw(all.size())]);
            break;
        case 1:
        case 2:
            one.table.erase(slot_id(slot));
            one.model.erase(slot);
            break;
        default:
            one.table.assign(slot_id(slot), action_for({draw(100)}));
            one.model[slot] = one.table[slot_id(slot)].targets.front().stream.value();
            break;
        }
    }
    for (const kept& one : all) {
        for (std::uint32_t slot = 0; slot < 40'000; ++slot) {
            const action* found = one.table.find(slot_id(slot));
            const auto expected = one.model.find(slot);
            REQUIRE((found != nullptr) == (expected != one.model.end()));
            if (found != nullptr)
                REQUIRE(found->targets.front().stream.value() == expected->second);
        }
    }
}
