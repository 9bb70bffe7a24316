// SPDX-License-Identifier: Apache-2.0
#include "loop_brake.hpp"

#include <deque>
#include <functional>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/path/delivery_ledger.hpp>

#include "fixtures.hpp"

using namespace flowtap;
using flowtap::path::detail::loop_brake;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

packet_key flow(std::uint32_t host, std::uint8_t protocol = 17) {
    packet_key made;
    made.source = {0, 0x0A000001};
    made.destination = {0, 0x0A000000U + host};
    made.protocol = protocol;
    return made;
}

struct packet {
    packet_key key;
    wall_time time;
};

/// A worker in small: reads what has been captured every 100 us, copies it, and pauses when it is
/// told to. What a copy begets is captured `delay` after it was sent.
struct tap {
    /// Lets `time` pass; `arrives(t)` says how many packets of foreign traffic come at t.
    void run(nanoseconds time, const std::function<std::vector<packet_key>(wall_time)>& arrives) {
        for (const wall_time end = now + time; now < end;) {
            advance(microseconds(100), arrives);
            batch();
            nanoseconds pause = brake.end_of_batch(now, octets);
            paused += pause;
            for (; pause > nanoseconds(0); pause -= microseconds(100))
                advance(microseconds(100), arrives);
        }
    }

    void advance(nanoseconds time,
                 const std::function<std::vector<packet_key>(wall_time)>& arrives) {
        now += time;
        while (!begotten.empty() && begotten.front().time <= now) {
            captured.push_back(begotten.front());
            begotten.pop_front();
        }
        for (const packet_key& key : arrives(now))
            captured.push_back({key, now});
    }

    void batch() {
        for (const packet& each : captured) {
            octets += 100;
            if (!brake.admit(each.key, each.time)) {
                ++refused;
                continue;
            }
            ++copies;
            // Copies go through a tunnel, whose packets are of one flow.
            if (loops)
                begotten.push_back({flow(99, 50), now + delay});
        }
        captured.clear();
    }

    loop_brake brake;
    wall_time now = wall_time(seconds(1'000'000));
    nanoseconds delay = microseconds(200);
    bool loops = false;
    std::deque<packet> begotten;
    std::vector<packet> captured;
    std::uint64_t octets = 0;
    std::uint64_t copies = 0;
    std::uint64_t refused = 0;
    nanoseconds paused{0};
};

std::vector<packet_key> nothing(wall_time) {
    return {};
}

/// One packet every 100 us, of one flow.
std::vector<packet_key> steady(wall_time) {
    return {flow(1)};
}

} // namespace

