// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include <doctest/doctest.h>

#include <flowtap/path/data_path.hpp>

#include "fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;

namespace {

constexpr std::size_t stream_count = 64;

/// Fails the test when a copy comes for a stream that is closed.
class guarding_sink final : public sink {
public:
    explicit guarding_sink(std::array<std::atomic<bool>, stream_count>& open) : open_(open) {}

    std::size_t consume(std::span<const copy> copies) noexcept override {
        // Full now and then, so that workers go offline with copies in hand.
        const std::size_t taken = ++calls_ % 7 == 0 ? copies.size() / 2 : copies.size();
        for (const copy& each : copies.first(taken)) {
            if (!open_[each.stream.value()].load())
                forbidden.fetch_add(1);
            if (each.header->size() != 28)
                broken.fetch_add(1);
        }
        ledger().delivered(copies.first(taken));
        return taken;
    }
    void wait(std::chrono::milliseconds) noexcept override { std::this_thread::yield(); }

    std::atomic<std::uint64_t> forbidden{0};
    std::atomic<std::uint64_t> broken{0};

private:
    std::array<std::atomic<bool>, stream_count>& open_;
    std::size_t calls_ = 0;
};

/// Lets the control side sleep until a generation may have settled.
class waker {
public:
    void wake() {
        const std::lock_guard lock(mutex_);
        woken_ = true;
        condition_.notify_one();
    }
    void sleep() {
        std::unique_lock lock(mutex_);
        condition_.wait(lock, [this] { return woken_; });
        woken_ = false;
    }

private:
    std::mutex mutex_;
    std::condition_variable condition_;
    bool woken_ = false;
};

} // namespace

TEST_CASE("criteria come and go under two busy workers, and nothing is copied after its time") {
    constexpr std::uint32_t seed = 20261121;
    MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    std::array<std::atomic<bool>, stream_count> open{};
    std::vector<octets> packets;
    for (std::uint8_t host = 0; host < stream_count; ++host)
        packets.push_back(udp_packet(host));

    data_path path(data_path_options{stream_count, stream_count});
    waker settled;
    path.on_news([&settled] { settled.wake(); });
    tapping taps(path);
    std::array<guarding_sink*, 2> sinks{};
    std::vector<worker*> workers;
    for (auto& each : sinks) {
        auto to = std::make_unique<guarding_sink>(open);
        each = to.get();
        workers.push_back(
            &path.add_worker(std::make_unique<repeating_source>(packets, SIZE_MAX), std::move(to)));
    }
    std::vector<std::thread> threads;
    for (worker* each : workers)
        threads.emplace_back([each] { each->run(); });

    std::map<std::uint32_t, slot_id> present;
    for (int turn = 0; turn < 300; ++turn) {
        std::vector<std::uint32_t> closing;
        for (int change = 0; change < 4; ++change) {
            const auto stream = static_cast<std::uint32_t>(random() % stream_count);
            if (std::ranges::find(closing, stream) != closing.end())
                continue;
            if (const auto found = present.find(stream); found != present.end()) {
                taps.remove(found->second);
                present.erase(found);
                closing.push_back(stream);
            } else {
                open[stream] = true;
                present[stream] = taps.add(to_host(static_cast<std::uint8_t>(stream)), {stream});
            }
        }
        const generation wanted = taps.publish();
        // Without a lost wake-up this ends.
        while (path.settled() < wanted)
            settled.sleep();
        for (const std::uint32_t stream : closing)
            open[stream] = false;
        if (turn % 16 == 0)
            CHECK(closes(path.counters()));
    }
    // On a busy machine the workers may not have had their turn yet.
    REQUIRE_FALSE(present.empty());
    while (path.counters().copies == 0)
        std::this_thread::yield();
    for (worker* each : workers)
        each->request_stop();
    for (std::thread& each : threads)
        each.join();
    for (const guarding_sink* each : sinks) {
        CHECK(each->forbidden == 0);
        CHECK(each->broken == 0);
    }
    CHECK(path.counters().copies > 0);
    CHECK(closes(path.counters()));
}
