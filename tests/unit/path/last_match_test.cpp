// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <flowtap/path/data_path.hpp>

#include "fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;
using std::chrono::seconds;

TEST_CASE("the newest match is when the worker began its batch, or came back from waiting") {
    steady_time now{seconds(100)};
    int looks = 0;
    data_path path({.clock = [&] {
        ++looks;
        return now;
    }});
    deliveries got;
    auto to = std::make_unique<collecting_sink>(got);
    collecting_sink& sink = *to;
    worker& work = path.add_worker(
        std::make_unique<repeating_source>(std::vector<octets>(300, udp_packet(2)), 9),
        std::move(to), {.batch = 300});
    tapping taps(path);
    const slot_id slot = taps.add(to_host(2), {0});
    const slot_id silent = taps.add(to_host(3), {0});
    taps.publish();
    CHECK_FALSE(path.counters(slot).last_match);

    work.run_once();
    CHECK(looks == 1);
    CHECK(path.counters(slot).last_match == steady_time(seconds(100)));
    CHECK_FALSE(path.counters(silent).last_match);

    now += seconds(5);
    CHECK(path.counters(slot).last_match == steady_time(seconds(100)));
    work.run_once();
    CHECK(path.counters(slot).last_match == steady_time(seconds(105)));

    // 256 copies fill the outbox: the last 44 packets are matched after the wait.
    sink.make_room(100);
    sink.on_wait = [&now](collecting_sink& full) {
        now += seconds(60);
        full.make_room(SIZE_MAX);
    };
    work.run_once();
    CHECK(path.counters(slot).last_match == steady_time(seconds(165)));
    CHECK(looks == 4);
}

TEST_CASE("of several workers the newest match counts") {
    steady_time now{seconds(1)};
    data_path path({.clock = [&] { return now; }});
    deliveries got;
    std::vector<worker*> workers;
    for (int i = 0; i < 3; ++i)
        workers.push_back(&path.add_worker(
            std::make_unique<repeating_source>(std::vector<octets>{udp_packet(2)}, 9),
            std::make_unique<collecting_sink>(got)));
    tapping taps(path);
    const slot_id slot = taps.add(to_host(2), {0});
    taps.publish();
    workers[1]->run_once();
    now += seconds(1);
    workers[0]->run_once();
    CHECK(path.counters(slot).last_match == steady_time(seconds(2)));
    now += seconds(1);
    workers[1]->run_once();
    CHECK(path.counters(slot).last_match == steady_time(seconds(3)));
}
