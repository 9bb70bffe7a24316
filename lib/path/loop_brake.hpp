// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/packet_key.hpp>

namespace flowtap::path::detail {

/// Finds flows that copies beget: packets that carry our copies, come by the tap again and are
/// copied once more, without end. It needs to understand nothing of what carries them.
///
/// How: a flow (addresses and protocol) of which many packets are copied is put to the test. For a
/// moment nothing is read, and so nothing is copied; the packets of that moment wait in the
/// kernel's buffer. In a loop no packet of the flow is captured in the last quarter of the moment,
/// for want of copies; after that they are there again. Moments of the same length in which reading
/// goes on are looked at in between, and in these there must be packets. When `rounds` pairs
/// of moments say so without exception, the flow is not copied for a while. Since packets may take
/// long to come round, a moment that says otherwise is followed by longer ones. A flow that the
/// longest one clears, as it does any other at once, is left alone for a growing time: it loses
/// nothing, its copies are late.
///
/// For one worker's thread; no clock and no sleep of its own.
class loop_brake {
public:
    using duration = std::chrono::nanoseconds;

    /// No shorter packet can carry a copy: two IP headers and a UDP header in another IP header.
    static constexpr std::uint32_t shortest_carrier = 68;

    /// Pairs of moments that must agree. A flow with gaps of its own, in the worst case those that
    /// hit two of three moments, is taken for a loop four times in a million tests.
    static constexpr unsigned rounds = 20;
    /// For one that was found to be a loop before.
    static constexpr unsigned rounds_again = 4;
    /// In a loop, too, there may be nothing for a moment in which reading goes on: it is looked for
    /// so often.
    static constexpr unsigned tries = 4;
    /// A flow is put to the test when so many of its packets were copied within `window`.
    static constexpr std::uint32_t busy = 1024;
    static constexpr duration window = std::chrono::milliseconds(500);
    static constexpr duration first_moment = std::chrono::milliseconds(10);
    static constexpr int moment_growth = 4;
    static constexpr duration longest_moment = std::chrono::milliseconds(160);
    /// No moment is so long that more than this many octets would have to wait.
    static constexpr std::uint64_t waiting_octets = std::uint64_t{4} << 20;
    /// Between two tests of a flow that was cleared: this, then twice as long each time.
    static constexpr duration first_rest = std::chrono::seconds(10);
    static constexpr duration longest_rest = std::chrono::seconds(600);
    /// A loop is not copied for so long, then twice as long each time it is found again.
    static constexpr duration first_refusal = std::chrono::seconds(60);
    static constexpr duration longest_refusal = std::chrono::seconds(3600);

    loop_brake();

    /// A packet that is about to be copied, captured at `time`. False when its flow is a loop: it
    /// is not to be copied.
    bool admit(const packet_key& key, wall_time time) noexcept;

    /// Whether `end_of_batch` has something to do.
    bool is_testing() const noexcept { return tested_ != none; }
    /// After the copies of a batch have been handed over. `octets` is the memory that all packets
    /// seen so far took in the kernel's buffer. Returns for how long nothing is to be read; zero is
    /// not at all.
    duration end_of_batch(wall_time now, std::uint64_t octets) noexcept;

private:
    static constexpr std::size_t places = 1024;
    static constexpr std::size_t none = places;

    struct flow {
        address_bits source;
        address_bits destination;
        std::uint8_t protocol = 0;
        bool used = false;
        std::uint32_t count = 0; ///< packets since `since`
        wall_time since;
        wall_time last;
        wall_time rests_until;
        wall_time refused_until;
        duration rest = first_rest;
        duration refusal = first_refusal;
        duration moment = first_moment;
    };

    enum class phase : std::uint8_t { before_open, open, before_hold, hold };

    flow* track(const packet_key& key, wall_time time, std::size_t& place) noexcept;
    void begin(std::size_t place, wall_time time) noexcept;
    void contradict(wall_time now) noexcept;
    void clear(wall_time now) noexcept;
    void convict(wall_time now) noexcept;
    unsigned needed() const noexcept;
    void begin_moment(wall_time now, std::uint64_t octets) noexcept;

    std::unique_ptr<std::array<flow, places>> flows_;
    std::size_t tested_ = none;
    phase phase_ = phase::before_open;
    unsigned agreed_ = 0;
    unsigned tries_ = 0;    ///< moments without a packet although reading went on
    bool in_batch_ = false; ///< the batch had a packet of the flow
    bool late_ = false;     ///< one was captured in the last quarter of the moment
    wall_time newest_;
    wall_time moment_begin_;
    duration moment_{};
    bool is_longest_ = false; ///< no longer moment could be asked for
    wall_time test_begin_;
    std::uint64_t test_octets_ = 0;
};

} // namespace flowtap::path::detail
