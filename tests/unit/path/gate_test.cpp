// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <numeric>
#include <random>
#include <thread>

#include <doctest/doctest.h>

#include <flowtap/path/data_path.hpp>

#include "fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

constexpr steady_time start{seconds(1000)};

/// Gives each batch the ports it is told, one packet to each, with the packet's place as its host.
class port_source final : public source {
public:
    explicit port_source(std::vector<std::vector<std::uint32_t>> batches)
        : batches_(std::move(batches)) {
        for (unsigned host = 0; host < 256; ++host)
            packets_.push_back(udp_packet(static_cast<std::uint8_t>(host), 53, 10 + host % 7));
    }
    read_result read(std::span<captured_packet> into) noexcept override {
        if (next_ == batches_.size())
            return {0, source_state::finished};
        const std::vector<std::uint32_t>& ports = batches_[next_++];
        for (std::size_t i = 0; i < ports.size(); ++i) {
            into[i] = captured(packets_[i]);
            into[i].port = port_id(ports[i]);
        }
        return {ports.size(), source_state::ready};
    }
    void wait(milliseconds) noexcept override {}
    void interrupt() noexcept override {}
    backpressure when_full() const noexcept override { return backpressure::wait; }

private:
    std::vector<std::vector<std::uint32_t>> batches_;
    std::vector<octets> packets_;
    std::size_t next_ = 0;
};

/// One worker over batches of ports, with gates; the time stands still.
struct bench {
    explicit bench(std::vector<std::vector<std::uint32_t>> batches)
        : work(path.add_worker(std::make_unique<port_source>(std::move(batches)),
                               std::make_unique<collecting_sink>(got))) {
        taps.add(any_ipv4(), {0});
    }
    void gate(std::uint32_t port, std::shared_ptr<rate_gate> with) {
        gates->set(port_id(port), std::move(with));
        taps.gates = gates;
    }
    /// Places in the batch of the packets that were copied since the last call.
    std::vector<int> run_once() {
        got[0].clear();
        work.run_once();
        std::vector<int> places;
        for (const octets& each : got[0])
            places.push_back(std::to_integer<int>(each[19]));
        return places;
    }

    steady_time now = start;
    deliveries got;
    data_path path{{.clock = [this] { return now; }}};
    worker& work;
    std::shared_ptr<input_gates> gates = std::make_shared<input_gates>();
    tapping taps{path};
};

} // namespace

