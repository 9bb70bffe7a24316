// SPDX-License-Identifier: Apache-2.0
#include <flowtap/capture/device_meter.hpp>

#include <chrono>
#include <cstdint>

#include <doctest/doctest.h>

#include <flowtap/capture/error.hpp>

using namespace flowtap;
using namespace std::chrono_literals;

namespace {

/// Hands over and loses as many packets as it is told.
class counted_source final : public path::source {
public:
    path::read_result read(std::span<path::captured_packet>) noexcept override {
        return {std::exchange(waiting, 0), path::source_state::idle};
    }
    void wait(std::chrono::milliseconds) noexcept override {}
    void interrupt() noexcept override {}
    path::backpressure when_full() const noexcept override { return path::backpressure::drop; }
    std::uint64_t lost() const noexcept override { return lost_; }

    std::size_t waiting = 0;
    std::uint64_t lost_ = 0;
};

/// A device whose counter a test sets, with two sources.
struct meter_rig {
    meter_rig()
        : meter([this] { return count(); }, [this] { return now; }), first(new counted_source),
          second(new counted_source), one(meter.watch(std::unique_ptr<path::source>(first))),
          other(meter.watch(std::unique_ptr<path::source>(second))) {}

    result<std::uint64_t> count() const {
        if (is_gone)
            return fail(capture::errc::cannot_open_device);
        return passed;
    }
    void look() {
        now += 1s;
        one->wait(0ms);
    }
    void arrive(counted_source& at, path::source& through, std::size_t packets) {
        at.waiting = packets;
        through.read({});
    }

    std::uint64_t passed = 1000;
    bool is_gone = false;
    steady_time now{100s};
    capture::device_meter meter;
    counted_source* first;
    counted_source* second;
    std::unique_ptr<path::source> one;
    std::unique_ptr<path::source> other;
};

} // namespace

TEST_CASE("what a device counts and no source hands over or loses was filtered") {
    meter_rig at;
    at.passed += 100;
    at.arrive(*at.first, *at.one, 20);
    at.arrive(*at.second, *at.other, 30);
    at.second->lost_ = 5;
    at.arrive(*at.second, *at.other, 0);
    at.look();
    CHECK(at.one->filtered() == 0);
    at.look();
    CHECK(at.one->filtered() == 45);
    CHECK(at.other->filtered() == 0);
    CHECK(at.other->lost() == 5);
}

TEST_CASE("what has passed and is still to be read is not taken for filtered") {
    meter_rig at;
    at.passed += 100;
    at.look();
    at.arrive(*at.first, *at.one, 100);
    at.look();
    at.look();
    CHECK(at.one->filtered() == 0);
}

TEST_CASE("a device that goes, and comes again with other counters, counts on") {
    meter_rig at;
    at.passed += 10;
    at.look();
    at.is_gone = true;
    at.look();
    CHECK(at.one->filtered() == 10);
    at.is_gone = false;
    at.passed = 7;
    at.look();
    at.look();
    CHECK(at.one->filtered() == 17);
}

TEST_CASE("a device is looked at once a second") {
    meter_rig at;
    at.passed += 10;
    at.look();
    at.now += 999ms;
    at.one->wait(0ms);
    CHECK(at.one->filtered() == 0);
    at.now += 1ms;
    at.other->wait(0ms);
    CHECK(at.one->filtered() == 10);
}

TEST_CASE("the loopback device has a count, and a device that is not there has none") {
    CHECK(capture::packets_of_device("lo").has_value());
    const auto none = capture::packets_of_device("flowtap-none");
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error().code == capture::errc::cannot_open_device);
}
