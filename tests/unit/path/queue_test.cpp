// SPDX-License-Identifier: Apache-2.0
#include <deque>
#include <functional>
#include <set>

#include <doctest/doctest.h>

#include <flowtap/path/data_path.hpp>
#include <flowtap/path/delivery_ledger.hpp>

#include "fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;

namespace {

/// Queues the copies of streams without a next hop, four of each.
class queueing_sink final : public sink {
public:
    explicit queueing_sink(deliveries& into) : into_(into) {}

    std::size_t consume(std::span<const copy> copies) noexcept override {
        std::size_t taken = 0;
        for (; taken < copies.size(); ++taken) {
            const copy& each = copies[taken];
            const std::span<const copy> one = copies.subspan(taken, 1);
            if (!unresolved.contains(each.stream.value())) {
                ledger().delivered(one);
                into_[each.stream.value()].emplace_back(each.packet.begin(), each.packet.end());
            } else if (waiting_for(each.stream) < 4) {
                ledger().queued(one);
                queue_.push_back(
                    {each.origin, each.stream, {each.packet.begin(), each.packet.end()}});
            } else {
                break;
            }
        }
        return taken;
    }
    std::size_t queued() const noexcept override { return queue_.size(); }
    void advance() noexcept override {
        ++advances;
        if (on_advance)
            on_advance();
        std::deque<entry> kept;
        for (entry& each : queue_) {
            if (unresolved.contains(each.stream.value())) {
                kept.push_back(std::move(each));
                continue;
            }
            ledger().queued_delivered(each.stream, each.packet.size());
            into_[each.stream.value()].push_back(std::move(each.packet));
        }
        queue_ = std::move(kept);
    }
    void withdraw(const copy_review& review, drop_cause cause) noexcept override {
        std::erase_if(queue_, [&](const entry& each) {
            if (review.wants(each.origin, each.stream))
                return false;
            ledger().queued_dropped(cause, each.stream, each.packet.size(), each.origin);
            return true;
        });
    }
    void wait(std::chrono::milliseconds limit) noexcept override {
        longest_wait = std::max(longest_wait, limit);
        if (on_wait)
            on_wait();
    }

    std::set<std::uint32_t> unresolved;
    std::function<void()> on_wait;
    std::function<void()> on_advance;
    std::chrono::milliseconds longest_wait{0};
    int advances = 0;

private:
    struct entry {
        copy_origin origin;
        stream_id stream;
        octets packet;
    };

    std::size_t waiting_for(stream_id stream) const {
        return static_cast<std::size_t>(std::ranges::count(queue_, stream, &entry::stream));
    }

    deliveries& into_;
    std::deque<entry> queue_;
};

/// A source that is idle between its batches, as a live one is.
class pausing_source final : public source {
public:
    pausing_source(std::vector<octets> packets, backpressure full)
        : packets_(std::move(packets)), full_(full) {}

    read_result read(std::span<captured_packet> into) noexcept override {
        if (ended)
            return {0, source_state::finished};
        const std::size_t count = std::exchange(batches, batches - std::min(batches, 1)) > 0
                                      ? std::min(into.size(), packets_.size())
                                      : 0;
        for (std::size_t i = 0; i < count; ++i)
            into[i] = captured(packets_[i]);
        return {count, source_state::idle};
    }
    void wait(std::chrono::milliseconds limit) noexcept override {
        limits.push_back(limit);
        if (on_wait)
            on_wait();
    }
    void interrupt() noexcept override {}
    backpressure when_full() const noexcept override { return full_; }

    std::function<void()> on_wait;
    std::vector<std::chrono::milliseconds> limits;
    int batches = 1;
    bool ended = false;

private:
    std::vector<octets> packets_;
    backpressure full_;
};

struct bench {
    explicit bench(std::vector<octets> packets, backpressure full = backpressure::drop,
                   data_path_options options = {}, worker_options with = {})
        : path(options) {
        auto from = std::make_unique<pausing_source>(std::move(packets), full);
        auto to = std::make_unique<queueing_sink>(got);
        source = from.get();
        sink = to.get();
        work = &path.add_worker(std::move(from), std::move(to), with);
    }

    deliveries got;
    data_path path;
    tapping taps{path};
    pausing_source* source = nullptr;
    queueing_sink* sink = nullptr;
    worker* work = nullptr;
};

} // namespace

TEST_CASE("copies that a sink has queued go out once they can, and count as queued until then") {
    const std::vector<octets> packets{udp_packet(2, 1), udp_packet(2, 2), udp_packet(2, 3)};
    bench all(packets);
    all.taps.add(any_ipv4(), {0, 1});
    all.taps.publish();
    all.sink->unresolved = {0};
    CHECK(all.work->run_once() == source_state::idle);
    CHECK(all.got[0].empty());
    CHECK(all.got[1] == packets);
    CHECK(all.work->counters().queued == 3);
    CHECK(all.work->counters().copies == 6);
    CHECK(closes(all.work->counters()));
    all.work->run_once();
    CHECK(all.work->counters().queued == 3);
    all.sink->unresolved.clear();
    all.work->run_once();
    CHECK(all.got[0] == packets);
    CHECK(all.work->counters().queued == 0);
    CHECK(all.work->counters().delivered == 6);
    CHECK(closes(all.work->counters()));
    // Nothing is done for a queue that is empty.
    const int advances = all.sink->advances;
    all.work->run_once();
    CHECK(all.sink->advances == advances);
}

