// SPDX-License-Identifier: Apache-2.0
// Budgets that several workers draw upon at once. These cases are also run under ThreadSanitizer.
#include <atomic>
#include <chrono>
#include <map>
#include <random>
#include <thread>

#include <doctest/doctest.h>

#include <flowtap/path/data_path.hpp>

#include "fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;

namespace {

constexpr std::uint32_t seed = 20261122;
constexpr std::uint8_t host_count = 16;

/// How many packets all sources together may still give.
using allowance = std::atomic<std::int64_t>;

/// Goes round and round through its packets, as far as it may.
class rolling_source final : public source {
public:
    rolling_source(std::vector<octets> packets, allowance& left)
        : packets_(std::move(packets)), left_(left) {}

    read_result read(std::span<captured_packet> into) noexcept override {
        if (left_.load() <= 0) {
            std::this_thread::yield();
            return {0, source_state::ready};
        }
        left_ -= static_cast<std::int64_t>(into.size());
        for (captured_packet& each : into) {
            each = captured(packets_[next_]);
            next_ = (next_ + 1) % packets_.size();
        }
        return {into.size(), source_state::ready};
    }
    void wait(std::chrono::milliseconds) noexcept override {}
    void interrupt() noexcept override {}
    backpressure when_full() const noexcept override { return backpressure::wait; }

private:
    std::vector<octets> packets_;
    allowance& left_;
    std::size_t next_ = 0;
};

/// Counts the copies and their octets by stream; full now and then.
class counting_sink final : public sink {
public:
    std::size_t consume(std::span<const copy> copies) noexcept override {
        const std::size_t taken = ++calls_ % 5 == 0 ? copies.size() / 2 : copies.size();
        for (const copy& each : copies.first(taken)) {
            packets[each.stream.value()].fetch_add(1);
            octets_taken[each.stream.value()].fetch_add(each.packet.size());
        }
        ledger().delivered(copies.first(taken));
        return taken;
    }
    void wait(std::chrono::milliseconds) noexcept override { std::this_thread::yield(); }

    std::array<std::atomic<std::uint64_t>, host_count> packets{};
    std::array<std::atomic<std::uint64_t>, host_count> octets_taken{};

private:
    std::size_t calls_ = 0;
};

/// Workers on threads of their own, over endless random traffic, until the end.
class crew {
public:
    crew(data_path& path, std::size_t size, std::mt19937& random) {
        for (std::size_t i = 0; i < size; ++i) {
            std::vector<octets> packets;
            // Every host at least once.
            for (unsigned each = 0; each < 101; ++each)
                packets.push_back(udp_packet(
                    static_cast<std::uint8_t>(each < host_count ? each : random() % host_count), 53,
                    random() % 91));
            auto to = std::make_unique<counting_sink>();
            sinks_.push_back(to.get());
            workers_.push_back(
                &path.add_worker(std::make_unique<rolling_source>(std::move(packets), left),
                                 std::move(to), {.batch = 1 + random() % 97}));
        }
    }
    ~crew() { end(); }

    void start() {
        for (worker* each : workers_)
            threads_.emplace_back([each] { each->run(); });
    }
    void end() {
        for (worker* each : workers_)
            each->request_stop();
        for (std::thread& each : threads_)
            each.join();
        threads_.clear();
    }
    allowance left{INT64_MAX / 2};

    std::uint64_t packets(std::size_t stream) const {
        std::uint64_t sum = 0;
        for (const counting_sink* each : sinks_)
            sum += each->packets[stream].load();
        return sum;
    }
    std::uint64_t octets_taken(std::size_t stream) const {
        std::uint64_t sum = 0;
        for (const counting_sink* each : sinks_)
            sum += each->octets_taken[stream].load();
        return sum;
    }

private:
    std::vector<worker*> workers_;
    std::vector<counting_sink*> sinks_;
    std::vector<std::thread> threads_;
};

/// The next slot that is told; waits for it.
slot_id next_told(data_path& path) {
    for (;;) {
        if (const auto slot = path.next_exhausted())
            return *slot;
        std::this_thread::yield();
    }
}

/// Waits until each of `slots` has been told, and calls `check` with it and its stream.
template <class Check>
void each_is_told_once(data_path& path, std::map<slot_id, std::uint32_t> slots, Check check) {
    while (!slots.empty()) {
        const slot_id slot = next_told(path);
        const auto found = slots.find(slot);
        REQUIRE(found != slots.end());
        check(slot, found->second);
        slots.erase(found);
    }
}

} // namespace