TEST_CASE("a gate lets a tenth of a second's packets through at once, and then its rate") {
    rate_gate gate(1000);
    CHECK(gate.take(60, start) == 60);
    CHECK(gate.take(60, start) == 40);
    CHECK(gate.take(1, start) == 0);
    CHECK(gate.take(5, start + nanoseconds(999'999)) == 0);
    CHECK(gate.take(5, start + milliseconds(1)) == 1);
    CHECK(gate.take(100, start + milliseconds(51)) == 50);
    // What was not used is kept for a tenth of a second, not longer.
    CHECK(gate.take(1000, start + seconds(100)) == 100);
    CHECK(gate.take(0, start + seconds(200)) == 0);
    // An older reading of the clock than another worker's.
    CHECK(gate.take(10, start + seconds(99)) == 0);
}

TEST_CASE("rates hold to the packet over a long time, whatever their size and the steps") {
    constexpr std::uint32_t seed = 20261123;
    MESSAGE("seed " << seed);
    std::mt19937_64 random(seed);
    for (const std::uint64_t rate : {1ULL, 3ULL, 7ULL, 10ULL, 999ULL, 65'537ULL, 3'333'333ULL}) {
        for (const steady_time origin :
             {start, steady_time{}, steady_time(seconds(-50)), steady_time(seconds(1ULL << 33))}) {
            CAPTURE(rate);
            rate_gate gate(rate);
            const std::uint64_t burst = std::max<std::uint64_t>(rate / 10, 1);
            std::uint64_t passed = gate.take(UINT64_MAX, origin);
            CHECK(passed == burst);
            steady_time now = origin;
            // Steps within what the gate keeps, to 100 seconds sharp.
            const std::uint64_t longest = std::min<std::uint64_t>(
                100'000'000, 1'000'000'000 / rate * std::max<std::uint64_t>(burst - 1, 1));
            while (now < origin + seconds(100)) {
                now += nanoseconds(1 + longest / 50 + random() % (longest / 2));
                now = std::min(now, origin + seconds(100));
                passed += gate.take(UINT64_MAX, now);
            }
            CHECK(passed == burst + 100 * rate);
        }
    }
}

TEST_CASE("a rate of zero lets nothing through, the highest everything") {
    rate_gate closed(0);
    CHECK(closed.take(100, start) == 0);
    CHECK(closed.take(100, start + seconds(100)) == 0);
    rate_gate open(UINT64_MAX);
    CHECK(open.take(1'000'000, start) == 1'000'000);
}

TEST_CASE("workers that share a gate share its rate") {
    rate_gate gate(1000);
    std::atomic<std::uint64_t> passed{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&gate, &passed] {
            for (int step = 0; step <= 1000; ++step)
                passed += gate.take(7, start + milliseconds(step));
        });
    for (std::thread& each : threads)
        each.join();
    CHECK(passed.load() <= 100 + 1000);
    CHECK(passed.load() + gate.take(200, start + seconds(1)) >= 100 + 1000 - 100);
}

TEST_CASE("what passes is spread over the batch") {
    struct row {
        std::uint64_t tenth; ///< how many may pass at once
        std::size_t arrived;
        std::vector<int> passed;
    };
    const row rows[] = {
        {1, 1, {0}},
        {1, 3, {1}},
        {1, 9, {4}},
        {2, 8, {1, 5}},
        {3, 6, {0, 2, 4}},
        {5, 6, {0, 1, 2, 4, 5}},
        {6, 6, {0, 1, 2, 3, 4, 5}},
        {9, 6, {0, 1, 2, 3, 4, 5}},
    };
    for (const row& each : rows) {
        CAPTURE(each.tenth);
        CAPTURE(each.arrived);
        bench all({std::vector<std::uint32_t>(each.arrived, 4)});
        all.gate(4, std::make_shared<rate_gate>(each.tenth * 10));
        all.taps.publish();
        CHECK(all.run_once() == each.passed);
    }
}

TEST_CASE("no stretch of a batch gets much more than its share") {
    for (std::size_t tenth = 1; tenth <= 200; ++tenth) {
        bench all({std::vector<std::uint32_t>(200, 0)});
        all.gate(0, std::make_shared<rate_gate>(tenth * 10));
        all.taps.publish();
        const std::vector<int> passed = all.run_once();
        REQUIRE(passed.size() == tenth);
        for (std::size_t i = 1; i < passed.size(); ++i) {
            const int gap = passed[i] - passed[i - 1];
            CHECK(gap >= static_cast<int>(200 / tenth));
            CHECK(gap <= static_cast<int>(200 / tenth) + 1);
        }
    }
}

TEST_CASE("packets are sampled out before they are decoded, and counted") {
    bench all({std::vector<std::uint32_t>(100, 1), std::vector<std::uint32_t>(100, 1)});
    all.gate(1, std::make_shared<rate_gate>(100));
    all.taps.publish();
    CHECK(all.run_once().size() == 10);
    path_counters counters = all.path.counters();
    CHECK(counters.seen == 100);
    CHECK(counters.sampled_out == 90);
    CHECK(counters.decoded[static_cast<std::size_t>(packet::verdict::ip)] == 10);
    std::uint64_t sent = 0;
    for (unsigned i = 0; i < 100; ++i)
        sent += 28 + 10 + i % 7;
    CHECK(counters.seen_octets == sent);
    CHECK(closes(counters));
    all.now += milliseconds(50);
    CHECK(all.run_once().size() == 5);
    CHECK(all.path.counters().sampled_out == 90 + 95);
    CHECK(closes(all.path.counters()));
}

TEST_CASE("each port has its own gate, or shares one, or has none, however they mix in a batch") {
    std::vector<std::uint32_t> mixed;
    for (std::uint32_t i = 0; i < 120; ++i)
        mixed.push_back(i % 4);
    std::vector<std::uint32_t> runs(120);
    for (std::uint32_t i = 0; i < 120; ++i)
        runs[i] = i / 30;
    for (const auto& batch : {mixed, runs}) {
        bench all({batch});
        const auto shared = std::make_shared<rate_gate>(200);
        all.gate(0, std::make_shared<rate_gate>(50));
        all.gate(1, shared);
        all.gate(3, shared);
        all.taps.publish();
        std::array<int, 4> passed{};
        for (const int place : all.run_once())
            ++passed[batch[static_cast<std::size_t>(place)]];
        CHECK(passed[0] == 5);
        CHECK(passed[1] == 10);
        CHECK(passed[2] == 30);
        CHECK(passed[3] == 10);
    }
}

TEST_CASE("more gates in one batch than are told apart at a time each let their rate through") {
    std::vector<std::uint32_t> batch;
    for (std::uint32_t i = 0; i < 240; ++i)
        batch.push_back(i % 20);
    bench all({batch, batch});
    for (std::uint32_t port = 0; port < 20; ++port)
        all.gate(port, std::make_shared<rate_gate>(10 + 10 * port));
    all.taps.publish();
    for (int turn = 0; turn < 2; ++turn) {
        std::array<std::size_t, 20> passed{};
        for (const int place : all.run_once())
            ++passed[batch[static_cast<std::size_t>(place)]];
        for (std::size_t port = 0; port < 20; ++port)
            CHECK(passed[port] == std::min<std::size_t>(port + 1, 12));
        all.now += milliseconds(100);
    }
}

TEST_CASE("a new snapshot with the same gate does not let more through") {
    bench all({std::vector<std::uint32_t>(100, 0), std::vector<std::uint32_t>(100, 0),
               std::vector<std::uint32_t>(100, 0)});
    const auto gate = std::make_shared<rate_gate>(300);
    all.gate(0, gate);
    all.taps.publish();
    CHECK(all.run_once().size() == 30);
    auto anew = std::make_shared<input_gates>();
    anew->set(port_id(0), gate);
    all.taps.gates = anew;
    all.taps.publish();
    CHECK(all.run_once().empty());
    all.taps.gates = nullptr;
    all.taps.publish();
    CHECK(all.run_once().size() == 100);
}
