// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <thread>

#include <doctest/doctest.h>

#include <flowtap/path/data_path.hpp>

#include "fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;

namespace {

/// A sink whose full state lets a test act in the middle of a batch.
struct blocked {
    explicit blocked(std::vector<octets> packets) : packets_(std::move(packets)) {}

    worker& start(data_path& path, std::function<void(collecting_sink&)> while_full,
                  std::size_t room) {
        auto to = std::make_unique<collecting_sink>(got, room);
        to->on_wait = std::move(while_full);
        return path.add_worker(std::make_unique<repeating_source>(packets_, 1), std::move(to));
    }

    deliveries got;

private:
    std::vector<octets> packets_;
};

} // namespace

TEST_CASE("without workers at work every generation settles at once") {
    data_path path;
    deliveries got;
    path.add_worker(std::make_unique<repeating_source>(std::vector<octets>{}, 0),
                    std::make_unique<collecting_sink>(got));
    CHECK(path.in_force() == generation(0));
    CHECK(path.publish({}) == generation(1));
    CHECK(path.publish({}) == generation(2));
    CHECK(path.in_force() == generation(2));
    CHECK(path.settled() == generation(2));
}

TEST_CASE("a worker inside a batch keeps its generation from settling until it leaves") {
    // Read inside of a batch: `consume` is called between entering and leaving.
    struct inspecting_sink final : sink {
        std::function<void()> look;
        std::size_t consume(std::span<const copy> copies) noexcept override {
            look();
            ledger().delivered(copies);
            return copies.size();
        }
        void wait(std::chrono::milliseconds) noexcept override {}
    };
    data_path path;
    int calls = 0;
    path.on_news([&calls] { ++calls; });
    auto to = std::make_unique<inspecting_sink>();
    inspecting_sink& sink = *to;
    worker& work = path.add_worker(
        std::make_unique<repeating_source>(std::vector<octets>{udp_packet(2)}, 1), std::move(to));
    tapping taps(path);
    taps.add(any_ipv4(), {0});
    const generation first = taps.publish();
    int looks = 0;
    sink.look = [&] {
        ++looks;
        CHECK(path.settled() == first);
        const generation second = path.publish({});
        CHECK(path.in_force() == second);
        CHECK(path.settled() == first);
        // A third one has to wait; a fourth takes its place.
        path.publish({});
        path.publish({});
        CHECK(path.in_force() == second);
        CHECK(path.settled() == first);
        CHECK(calls == 0);
    };
    work.run_once();
    CHECK(looks == 1);
    CHECK(calls == 1);
    CHECK(path.settled() == generation(4));
    CHECK(path.in_force() == generation(4));
    CHECK(calls == 1);
}

TEST_CASE("a worker that waits for its sink counts as having passed on") {
    blocked all(std::vector<octets>(10, udp_packet(2)));
    data_path path;
    tapping taps(path);
    int looks = 0;
    worker& work = all.start(
        path,
        [&](collecting_sink& sink) {
            ++looks;
            const generation next = taps.publish();
            CHECK(path.settled() == next);
            sink.make_room(4);
        },
        4);
    taps.add(any_ipv4(), {0});
    taps.publish();
    work.run();
    CHECK(looks == 2);
    CHECK(all.got[0].size() == 10);
}

TEST_CASE("nothing of a deleted criterion leaves once its deletion has settled") {
    blocked all(std::vector<octets>(10, udp_packet(2)));
    data_path path;
    tapping taps(path);
    slot_id doomed;
    worker& work = all.start(
        path,
        [&](collecting_sink& sink) {
            taps.remove(doomed);
            const generation without = taps.publish();
            CHECK(path.settled() == without);
            sink.on_wait = nullptr;
            sink.make_room(SIZE_MAX);
        },
        5);
    doomed = taps.add(to_host(2), {0});
    taps.add(to_host(2), {1});
    taps.publish();
    work.run();
    // Five copies had left when it was deleted, those for the first two packets and a half.
    CHECK(all.got[0].size() == 3);
    CHECK(all.got[1].size() == 10);
    CHECK(dropped(work.counters(), drop_cause::withdrawn) == 7);
    CHECK(closes(work.counters()));
}

TEST_CASE("a copy that waits goes out when another criterion of its stream still asks for it") {
    blocked all(std::vector<octets>(10, udp_packet(2)));
    data_path path;
    tapping taps(path);
    slot_id doomed;
    worker& work = all.start(
        path,
        [&](collecting_sink& sink) {
            taps.remove(doomed);
            taps.publish();
            sink.on_wait = nullptr;
            sink.make_room(SIZE_MAX);
        },
        5);
    doomed = taps.add(to_host(2), {0});
    taps.add(any_ipv4(), {0});
    taps.publish();
    work.run();
    CHECK(all.got[0].size() == 10);
    CHECK(dropped(work.counters(), drop_cause::withdrawn) == 0);
}

TEST_CASE("a slot given to a new criterion inherits neither counters nor waiting copies") {
    blocked all(std::vector<octets>(10, udp_packet(2)));
    data_path path(data_path_options{1, 16});
    tapping taps(path);
    slot_id first;
    slot_id second;
    worker& work = all.start(
        path,
        [&](collecting_sink& sink) {
            slot_id none;
            CHECK_FALSE(path.acquire(none));
            taps.remove(first);
            CHECK_FALSE(path.acquire(none));
            taps.publish();
            second = taps.add(to_host(2), {0});
            CHECK(second == first);
            taps.publish();
            sink.on_wait = nullptr;
            sink.make_room(SIZE_MAX);
        },
        5);
    first = taps.add(to_host(2), {0});
    taps.publish();
    work.run();
    CHECK(all.got[0].size() == 5);
    CHECK(path.counters(second).packets == 0);
    CHECK(dropped(work.counters(), drop_cause::withdrawn) == 5);
}

TEST_CASE("a stopped slot is not copied although its snapshot is still in force") {
    data_path path;
    deliveries got;
    worker& work =
        path.add_worker(std::make_unique<repeating_source>(std::vector<octets>{udp_packet(2)}, 2),
                        std::make_unique<collecting_sink>(got));
    tapping taps(path);
    const slot_id slot = taps.add(any_ipv4(), {0});
    taps.publish();
    work.run_once();
    path.stop(slot);
    work.run_once();
    CHECK(got[0].size() == 1);
    CHECK(path.counters(slot).packets == 1);
}

TEST_CASE("a stream number above the limit is refused") {
    data_path path(data_path_options{16, 1024});
    action_table actions;
    actions.assign(slot_id(0), action_for({2000}));
    CHECK_THROWS_AS(path.publish({nullptr, actions, nullptr, nullptr}), std::length_error);
}

TEST_CASE("a worker added later counts for criteria that were there before") {
    data_path path;
    tapping taps(path);
    const slot_id slot = taps.add(any_ipv4(), {0});
    taps.publish();
    deliveries got;
    worker& work =
        path.add_worker(std::make_unique<repeating_source>(std::vector<octets>{udp_packet(2)}, 1),
                        std::make_unique<collecting_sink>(got));
    work.run();
    CHECK(path.counters(slot).packets == 1);
}
