// SPDX-License-Identifier: Apache-2.0
// What several threads do with one live classifier. It is meant for ThreadSanitizer, and checks
// every answer anyhow.
#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <random>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/filter/live_classifier.hpp>

#include "test_values.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

constexpr std::uint32_t host_slots = 400;
constexpr std::uint32_t port_slots = 8;
constexpr std::uint32_t all_slots = host_slots + port_slots;

/// Which port the criterion of each slot asks for; zero stands for no criterion.
using moment = std::array<std::uint16_t, all_slots>;

/// The low slots ask for a host and a source port, the others only for a source port.
criterion make_criterion(std::uint32_t slot, std::uint16_t port) {
    filter_spec spec = wildcard(family::inet);
    spec.source_ports.entries.push_back({{port, port}});
    if (slot < host_slots) {
        const address_bits host{0, 0x0A00'0000 + slot};
        spec.destination_addresses.entries.push_back({{host, host}});
    }
    return criterion::make(slot_id(slot), spec).value();
}

struct published {
    classifier version;
    moment expected;
};

/// Where the newest version is to be had.
class bulletin {
public:
    void put(std::shared_ptr<const published> what) {
        const std::lock_guard lock(mutex_);
        what_ = std::move(what);
    }
    std::shared_ptr<const published> take() const {
        const std::lock_guard lock(mutex_);
        return what_;
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const published> what_;
};

/// Matches a batch of random packets and counts the wrong answers.
class matcher {
public:
    explicit matcher(std::uint64_t seed) : random_(seed), found_(batch, batch * (port_slots + 1)) {}

    std::size_t check(const published& against) {
        std::array<packet_key, batch> keys;
        for (packet_key& key : keys) {
            key = tcp("192.0.2.1", static_cast<std::uint16_t>(1 + random_() % 4), "192.0.2.2", 80);
            key.destination = {0, 0x0A00'0000 + random_() % (host_slots + 50)};
        }
        std::span<const packet_key> left(keys);
        std::size_t wrong = 0;
        while (!left.empty()) {
            const std::size_t done = against.version.match(left, found_);
            if (done == 0)
                return wrong + left.size();
            for (std::size_t i = 0; i < done; ++i)
                wrong += is_right(against.expected, left[i], found_.matches(i)) ? 0 : 1;
            left = left.subspan(done);
        }
        return wrong;
    }

private:
    static constexpr std::size_t batch = 100;

    static bool is_right(const moment& expected, const packet_key& key,
                         std::span<const slot_id> slots) {
        std::size_t next = 0;
        const auto expect = [&](std::uint64_t slot) {
            if (expected[slot] != key.source_port)
                return true;
            return next < slots.size() && slots[next++].value() == slot;
        };
        const std::uint64_t host = key.destination.low - 0x0A00'0000;
        bool right = host >= host_slots || expect(host);
        for (std::uint32_t slot = host_slots; slot < all_slots; ++slot)
            right = expect(slot) && right;
        return right && next == slots.size();
    }

    std::mt19937_64 random_;
    match_buffer found_;
};

/// A thread that runs one job at a time.
class merging_thread {
public:
    merging_thread() : thread_([this] { run(); }) {}
    ~merging_thread() {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }

    void hand_over(merge_job job) {
        {
            const std::lock_guard lock(mutex_);
            job_.emplace(std::move(job));
        }
        wake_.notify_one();
    }
    std::optional<merge_job> collect() {
        const std::lock_guard lock(mutex_);
        return std::exchange(done_, std::nullopt);
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [this] { return ended_ || job_; });
            if (!job_)
                return;
            merge_job job = *std::exchange(job_, std::nullopt);
            lock.unlock();
            job.run();
            lock.lock();
            // Now and then one gets lost.
            if (++count_ % 8 != 0)
                done_.emplace(std::move(job));
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    bool ended_ = false;
    std::size_t count_ = 0;
    std::optional<merge_job> job_;
    std::optional<merge_job> done_;
    std::thread thread_;
};

/// The thread that changes the classifier.
class control {
public:
    control(bulletin& to, std::uint64_t seed) : to_(to), random_(seed) {}

    void turn() {
        for (std::uint64_t left = 1 + random_() % 5; left != 0; --left)
            change();
        if (auto done = merging_.collect())
            live_.finish(std::move(*done));
        auto next = std::make_shared<published>();
        next->version = live_.version();
        next->expected = now_;
        to_.put(std::move(next));
        if (auto job = live_.begin_merge(random_() % 4 == 0 ? merge_aim::whole : merge_aim::steady))
            merging_.hand_over(std::move(*job));
    }

    std::uint64_t compiled() const { return live_.compiled(); }

private:
    void change() {
        const auto slot = static_cast<std::uint32_t>(random_() % all_slots);
        if (now_[slot] != 0) {
            live_.erase(slot_id(slot));
            now_[slot] = 0;
        }
        if (random_() % 3 != 0) {
            now_[slot] = static_cast<std::uint16_t>(1 + random_() % 4);
            REQUIRE(live_.insert(make_criterion(slot, now_[slot])).has_value());
        }
    }

    bulletin& to_;
    std::mt19937_64 random_;
    live_classifier live_;
    moment now_{};
    merging_thread merging_;
};

} // namespace

TEST_CASE("threads match with versions new and old while criteria come, go and are merged") {
    constexpr std::uint64_t seed = 20240601;
    INFO("seed " << seed);
    bulletin board;
    control changing(board, seed);
    changing.turn();
    std::atomic<bool> ended{false};
    std::array<std::atomic<std::size_t>, 4> wrong{};
    std::array<std::atomic<std::size_t>, 4> rounds{};
    std::vector<std::thread> threads;
    for (std::size_t number = 0; number < wrong.size(); ++number) {
        threads.emplace_back([&, number] {
            matcher one(seed + number);
            std::shared_ptr<const published> held = board.take();
            do {
                // Two are busy; one is mostly idle; one stays where it is for long.
                if (number == 2)
                    std::this_thread::yield();
                if (number != 3 || rounds[number] % 500 == 499)
                    held = board.take();
                wrong[number] += one.check(*held);
                ++rounds[number];
            } while (!ended);
        });
    }
    for (int turn = 0; turn < 1500; ++turn)
        changing.turn();
    ended = true;
    for (std::thread& one : threads)
        one.join();
    for (std::size_t number = 0; number < wrong.size(); ++number) {
        CHECK(wrong[number] == 0);
        CHECK(rounds[number] > 0);
    }
    CHECK(changing.compiled() > 0);
}