TEST_CASE("a loop of one packet is found and ends") {
    tap all;
    all.loops = true;
    all.begotten.push_back({flow(99, 50), all.now});
    all.run(seconds(5), nothing);
    CHECK(all.refused == 1);
    // It would have been 16,000 otherwise.
    CHECK(all.copies < 10'000);
}

TEST_CASE("a loop that is fed all the time is refused, and what feeds it is copied on") {
    tap all;
    all.loops = true;
    all.run(seconds(20), steady);
    // Every packet of the traffic leaves once; the tunnel's packets are refused from then on.
    CHECK(all.copies > 200'000);
    CHECK(all.refused > 150'000);
    const std::uint64_t before = all.copies;
    all.run(seconds(10), steady);
    CHECK(all.copies - before <= 100'100);
}

TEST_CASE("a loop is found whatever other traffic is copied, and that loses nothing") {
    tap all;
    all.loops = true;
    std::uint64_t sent = 0;
    all.run(seconds(3), [&](wall_time) {
        sent += 3;
        return std::vector{flow(1), flow(2), flow(3)};
    });
    CHECK(all.refused > 0);
    CHECK(all.copies >= sent - 3);
}

TEST_CASE("a loop that takes longer is found in longer moments") {
    tap all;
    all.loops = true;
    all.delay = milliseconds(35);
    for (int i = 0; i < 230; ++i)
        all.begotten.push_back({flow(99, 50), all.now + microseconds(150) * i});
    all.run(seconds(20), nothing);
    CHECK(all.refused == 230);
}

TEST_CASE("heavy traffic is never refused, and is held up ever more seldom") {
    tap all;
    all.run(seconds(1), steady);
    const nanoseconds first = all.paused;
    CHECK(first == milliseconds(10 + 40 + 160));
    all.run(seconds(199), steady);
    CHECK(all.refused == 0);
    CHECK(all.copies == 2'000'000);
    // At 10, 30, 70 and 150 s.
    CHECK(all.paused == first + milliseconds(4 * 160));
}

TEST_CASE("no more traffic is made to wait than a kernel's buffer takes") {
    tap all;
    // 800,000 packets of 100 octets a second.
    all.run(seconds(1), [](wall_time) { return std::vector(80, flow(1)); });
    CHECK(all.refused == 0);
    CHECK(all.paused > milliseconds(10));
    CHECK(all.paused < milliseconds(10 + 40 + 53));
}

TEST_CASE("traffic that is not busy is left alone") {
    tap all;
    int turn = 0;
    all.run(seconds(60), [&](wall_time) {
        return ++turn % 6 == 0 ? std::vector{flow(1)} : std::vector<packet_key>{};
    });
    CHECK(all.paused == nanoseconds(0));
    CHECK(all.refused == 0);
}

TEST_CASE("traffic in bursts, whose gaps look like the end of a loop, is not taken for one") {
    constexpr std::uint32_t seed = 20261130;
    MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    for (const int gap : {2, 5, 8, 15, 40}) {
        tap all;
        wall_time change = all.now;
        bool on = true;
        all.run(seconds(100), [&](wall_time now) {
            if (now >= change) {
                on = !on;
                change = now + microseconds(1000 * gap / 2 + random() % (1000U * gap));
            }
            return on ? std::vector(2, flow(1)) : std::vector<packet_key>{};
        });
        CHECK(all.refused == 0);
    }
}

TEST_CASE(
    "a loop that is there again when its time is over is refused again, sooner and for longer") {
    tap all;
    all.loops = true;
    all.run(seconds(50), steady);
    const std::uint64_t found = all.copies - 500'000;
    // At 60 s and at 180 s.
    all.run(seconds(150), steady);
    const std::uint64_t again = all.copies - 2'000'000 - found;
    MESSAGE(found << " copies before it was found, then " << again);
    CHECK(again < found);
}

TEST_CASE("a worker that has a brake does not copy a loop, and counts what it left out") {
    struct waiting {
        path::test::octets packet;
        wall_time time;
    };
    wall_time now(seconds(1'000'000));
    std::deque<waiting> wire{{path::test::udp_packet(99, 53, 100), now}};

    struct looping_source final : path::source {
        looping_source(std::deque<waiting>& from, wall_time& time) : wire(from), now(time) {}
        path::read_result read(std::span<path::captured_packet> into) noexcept override {
            now += microseconds(100);
            batch.clear();
            for (; !wire.empty() && wire.front().time <= now && batch.size() < into.size();
                 wire.pop_front())
                batch.push_back(std::move(wire.front()));
            for (std::size_t i = 0; i < batch.size(); ++i) {
                into[i] = path::test::captured(batch[i].packet);
                into[i].time = batch[i].time;
            }
            return {batch.size(), path::source_state::ready};
        }
        void wait(milliseconds) noexcept override {}
        void interrupt() noexcept override {}
        path::backpressure when_full() const noexcept override { return path::backpressure::drop; }
        std::deque<waiting>& wire;
        wall_time& now;
        std::vector<waiting> batch;
    };
    struct tunnel final : path::sink {
        tunnel(std::deque<waiting>& to, wall_time& time) : wire(to), now(time) {}
        std::size_t consume(std::span<const path::copy> copies) noexcept override {
            for (std::size_t i = 0; i < copies.size(); ++i)
                wire.push_back({path::test::udp_packet(99, 53, 100), now + microseconds(200)});
            ledger().delivered(copies);
            return copies.size();
        }
        void wait(milliseconds) noexcept override {}
        std::deque<waiting>& wire;
        wall_time& now;
    };

    path::data_path_options options;
    options.wall_clock = [&now] { return now; };
    options.pause = [&now](nanoseconds time) { now += time; };
    path::data_path all(options);
    path::worker_options with;
    SUBCASE("with a brake") {
        with.loop_brake = true;
    }
    SUBCASE("without one, as by default") {}
    const bool ends = with.loop_brake;
    path::worker& work = all.add_worker(std::make_unique<looping_source>(wire, now),
                                        std::make_unique<tunnel>(wire, now), with);
    path::test::tapping taps(all);
    taps.add(path::test::any_ipv4(), {0});
    taps.publish();
    for (int i = 0; i < 20'000; ++i)
        work.run_once();
    const path::path_counters counters = work.counters();
    CHECK(path::test::closes(counters));
    CHECK(path::test::dropped(counters, path::drop_cause::looped) == (ends ? 1 : 0));
    CHECK((counters.delivered < 9000) == ends);
    CHECK(wire.empty() == ends);
}
