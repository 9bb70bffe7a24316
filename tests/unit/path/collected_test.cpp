// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include <doctest/doctest.h>

#include <flowtap/path/data_path.hpp>
#include <flowtap/path/delivery_ledger.hpp>

#include "fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;

namespace {

/// Gives one packet at a time.
class trickling_source final : public source {
public:
    explicit trickling_source(bool waits) : waits_(waits) {}

    read_result read(std::span<captured_packet> into) noexcept override {
        if (reads == last)
            return {0, source_state::finished};
        ++reads;
        into[0] = captured(packet_);
        if (on_read)
            on_read();
        return {1, source_state::ready};
    }
    bool may_wait() const noexcept override { return waits_; }
    void wait(std::chrono::milliseconds) noexcept override {}
    void interrupt() noexcept override {}
    backpressure when_full() const noexcept override { return full; }

    std::size_t reads = 0;
    std::size_t last = SIZE_MAX;
    backpressure full = backpressure::wait;
    std::function<void()> on_read;

private:
    bool waits_;
    octets packet_ = udp_packet(1);
};

/// Collects what it gets.
class patient_sink final : public sink {
public:
    std::size_t consume(std::span<const copy> copies) noexcept override {
        for (const copy& each : copies) {
            ++collected;
            octets += each.packet.size();
        }
        return copies.size();
    }
    bool has_collected() const noexcept override { return collected != 0; }
    void flush() noexcept override {
        if (collected == 0)
            return;
        ++flushes;
        written += collected;
        ledger().delivered(stream_id(0), collected, octets);
        collected = octets = 0;
        if (on_flush)
            on_flush();
    }
    void wait(std::chrono::milliseconds) noexcept override {}

    std::size_t collected = 0;
    std::size_t octets = 0;
    std::size_t written = 0;
    std::size_t flushes = 0;
    std::function<void()> on_flush;
};

struct fixture {
    explicit fixture(bool waits = false) {
        auto from = std::make_unique<trickling_source>(waits);
        auto to = std::make_unique<patient_sink>();
        packets = from.get();
        copies = to.get();
        worker = &path.add_worker(std::move(from), std::move(to));
        slot = control.add(any_ipv4(), {0});
        control.publish();
    }

    data_path path;
    tapping control{path};
    trickling_source* packets = nullptr;
    patient_sink* copies = nullptr;
    path::worker* worker = nullptr;
    slot_id slot;
};

} // namespace

TEST_CASE(
    "while a sink collects, a file is read on, and what was collected is written at the end") {
    fixture the;
    the.worker->run_once();
    CHECK(the.packets->reads > 100);
    CHECK(the.copies->flushes == 1);
    CHECK(the.copies->written == the.packets->reads);
    CHECK(the.worker->counters().delivered == the.packets->reads);
    CHECK(the.worker->counters().seen == the.packets->reads);
}

TEST_CASE("nothing stays collected while a source may keep the worker waiting") {
    fixture the(true);
    the.worker->run_once();
    CHECK(the.packets->reads == 1);
    CHECK(the.copies->flushes == 1);
}

TEST_CASE("nothing stays collected on the wire") {
    fixture the;
    the.packets->full = backpressure::drop;
    the.worker->run_once();
    CHECK(the.packets->reads == 1);
    CHECK(the.copies->flushes == 1);
}

TEST_CASE("nothing stays collected when a file ends") {
    fixture the;
    the.packets->last = 3;
    CHECK(the.worker->run() == worker::outcome::finished);
    CHECK(the.copies->written == 3);
    CHECK(the.worker->counters().delivered == 3);
}

TEST_CASE(
    "a new snapshot is in force after the batch at hand, with all that was collected before it") {
    fixture the;
    generation published;
    the.packets->on_read = [&] {
        if (the.packets->reads == 5) {
            the.control.remove(the.slot);
            published = the.control.publish();
        }
    };
    bool settled_early = false;
    the.copies->on_flush = [&] { settled_early = the.path.settled() >= published; };
    the.worker->run_once();
    CHECK(the.packets->reads == 5);
    CHECK_FALSE(settled_early);
    CHECK(the.path.settled() == published);
    // The criterion was switched off before the fifth packet was matched.
    CHECK(the.copies->written == 4);
    the.worker->run_once();
    CHECK(the.copies->written == 4);
}

TEST_CASE("a budget that is used up is told when its copies are written") {
    fixture the;
    const slot_id limited = the.control.add(any_ipv4(), {0});
    the.path.grant(limited, {.packets = 3});
    the.control.remove(the.slot);
    the.control.publish();
    bool told_early = false;
    the.copies->on_flush = [&] { told_early |= the.path.next_exhausted().has_value(); };
    for (int i = 0; i < 3; ++i)
        the.worker->run_once();
    CHECK_FALSE(told_early);
    CHECK(the.copies->written == 3);
    CHECK(the.path.next_exhausted() == limited);
}

TEST_CASE("a stop ends the batch, and nothing that was collected is lost") {
    fixture the;
    the.packets->on_read = [&] {
        if (the.packets->reads == 5)
            the.worker->request_stop();
    };
    CHECK(the.worker->run() == worker::outcome::stopped);
    CHECK(the.packets->reads == 5);
    CHECK(the.copies->written == 4);
    const path_counters counters = the.worker->counters();
    CHECK(counters.copies == counters.delivered);
    CHECK(counters.abandoned == 1);
}
