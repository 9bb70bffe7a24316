// SPDX-License-Identifier: Apache-2.0
#include <timers.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include <doctest/doctest.h>

using namespace flowtap;
using namespace std::chrono_literals;

namespace {

steady_time at(std::chrono::nanoseconds when) {
    return steady_time(when);
}

/// Takes out all that is due.
template <class Queue>
std::vector<std::uint32_t> take_all(Queue& from, steady_time now) {
    std::vector<std::uint32_t> taken;
    while (const auto first = from.take_due(now))
        taken.push_back(first->who.value());
    return taken;
}

/// Compares, and counts how often.
struct counted_less {
    std::size_t* count;
    bool operator()(const tap::timer& a, const tap::timer& b) const {
        ++*count;
        return a < b;
    }
};

} // namespace

TEST_CASE("timers are due in the order of their times, and in the order of setting at one time") {
    tap::timer_queue queue;
    CHECK_FALSE(queue.next());
    queue.set(slot_id{7}, at(30s));
    queue.set(slot_id{2}, at(10s));
    queue.set(slot_id{9}, at(20s));
    queue.set(slot_id{1}, at(20s));
    CHECK(queue.next() == at(10s));
    CHECK(take_all(queue, at(10s) - 1ns).empty());
    CHECK(take_all(queue, at(29s)) == std::vector<std::uint32_t>{2, 9, 1});
    CHECK(queue.next() == at(30s));
    CHECK(queue.size() == 1);
}

TEST_CASE("setting a timer again replaces it, and a cancelled one is never due") {
    tap::timer_queue queue;
    queue.set(slot_id{1}, at(10s));
    queue.set(slot_id{2}, at(10s));
    queue.set(slot_id{3}, at(10s));
    queue.set(slot_id{1}, at(10s));
    queue.cancel(slot_id{2});
    queue.cancel(slot_id{2});
    queue.cancel(slot_id{1000});
    CHECK(queue.size() == 2);
    CHECK(queue.is_due(slot_id{1}, at(10s)));
    CHECK_FALSE(queue.is_due(slot_id{1}, at(10s) - 1ns));
    CHECK_FALSE(queue.is_due(slot_id{2}, at(1h)));
    CHECK_FALSE(queue.is_due(slot_id{1000}, at(1h)));
    CHECK(take_all(queue, at(1h)) == std::vector<std::uint32_t>{3, 1});
    queue.cancel(slot_id{3});
    CHECK_FALSE(queue.next());
}

TEST_CASE("with 100,000 timers a change compares a few dozen of them, and none scans") {
    constexpr std::uint32_t many = 100'000;
    std::size_t compared = 0;
    tap::basic_timer_queue<counted_less> queue(counted_less{&compared});
    const std::uint32_t seed = 20260;
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto some_time = [&] { return at(std::chrono::milliseconds(random() % 86'400'000)); };
    for (std::uint32_t slot = 0; slot < many; ++slot)
        queue.set(slot_id{slot}, some_time());

    // A red-black tree is at most twice as high as a perfect one.
    const auto bound = static_cast<std::size_t>(2 * std::log2(many) + 2) * 4;
    std::size_t worst = 0;
    const auto measure = [&](auto&& change) {
        compared = 0;
        change();
        worst = std::max(worst, compared);
    };
    for (int i = 0; i < 10'000; ++i) {
        const slot_id slot{static_cast<std::uint32_t>(random() % many)};
        measure([&] { queue.set(slot, some_time()); });
        measure([&] { static_cast<void>(queue.next()); });
        measure([&] { queue.cancel(slot_id{static_cast<std::uint32_t>(random() % many)}); });
    }
    steady_time before = at(0s);
    while (queue.next()) {
        const steady_time due = *queue.next();
        REQUIRE(before <= due);
        before = due;
        measure([&] { CHECK(queue.take_due(due)); });
    }
    CHECK(worst <= bound);
}
