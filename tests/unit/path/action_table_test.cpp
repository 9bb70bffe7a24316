// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <flowtap/path/snapshot.hpp>

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