TEST_CASE(
    "however many workers there are, exactly the packets of the budgets are matched and copied") {
    MESSAGE("seed " << seed);
    for (const std::size_t workers : {1U, 2U, 4U}) {
        CAPTURE(workers);
        std::mt19937 random(seed);
        data_path path;
        crew all(path, workers, random);
        tapping taps(path);
        std::map<slot_id, std::uint32_t> slots;
        std::map<slot_id, std::uint64_t> budgets;
        for (std::uint8_t host = 0; host < host_count; ++host) {
            const slot_id slot = taps.add(to_host(host), {host});
            budgets[slot] = 1 + random() % 700;
            path.grant(slot, {budgets[slot], {}});
            slots[slot] = host;
        }
        taps.publish();
        all.start();
        each_is_told_once(path, slots, [&](slot_id slot, std::uint32_t stream) {
            CHECK(path.counters(slot).packets == budgets[slot]);
            CHECK(all.packets(stream) == budgets[slot]);
        });
        all.end();
        for (const auto& [slot, stream] : slots) {
            CHECK(path.counters(slot).packets == budgets[slot]);
            CHECK(all.packets(stream) == budgets[slot]);
            CHECK(path.remaining(slot) == match_budget{0, {}});
        }
        CHECK_FALSE(path.next_exhausted());
        CHECK(closes(path.counters()));
    }
}

