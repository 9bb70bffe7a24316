// SPDX-License-Identifier: Apache-2.0
#include "loop_brake.hpp"

#include <algorithm>
#include <utility>

namespace flowtap::path::detail {

namespace {

/// What was captured within a moment has been read by then.
constexpr std::chrono::nanoseconds reading_time = std::chrono::milliseconds(100);

/// A flow without packets for so long has ended; its place is free.
constexpr std::chrono::nanoseconds flow_end = std::chrono::seconds(2);

constexpr std::uint64_t mix(std::uint64_t value) noexcept {
    return (value ^ value >> 32) * 0x9E37'79B9'7F4A'7C15ULL;
}

} // namespace

loop_brake::loop_brake() : flows_(std::make_unique<std::array<flow, places>>()) {}

/// The flow of a packet; null if another one has its place.
loop_brake::flow* loop_brake::track(const packet_key& key, wall_time time,
                                    std::size_t& place) noexcept {
    place = mix(mix(mix(key.source.low ^ key.source.high) ^ key.destination.low) ^
                key.destination.high ^ key.protocol) >>
            54;
    flow& its = (*flows_)[place];
    if (its.used && its.source == key.source && its.destination == key.destination &&
        its.protocol == key.protocol)
        return &its;
    if (its.used && (time - its.last < flow_end || time < its.refused_until))
        return nullptr;
    its = {};
    its.source = key.source;
    its.destination = key.destination;
    its.protocol = key.protocol;
    its.used = true;
    its.since = time;
    return &its;
}

bool loop_brake::admit(const packet_key& key, wall_time time) noexcept {
    newest_ = std::max(newest_, time);
    std::size_t place = none;
    flow* const its = track(key, time, place);
    if (its == nullptr)
        return true;
    its->last = time;
    if (time < its->refused_until)
        return false;
    if (time - its->since > window) {
        its->since = time;
        its->count = 0;
    }
    ++its->count;
    if (place == tested_) {
        in_batch_ = true;
        late_ = late_ ||
                (time > moment_begin_ + moment_ - moment_ / 4 && time <= moment_begin_ + moment_);
    } else if (tested_ == none && its->count >= busy && time >= its->rests_until) {
        begin(place, time);
    }
    return true;
}

void loop_brake::begin(std::size_t place, wall_time time) noexcept {
    tested_ = place;
    phase_ = phase::before_open;
    agreed_ = 0;
    tries_ = 0;
    in_batch_ = true;
    test_begin_ = time;
    test_octets_ = 0;
}

void loop_brake::begin_moment(wall_time now, std::uint64_t octets) noexcept {
    moment_ = (*flows_)[tested_].moment;
    is_longest_ = moment_ >= longest_moment;
    if (test_octets_ == 0) {
        test_octets_ = std::max<std::uint64_t>(octets, 1);
        test_begin_ = now;
    } else if (const auto time = (now - test_begin_).count(); time > 0) {
        const double rate = static_cast<double>(octets - test_octets_) / static_cast<double>(time);
        const double most = static_cast<double>(waiting_octets) / std::max(rate, 1e-9);
        if (most < static_cast<double>(moment_.count())) {
            moment_ = std::max(duration(static_cast<std::int64_t>(most)), first_moment / 2);
            is_longest_ = true;
        }
    }
    moment_begin_ = now;
    late_ = false;
}

loop_brake::duration loop_brake::end_of_batch(wall_time now, std::uint64_t octets) noexcept {
    if (tested_ == none)
        return {};
    const bool had_packets = std::exchange(in_batch_, false);
    const wall_time end = moment_begin_ + moment_;
    switch (phase_) {
    case phase::before_open:
    case phase::before_hold:
        if (now - (*flows_)[tested_].last > reading_time + moment_) {
            clear(now);
            return {};
        }
        if (!had_packets)
            return {};
        begin_moment(now, octets);
        if (phase_ == phase::before_open) {
            phase_ = phase::open;
            return {};
        }
        phase_ = phase::hold;
        return moment_;
    case phase::open:
    case phase::hold:
        if (newest_ <= end && now < end + reading_time)
            return {};
        if (late_ != (phase_ == phase::open)) {
            contradict(now);
            return {};
        }
        if (phase_ == phase::hold && ++agreed_ == needed()) {
            convict(now);
            return {};
        }
        tries_ = 0;
        phase_ = phase_ == phase::open ? phase::before_hold : phase::before_open;
        // The batch that ended the moment may begin the next.
        in_batch_ = had_packets;
        return {};
    }
    return {};
}

unsigned loop_brake::needed() const noexcept {
    return (*flows_)[tested_].refusal > first_refusal ? rounds_again : rounds;
}

/// A moment was not as those of a loop are. Where there was no packet although reading went on, it
/// may be there the next time; where there was one although nothing was copied, it may have been on
/// its way for longer.
void loop_brake::contradict(wall_time now) noexcept {
    if (phase_ == phase::open && ++tries_ < tries) {
        phase_ = phase::before_open;
        return;
    }
    if (phase_ == phase::open || is_longest_) {
        clear(now);
        return;
    }
    flow& its = (*flows_)[tested_];
    its.moment = std::min(its.moment * moment_growth, longest_moment);
    phase_ = phase::before_open;
    agreed_ = 0;
}

void loop_brake::clear(wall_time now) noexcept {
    flow& its = (*flows_)[tested_];
    its.rests_until = now + its.rest;
    its.rest = std::min(its.rest * 2, longest_rest);
    tested_ = none;
}

void loop_brake::convict(wall_time now) noexcept {
    flow& its = (*flows_)[tested_];
    its.refused_until = now + its.refusal;
    its.refusal = std::min(its.refusal * 2, longest_refusal);
    its.count = 0;
    tested_ = none;
}

} // namespace flowtap::path::detail
