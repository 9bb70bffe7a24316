// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/path/data_path.hpp>
#include <flowtap/path/delivery_ledger.hpp>

#include "fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;

namespace {

constexpr std::uint32_t stream_count = 12;

/// Takes some of what it is given; delivers, drops for any cause or queues each copy as chance has
/// it, and keeps books of its own.
class fickle_sink final : public sink {
public:
    explicit fickle_sink(std::uint32_t seed) : random_(seed) {}

    std::size_t consume(std::span<const copy> copies) noexcept override {
        drain(random_() % 4);
        const std::size_t taken =
            random_() % 5 == 0 ? random_() % (copies.size() + 1) : copies.size();
        for (std::size_t i = 0; i < taken; ++i)
            take(copies.subspan(i, 1));
        return taken;
    }
    std::size_t queued() const noexcept override { return queue_.size(); }
    void advance() noexcept override { drain(random_() % 4); }
    void withdraw(const copy_review& review, drop_cause cause) noexcept override {
        std::erase_if(queue_, [&](const waiting& each) {
            if (review.wants(each.origin, each.stream))
                return false;
            delivery_counters& its = leave(each);
            ledger().queued_dropped(cause, each.stream, each.octets, {});
            ++its.dropped[static_cast<std::size_t>(cause)];
            its.dropped_octets[static_cast<std::size_t>(cause)] += each.octets;
            return true;
        });
    }
    void wait(std::chrono::milliseconds) noexcept override { drain(1); }

    /// By stream; for when the worker has ended.
    std::array<delivery_counters, stream_count> books{};

private:
    struct waiting {
        copy_origin origin;
        stream_id stream;
        std::size_t octets;
    };

    void take(std::span<const copy> one) noexcept {
        const copy& what = one.front();
        delivery_counters& its = books[what.stream.value()];
        const std::size_t fate = random_() % (drop_cause_count + 8);
        ++its.copies;
        its.copies_octets += what.packet.size();
        if (fate < drop_cause_count) {
            ledger().dropped(static_cast<drop_cause>(fate), one);
            ++its.dropped[fate];
            its.dropped_octets[fate] += what.packet.size();
        } else if (fate == drop_cause_count && queue_.size() < queue_room) {
            ledger().queued(one);
            queue_.push_back({what.origin, what.stream, what.packet.size()});
            ++its.queued;
            its.queued_octets += what.packet.size();
        } else {
            ledger().delivered(one);
            ++its.delivered;
            its.delivered_octets += what.packet.size();
        }
    }

    void drain(std::size_t most) noexcept {
        for (; most != 0 && !queue_.empty(); --most) {
            const waiting next = queue_.front();
            queue_.pop_front();
            delivery_counters& its = leave(next);
            const std::size_t cause = random_() % (drop_cause_count * 2);
            if (cause < drop_cause_count) {
                ledger().queued_dropped(static_cast<drop_cause>(cause), next.stream, next.octets,
                                        {});
                ++its.dropped[cause];
                its.dropped_octets[cause] += next.octets;
            } else {
                ledger().queued_delivered(next.stream, next.octets);
                ++its.delivered;
                its.delivered_octets += next.octets;
            }
        }
    }

    delivery_counters& leave(const waiting& what) noexcept {
        delivery_counters& its = books[what.stream.value()];
        --its.queued;
        its.queued_octets -= what.octets;
        return its;
    }

    static constexpr std::size_t queue_room = 16;
    std::mt19937 random_;
    std::deque<waiting> queue_;
};

/// Packets of every kind, some of them filtered before they are read.
class mixed_source final : public source {
public:
    mixed_source(std::uint32_t seed, std::size_t batches, backpressure full)
        : random_(seed), batches_(batches), full_(full) {
        for (std::uint8_t host = 1; host < 40; ++host)
            packets_.push_back(udp_packet(host, 53, host * 7U));
        octets fragment = udp_packet(2);
        store_big_endian<std::uint16_t>(std::span(fragment).subspan(6), 5);
        octets broken = udp_packet(2);
        broken[0] = std::byte{0x42};
        octets own = udp_packet(3, own_port);
        for (const octets& each : {fragment, broken, own})
            packets_.push_back(each);
    }