TEST_CASE("one budget that all workers draw from with every packet is exact") {
    struct row {
        std::size_t workers;
        match_budget budget;
    };
    // Every packet is of 40 octets.
    for (const row& each :
         {row{2, {300'000, {}}}, row{2, {{}, 300'000 * 40}}, row{4, {300'000, 300'000 * 40}},
          row{4, {500'000, 300'000 * 40 + 39}}}) {
        CAPTURE(each.workers);
        data_path path;
        allowance left{INT64_MAX / 2};
        std::vector<worker*> workers;
        std::vector<counting_sink*> sinks;
        for (std::size_t i = 0; i < each.workers; ++i) {
            auto to = std::make_unique<counting_sink>();
            sinks.push_back(to.get());
            workers.push_back(&path.add_worker(
                std::make_unique<rolling_source>(std::vector<octets>{udp_packet(2, 53, 12)}, left),
                std::move(to)));
        }
        tapping taps(path);
        const slot_id slot = taps.add(any_ipv4(), {0});
        path.grant(slot, each.budget);
        taps.publish();
        std::vector<std::thread> threads;
        for (worker* one : workers)
            threads.emplace_back([one] { one->run(); });
        CHECK(next_told(path) == slot);
        std::uint64_t copied = 0;
        for (const counting_sink* to : sinks)
            copied += to->packets[0].load();
        CHECK(copied == 300'000);
        CHECK(path.counters(slot).packets == 300'000);
        for (worker* one : workers)
            one->request_stop();
        for (std::thread& one : threads)
            one.join();
        CHECK(path.counters(slot).packets == 300'000);
        CHECK_FALSE(path.next_exhausted());
    }
}

TEST_CASE("never more than the octets of a budget are matched, and what is matched is copied") {
    MESSAGE("seed " << seed);
    for (const std::size_t workers : {1U, 2U, 4U}) {
        CAPTURE(workers);
        std::mt19937 random(seed);
        data_path path;
        crew all(path, workers, random);
        tapping taps(path);
        std::map<slot_id, std::uint32_t> slots;
        std::map<slot_id, match_budget> budgets;
        for (std::uint8_t host = 0; host < host_count; ++host) {
            const slot_id slot = taps.add(to_host(host), {host});
            budgets[slot].octets = 1 + random() % 40000;
            if (host % 2 == 0)
                budgets[slot].packets = 1 + random() % 600;
            path.grant(slot, budgets[slot]);
            slots[slot] = host;
        }
        taps.publish();
        all.start();
        each_is_told_once(path, slots, [&](slot_id slot, std::uint32_t stream) {
            const slot_counters counted = path.counters(slot);
            CHECK(counted.octets <= *budgets[slot].octets);
            // What was left was too little for one packet.
            if (path.remaining(slot).packets != 0U)
                CHECK(counted.octets + 28 + 90 > *budgets[slot].octets);
            if (budgets[slot].packets)
                CHECK(counted.packets + *path.remaining(slot).packets == *budgets[slot].packets);
            CHECK(all.octets_taken(stream) == counted.octets);
            CHECK(all.packets(stream) == counted.packets);
        });
        all.end();
        CHECK_FALSE(path.next_exhausted());
    }
}

TEST_CASE("refills race with the end of a budget, and each counts or is refused, never both") {
    MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    data_path path;
    crew all(path, 2, random);
    tapping taps(path);
    std::map<slot_id, std::uint32_t> slots;
    std::map<slot_id, std::uint64_t> granted;
    for (std::uint8_t host = 0; host < host_count; ++host) {
        const slot_id slot = taps.add(to_host(host), {host});
        granted[slot] = 40 + random() % 100;
        path.grant(slot, {granted[slot], {}});
        slots[slot] = host;
    }
    taps.publish();
    all.left = 0;
    all.start();
    struct bounds {
        std::uint64_t least;
        std::uint64_t most;
    };
    std::map<slot_id, bounds> expected;
    for (const auto& [slot, stream] : slots)
        expected[slot] = {granted[slot], granted[slot]};
    std::map<slot_id, std::uint32_t> open = slots;
    constexpr int early_refills = 32;
    int done = 0;
    while (!open.empty()) {
        // Some refills before there is traffic, so that there are some however busy the machine is;
        // then the workers read on now and then, while refills go on.
        if (done >= early_refills && random() % 8 == 0)
            all.left = 400;
        auto chosen = open.begin();
        std::advance(chosen, static_cast<std::ptrdiff_t>(random() % open.size()));
        const slot_id slot = chosen->first;
        const std::uint64_t more = 1 + random() % 60;
        const std::uint64_t before = path.counters(slot).packets;
        if (done < 5000 && path.refill(slot, {more, {}})) {
            ++done;
            // Each worker may have drawn one packet before that it counts after.
            expected[slot] = {before + more, path.counters(slot).packets + more + 2};
        } else {
            open.erase(chosen);
        }
    }
    all.left = INT64_MAX / 2;
    MESSAGE(done << " refills");
    CHECK(done >= early_refills);
    each_is_told_once(path, slots, [&](slot_id slot, std::uint32_t stream) {
        const std::uint64_t matched = path.counters(slot).packets;
        CHECK(matched >= expected[slot].least);
        CHECK(matched <= expected[slot].most);
        CHECK(all.packets(stream) == matched);
        CHECK_FALSE(path.refill(slot, {1, {}}));
    });
    all.end();
    CHECK_FALSE(path.next_exhausted());
    CHECK(closes(path.counters()));
}

TEST_CASE("criteria with budgets come, end and go, and no slot tells of the one before") {
    MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    // Room for those that are there, and for those that leave.
    data_path path(data_path_options{std::size_t{2} * host_count, host_count});
    crew all(path, 2, random);
    tapping taps(path);
    struct tenant {
        std::uint64_t budget;
        std::uint32_t stream;
    };
    std::map<slot_id, tenant> present;
    all.start();
    const auto take_out = [&](slot_id slot) {
        taps.remove(slot);
        present.erase(slot);
    };
    std::uint64_t told = 0;
    for (int turn = 0; turn < 400; ++turn) {
        for (std::uint8_t host = 0; host < host_count; ++host) {
            if (random() % 4 != 0)
                continue;
            const auto same = std::ranges::find(
                present, host, [](const auto& each) { return each.second.stream; });
            if (same != present.end()) {
                take_out(same->first); // told or not
                continue;
            }
            const slot_id slot = taps.add(to_host(host), {host});
            present[slot] = {random() % 60, host};
            path.grant(slot, {present[slot].budget, {}});
        }
        for (const generation wanted = taps.publish(); path.settled() < wanted;)
            std::this_thread::yield();
        all.left = static_cast<std::int64_t>(random() % 1000);
        while (all.left > 0)
            std::this_thread::yield();
        while (const auto slot = path.next_exhausted()) {
            ++told;
            const auto found = present.find(*slot);
            REQUIRE(found != present.end());
            CHECK(path.counters(*slot).packets == found->second.budget);
            take_out(*slot);
        }
    }
    MESSAGE(told << " told");
    CHECK(told > 100);
    all.end();
    CHECK(closes(path.counters()));
}