TEST_CASE("what a live source has for a queue that is full is dropped, and only that") {
    bench all(std::vector<octets>(10, udp_packet(2)));
    all.taps.add(any_ipv4(), {0, 1});
    all.taps.publish();
    all.sink->unresolved = {0};
    all.work->run_once();
    CHECK(all.got[1].size() == 10);
    CHECK(all.work->counters().queued == 4);
    CHECK(dropped(all.work->counters(), drop_cause::sink_full) == 6);
    CHECK(closes(all.work->counters()));
}

TEST_CASE("a worker with queued copies looks after them every 10 ms, and holds up no deletion") {
    bench all({udp_packet(2)});
    const slot_id slot = all.taps.add(any_ipv4(), {0});
    all.taps.publish();
    all.sink->unresolved = {0};
    all.source->on_wait = [&] {
        CHECK(all.work->counters().queued == (all.source->limits.size() < 3 ? 1 : 0));
        if (all.source->limits.size() == 2) {
            all.taps.remove(slot);
            const generation without = all.taps.publish();
            CHECK(all.path.settled() == without);
            // Resolved, but too late.
            all.sink->unresolved.clear();
        }
        if (all.source->limits.size() == 4)
            all.work->request_stop();
    };
    all.work->run();
    using std::chrono::milliseconds;
    CHECK(all.source->limits ==
          std::vector{milliseconds(10), milliseconds(10), milliseconds(1000), milliseconds(1000)});
    CHECK(all.got[0].empty());
    CHECK(dropped(all.work->counters(), drop_cause::withdrawn) == 1);
    CHECK(closes(all.work->counters()));
}

TEST_CASE("nothing that is queued for a deleted criterion leaves, what others asked for does") {
    bench all({udp_packet(2), udp_packet(3)});
    const slot_id doomed = all.taps.add(to_host(2), {0});
    all.taps.add(to_host(3), {0});
    all.taps.publish();
    all.sink->unresolved = {0};
    all.work->run_once();
    all.taps.remove(doomed);
    SUBCASE("also when its slot has been given to another") {
        all.taps.publish();
        const slot_id next = all.taps.add(to_host(2), {0});
        CHECK(next == doomed);
        all.taps.publish();
    }
    SUBCASE("as soon as its deletion is published") {
        all.taps.publish();
    }
    all.sink->unresolved.clear();
    all.work->run_once();
    CHECK(all.got[0] == std::vector<octets>{udp_packet(3)});
    CHECK(dropped(all.work->counters(), drop_cause::withdrawn) == 1);
    CHECK(closes(all.work->counters()));
}

TEST_CASE("a file waits until its copies have left the queue") {
    const std::vector<octets> packets(10, udp_packet(2));
    bench all(packets, backpressure::wait);
    all.taps.add(any_ipv4(), {0});
    all.taps.publish();
    all.sink->unresolved = {0};
    int waits = 0;
    all.sink->on_wait = [&] {
        if (++waits == 3)
            all.sink->unresolved.clear();
    };
    all.work->run_once();
    CHECK(waits == 3);
    CHECK(all.sink->longest_wait == std::chrono::milliseconds(10));
    CHECK(all.got[0] == packets);
    CHECK(all.work->counters().delivered == 10);
}

TEST_CASE("when a live source ends, its copies in a queue still go out") {
    bench all({udp_packet(2)});
    all.taps.add(any_ipv4(), {0});
    all.taps.publish();
    all.sink->unresolved = {0};
    all.work->run_once();
    all.source->ended = true;
    all.sink->on_wait = [&] { all.sink->unresolved.clear(); };
    CHECK(all.work->run() == worker::outcome::finished);
    CHECK(all.got[0].size() == 1);
    CHECK(all.work->counters().queued == 0);
    CHECK(closes(all.work->counters()));
}

TEST_CASE("a stop drops what is queued when it is not resolved within the limit") {
    worker_options options;
    options.stop_limit = std::chrono::milliseconds(0);
    bench all({udp_packet(2)}, backpressure::drop, {}, options);
    all.taps.add(any_ipv4(), {0});
    all.taps.publish();
    all.sink->unresolved = {0};
    all.source->on_wait = [&] { all.work->request_stop(); };
    CHECK(all.work->run() == worker::outcome::stopped);
    CHECK(all.got[0].empty());
    CHECK(dropped(all.work->counters(), drop_cause::stopped) == 1);
    CHECK(all.work->counters().queued == 0);
    CHECK(closes(all.work->counters()));
}

TEST_CASE("a criterion whose budget is used up ends when its queued copies are gone, or in time") {
    steady_time time;
    data_path_options options;
    options.clock = [&time] { return time; };
    bench all({udp_packet(2)}, backpressure::drop, options);
    const slot_id slot = all.taps.add(any_ipv4(), {0});
    all.path.grant(slot, {1, {}});
    all.taps.publish();
    all.sink->unresolved = {0};
    all.work->run_once();
    CHECK_FALSE(all.path.next_exhausted());
    SUBCASE("they are sent") {
        all.sink->unresolved.clear();
        all.work->run_once();
        CHECK(all.got[0].size() == 1);
        CHECK(all.path.next_exhausted() == slot);
    }
    SUBCASE("the queue does not get empty") {
        time += std::chrono::seconds(3);
        all.work->run_once();
        CHECK_FALSE(all.path.next_exhausted());
        time += std::chrono::seconds(1);
        all.work->run_once();
        CHECK(all.path.next_exhausted() == slot);
    }
}