    read_result read(std::span<captured_packet> into) noexcept override {
        if (batches_ == 0)
            return {0, source_state::finished};
        --batches_;
        const std::size_t count = random_() % (into.size() + 1);
        for (std::size_t i = 0; i < count; ++i) {
            into[i] = captured(packets_[random_() % packets_.size()]);
            into[i].wire_length += random_() % 20 == 0 ? 1 : 0;
        }
        filtered_ += random_() % 10;
        handed_over += count;
        return {count, source_state::ready};
    }
    void wait(std::chrono::milliseconds) noexcept override {}
    void interrupt() noexcept override {}
    backpressure when_full() const noexcept override { return full_; }
    std::uint64_t filtered() const noexcept override { return filtered_; }

    static constexpr std::uint16_t own_port = 32001;
    std::uint64_t handed_over = 0;

private:
    std::mt19937 random_;
    std::size_t batches_;
    backpressure full_;
    std::vector<octets> packets_;
    std::uint64_t filtered_ = 0;
};

/// Two workers of which one waits for its sink and the other drops, with criteria, own traffic and
/// a gate.
struct rig {
    explicit rig(std::uint32_t seed) {
        for (const backpressure full : {backpressure::wait, backpressure::drop}) {
            auto from = std::make_unique<mixed_source>(++seed, 600, full);
            auto to = std::make_unique<fickle_sink>(++seed);
            sources.push_back(from.get());
            sinks.push_back(to.get());
            workers.push_back(&path.add_worker(std::move(from), std::move(to)));
        }
        for (std::uint8_t i = 0; i < stream_count; ++i)
            taps.add(i < 2 ? any_ipv4() : to_host(i), {i, (i + 1U) % stream_count});
        auto own = std::make_shared<own_traffic>();
        own->add(17, {ip_address::v4(0), mixed_source::own_port});
        taps.own = std::move(own);
        taps.publish();
    }

    data_path path;
    tapping taps{path};
    std::vector<mixed_source*> sources;
    std::vector<fickle_sink*> sinks;
    std::vector<worker*> workers;
};

void check_all_close(const path_statistics& read) {
    for (const path_counters& each : read.workers)
        REQUIRE(closes(each));
    for (const delivery_counters& each : read.streams)
        REQUIRE(closes(each));
}

} // namespace

TEST_CASE("all sums close, whatever becomes of copies and whenever they are read") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    rig all(seed);
    std::atomic<std::size_t> running{all.workers.size()};
    std::vector<std::thread> threads;
    for (worker* each : all.workers)
        threads.emplace_back([each, &running] {
            each->run();
            --running;
        });
    while (running != 0) {
        check_all_close(all.path.statistics());
        std::this_thread::yield();
    }
    for (std::thread& each : threads)
        each.join();

    const path_statistics end = all.path.statistics();
    check_all_close(end);
    REQUIRE(end.workers.size() == 2);
    REQUIRE(end.streams.size() >= stream_count);
    for (std::size_t i = 0; i < end.workers.size(); ++i) {
        CHECK(end.workers[i] == all.workers[i]->counters());
        CHECK(end.workers[i].seen == all.sources[i]->handed_over + all.sources[i]->filtered());
        CHECK(end.workers[i].pending == 0);
        CHECK(end.workers[i].queued == 0);
        CHECK(end.workers[i].own > 0);
        CHECK(end.workers[i].untapped == 0); // two criteria take everything
    }

    delivery_counters of_workers;
    for (const path_counters& each : end.workers)
        of_workers += each;
    delivery_counters of_streams;
    for (const delivery_counters& each : end.streams)
        of_streams += each;
    CHECK(of_streams == of_workers);
}

