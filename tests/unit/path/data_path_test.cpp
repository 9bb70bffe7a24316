// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <flowtap/path/data_path.hpp>

#include "fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;

TEST_CASE("slots run out, and come back when their criterion is forgotten") {
    data_path path(data_path_options{3, 16});
    std::vector<slot_id> slots(3);
    for (slot_id& each : slots)
        REQUIRE(path.acquire(each));
    slot_id none;
    CHECK_FALSE(path.acquire(none));
    path.publish({});
    path.release(slots[1]);
    CHECK_FALSE(path.acquire(none));
    path.publish({});
    REQUIRE(path.acquire(none));
    CHECK(none == slots[1]);
}

TEST_CASE("a slot that was never published is free as soon as it is given back") {
    data_path path(data_path_options{2, 16});
    slot_id kept;
    REQUIRE(path.acquire(kept));
    for (int i = 0; i < 10; ++i) {
        CAPTURE(i);
        slot_id refused;
        REQUIRE(path.acquire(refused));
        CHECK(refused != kept);
        path.release(refused);
    }
    SUBCASE("but not when it was stopped, as that of a criterion is") {
        slot_id stopped;
        REQUIRE(path.acquire(stopped));
        path.stop(stopped);
        path.release(stopped);
        slot_id none;
        CHECK_FALSE(path.acquire(none));
    }
}

TEST_CASE("counters add up over workers") {
    data_path path;
    deliveries got;
    std::vector<worker*> workers;
    for (int i = 0; i < 3; ++i)
        workers.push_back(
            &path.add_worker(std::make_unique<repeating_source>(
                                 std::vector<octets>{udp_packet(2), udp_packet(3)}, 2),
                             std::make_unique<collecting_sink>(got)));
    tapping taps(path);
    const slot_id slot = taps.add(to_host(3), {0});
    taps.publish();
    for (worker* each : workers)
        each->run();
    CHECK(path.counters(slot).packets == 6);
    CHECK(path.counters(slot_id(77)).packets == 0);
    CHECK(path.counters().seen == 12);
    CHECK(path.counters().delivered == 6);
    CHECK(path.counters().lost == 3 * 7);
}

TEST_CASE("identification numbers of the copies of a worker differ") {
    struct noting_sink final : sink {
        std::vector<std::uint16_t>& into;
        explicit noting_sink(std::vector<std::uint16_t>& numbers) : into(numbers) {}
        std::size_t consume(std::span<const copy> copies) noexcept override {
            for (const copy& each : copies)
                into.push_back(each.identification);
            ledger().delivered(copies);
            return copies.size();
        }
        void wait(std::chrono::milliseconds) noexcept override {}
    };
    std::vector<std::uint16_t> numbers;
    data_path path;
    worker& work = path.add_worker(
        std::make_unique<repeating_source>(std::vector<octets>(4, udp_packet(2)), 2),
        std::make_unique<noting_sink>(numbers));
    tapping taps(path);
    taps.add(any_ipv4(), {0, 1});
    taps.publish();
    work.run();
    CHECK(numbers.size() == 16);
    std::ranges::sort(numbers);
    CHECK(std::ranges::adjacent_find(numbers) == numbers.end());
}
