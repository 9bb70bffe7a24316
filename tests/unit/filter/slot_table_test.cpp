// SPDX-License-Identifier: Apache-2.0
#include "slot_table.hpp"

#include <map>
#include <ostream>
#include <random>
#include <vector>

#include <doctest/doctest.h>

using namespace flowtap;
using flowtap::filter::slot_table;

TEST_CASE("a slot table is what a map says, whatever the slots") {
    for (const std::uint32_t stride : {1U, 7U, 4096U, 0x0001'0000U, 0x9E37'79B1U}) {
        CAPTURE(stride);
        std::mt19937 random(stride);
        slot_table<std::uint32_t> table;
        std::map<std::uint32_t, std::uint32_t> expected;
        for (int i = 0; i < 60'000; ++i) {
            // Long runs of more, and then of less.
            const bool add = (random() % 100) < ((i / 10'000) % 2 == 0 ? 70U : 30U);
            const auto number = static_cast<std::uint32_t>(random() % 5000) * stride;
            const auto known = expected.find(number);
            std::uint32_t* const found = table.find(slot_id(number));
            REQUIRE((found != nullptr) == (known != expected.end()));
            if (found != nullptr)
                REQUIRE(*found == known->second);
            if (add && found == nullptr) {
                table.insert(slot_id(number), static_cast<std::uint32_t>(i));
                expected[number] = static_cast<std::uint32_t>(i);
            } else if (!add && found != nullptr) {
                table.erase(slot_id(number));
                expected.erase(known);
            }
        }
        for (const auto& [number, value] : expected) {
            REQUIRE(table.find(slot_id(number)) != nullptr);
            REQUIRE(*table.find(slot_id(number)) == value);
        }
    }
}

TEST_CASE("memory of a slot table grows with how many slots there are, and shrinks with them") {
    slot_table<std::uint64_t> table;
    std::vector<std::uint32_t> numbers;
    std::mt19937 random(1);
    std::map<std::uint32_t, bool> seen;
    while (numbers.size() < 20'000) {
        const auto number = static_cast<std::uint32_t>(random());
        if (seen.emplace(number, true).second)
            numbers.push_back(number);
    }
    const std::size_t each = slot_table<std::uint64_t>::most_for_each;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        table.insert(slot_id(numbers[i]), i);
        REQUIRE(table.memory() <= 1000 + (i + 1) * each);
    }
    for (std::size_t i = numbers.size(); i-- > 0;) {
        table.erase(slot_id(numbers[i]));
        REQUIRE(table.memory() <= 1000 + i * each);
    }
    CHECK(table.find(slot_id(numbers.front())) == nullptr);
}