TEST_CASE("a stream's counters are what the sinks did, and what was dropped before them") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    rig all(seed);
    for (worker* each : all.workers)
        each->run();
    constexpr auto full = static_cast<std::size_t>(drop_cause::sink_full);
    constexpr auto withdrawn = static_cast<std::size_t>(drop_cause::withdrawn);
    for (std::uint32_t i = 0; i < stream_count; ++i) {
        // The first worker waits, and no criterion ends: it drops nothing itself.
        CHECK(all.workers[0]->counters(stream_id(i)) == all.sinks[0]->books[i]);
        delivery_counters second = all.workers[1]->counters(stream_id(i));
        const delivery_counters& taken = all.sinks[1]->books[i];
        CHECK(second.dropped[withdrawn] == taken.dropped[withdrawn]);
        const std::uint64_t before_it = second.dropped[full] - taken.dropped[full];
        CHECK(second.copies == taken.copies + before_it);
        CHECK(second.delivered == taken.delivered);
        CHECK(second.queued_octets == taken.queued_octets);
        CHECK(all.path.counters(stream_id(i)).copies ==
              all.sinks[0]->books[i].copies + second.copies);
    }
    CHECK(all.path.counters(stream_id(stream_count + 1000)) == delivery_counters{});
}

TEST_CASE("packets that wait with their worker for a sink are pending") {
    deliveries got;
    data_path path;
    auto to = std::make_unique<collecting_sink>(got, 3);
    collecting_sink& sink = *to;
    worker& work = path.add_worker(
        std::make_unique<repeating_source>(std::vector<octets>(10, udp_packet(2, 53, 10)), 1),
        std::move(to));
    tapping taps(path);
    taps.add(any_ipv4(), {0});
    taps.publish();
    std::vector<path_counters> meanwhile;
    sink.on_wait = [&](collecting_sink& self) {
        meanwhile.push_back(work.counters());
        self.make_room(1000);
    };
    work.run();
    REQUIRE(meanwhile.size() == 1);
    CHECK(closes(meanwhile[0]));
    CHECK(meanwhile[0].seen == 10);
    CHECK(meanwhile[0].tapped == 10);
    CHECK(meanwhile[0].copies == 3);
    CHECK(closes(work.counters()));
    CHECK(work.counters().copies == 10);
    CHECK(work.counters().tapped_octets == 10 * 38);
    CHECK(work.counters().delivered_octets == 10 * 38);
}

TEST_CASE("packets that no filter has looked at yet are pending while a worker waits") {
    deliveries got;
    data_path path;
    auto to = std::make_unique<collecting_sink>(got, 0);
    collecting_sink& sink = *to;
    worker& work = path.add_worker(
        std::make_unique<repeating_source>(std::vector<octets>(10, udp_packet(2)), 1),
        std::move(to));
    tapping taps(path);
    // Each packet alone fills the room for copies.
    for (std::uint32_t stream = 0; stream < 300; stream += 2)
        taps.add(any_ipv4(), {stream, stream + 1});
    taps.publish();
    path_counters first;
    sink.on_wait = [&](collecting_sink& self) {
        if (first.seen == 0)
            first = work.counters();
        self.make_room(100'000);
    };
    work.run();
    CHECK(closes(first));
    CHECK(first.pending == 10);
    CHECK(first.pending_octets == 10 * 32);
    CHECK(closes(work.counters()));
    CHECK(work.counters().pending == 0);
    CHECK(work.counters().tapped == 10);
}

TEST_CASE("packets that nothing matches are counted as untapped, with their octets") {
    deliveries got;
    data_path path;
    worker& work = path.add_worker(
        std::make_unique<repeating_source>(
            std::vector<octets>{udp_packet(2), udp_packet(3, 53, 100), udp_packet(4)}, 2),
        std::make_unique<collecting_sink>(got));
    tapping taps(path);
    taps.add(to_host(2), {0});
    taps.publish();
    work.run();
    CHECK(work.counters().tapped == 2);
    CHECK(work.counters().untapped == 4);
    CHECK(work.counters().untapped_octets == 2 * (128 + 32));
    CHECK(closes(work.counters()));
}
