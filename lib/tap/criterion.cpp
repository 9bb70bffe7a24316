// SPDX-License-Identifier: Apache-2.0
#include "criterion.hpp"

#include <algorithm>
#include <chrono>

namespace flowtap::tap {

namespace {

/// Whole seconds of `limit` that are left, a part of one counted as a whole one. Never more than
/// all, also where a worker looked at the clock after `now`.
std::chrono::seconds left_of(std::chrono::seconds limit, steady_time since, steady_time now) {
    const steady_time end = since + limit;
    return end <= now ? std::chrono::seconds{0}
                      : std::min(limit, std::chrono::ceil<std::chrono::seconds>(end - now));
}

} // namespace

countdowns refreshed(const countdowns& before, const dtcp::timeouts& given, time_stamp now) {
    countdowns after = before;
    if (given.idle) {
        after.limits.idle = given.idle;
        after.idle_since = now.steady;
    }
    if (given.total) {
        after.limits.total = given.total;
        after.total_since = now.steady;
    }
    if (given.packets)
        after.limits.packets = given.packets;
    if (given.bytes)
        after.limits.bytes = given.bytes;
    ++after.refreshes;
    after.last_refresh = now.wall;
    return after;
}

criterion_reading make_reading(const path::slot_counters& counted, const path::match_budget& left) {
    criterion_reading reading;
    reading.packets = counted.packets;
    reading.octets = counted.octets;
    reading.packets_left = left.packets.value_or(0);
    reading.octets_left = left.octets.value_or(0);
    reading.last_match = counted.last_match.value_or(reading.last_match);
    return reading;
}

dtcp::timeouts remaining_of(const countdowns& timers, const criterion_reading& reading,
                            steady_time now) {
    dtcp::timeouts left;
    const dtcp::timeouts& limits = timers.limits;
    if (limits.idle)
        left.idle = left_of(*limits.idle, std::max(timers.idle_since, reading.last_match), now);
    if (limits.total)
        left.total = left_of(*limits.total, timers.total_since, now);
    if (limits.packets)
        left.packets = dtcp::packet_count{static_cast<std::uint32_t>(reading.packets_left)};
    if (limits.bytes)
        left.bytes = dtcp::octet_count{reading.octets_left};
    return left;
}

dtcp::list_statistics make_statistics(const criterion_reading& reading, const countdowns& timers,
                                      steady_time now) {
    dtcp::list_statistics shown;
    const dtcp::timeouts left = remaining_of(timers, reading, now);
    shown.remaining_idle = left.idle;
    shown.remaining_total = left.total;
    if (left.packets)
        shown.remaining_packets = left.packets->value();
    if (left.bytes)
        shown.remaining_bytes = left.bytes->value();
    shown.average_bandwidth = reading.bandwidth;
    shown.matching_packets = reading.packets;
    shown.matching_bytes = reading.octets;
    shown.num_refresh = timers.refreshes;
    shown.last_refresh = timers.last_refresh;
    return shown;
}

} // namespace flowtap::tap
