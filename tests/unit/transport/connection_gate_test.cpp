// SPDX-License-Identifier: Apache-2.0
#include "connection_gate.hpp"

#include <chrono>

#include <doctest/doctest.h>

using namespace flowtap;
using namespace std::chrono_literals;
using transport::connection_gate;
using enum transport::connection_gate::decision;

namespace {

constexpr steady_time start{1000s};

} // namespace

TEST_CASE("as many connections are let in at a time as the limit says") {
    connection_gate gate(3, 100);
    for (int count = 0; count < 3; ++count)
        CHECK(gate.arrive(start) == admitted);
    CHECK(gate.arrive(start) == too_many);
    gate.leave();
    CHECK(gate.arrive(start) == admitted);
    CHECK(gate.arrive(start) == too_many);
    CHECK(gate.inside() == 3);
}

TEST_CASE("as many connections are let in within any minute as the rate says") {
    connection_gate gate(100, 3);
    CHECK(gate.arrive(start) == admitted);
    CHECK(gate.arrive(start + 20s) == admitted);
    CHECK(gate.arrive(start + 40s) == admitted);
    CHECK(gate.arrive(start + 59s) == too_fast);
    CHECK(gate.arrive(start + 60s) == admitted);
    CHECK(gate.arrive(start + 61s) == too_fast);
    CHECK(gate.arrive(start + 80s) == admitted);
    CHECK(gate.inside() == 5);
}

TEST_CASE("connections that were refused do not count towards the rate") {
    connection_gate gate(100, 2);
    CHECK(gate.arrive(start) == admitted);
    CHECK(gate.arrive(start) == admitted);
    for (int count = 0; count < 1000; ++count)
        CHECK(gate.arrive(start + 30s) == too_fast);
    CHECK(gate.arrive(start + 60s) == admitted);
    CHECK(gate.arrive(start + 60s) == admitted);
    CHECK(gate.arrive(start + 60s) == too_fast);
}

TEST_CASE("limits can be changed while connections are there") {
    connection_gate gate(2, 100);
    CHECK(gate.arrive(start) == admitted);
    CHECK(gate.arrive(start) == admitted);
    gate.limit(1, 100);
    gate.leave();
    CHECK(gate.arrive(start) == too_many);
    gate.limit(1, 2);
    gate.leave();
    CHECK(gate.arrive(start) == too_fast);
    gate.limit(1, 3);
    CHECK(gate.arrive(start) == admitted);
}
