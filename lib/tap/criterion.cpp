// SPDX-License-Identifier: Apache-2.0
#include "criterion.hpp"

#include <algorithm>
#include <chrono>

namespace flowtap::tap {

namespace {

/// Whole seconds of `limit` that are left, a part of one counted as a whole one.
std::chrono::seconds left_of(std::chrono::seconds limit, steady_time since, steady_time now) {
    const steady_time end = since + limit;
    return end <= now ? std::chrono::seconds{0}
                      : std::chrono::ceil<std::chrono::seconds>(end - now);
}

std::uint64_t left_of(std::uint64_t limit, std::uint64_t from, std::uint64_t current) {
    return limit - std::min(limit, current - from);
}

} // namespace

countdowns refreshed(const countdowns& before, const dtcp::timeouts& given, std::uint64_t packets,
                     std::uint64_t octets, time_stamp now) {
    countdowns after = before;
    if (given.idle) {
        after.limits.idle = given.idle;
        after.idle_since = now.steady;
    }
    if (given.total) {
        after.limits.total = given.total;
        after.total_since = now.steady;
    }
    if (given.packets) {
        after.limits.packets = given.packets;
        after.packets_from = packets;
    }
    if (given.bytes) {
        after.limits.bytes = given.bytes;
        after.octets_from = octets;
    }
    ++after.refreshes;
    after.last_refresh = now.wall;
    return after;
}

dtcp::list_statistics make_statistics(const criterion_reading& reading, const countdowns& timers,
                                      steady_time now) {
    dtcp::list_statistics shown;
    const dtcp::timeouts& limits = timers.limits;
    if (limits.idle)
        shown.remaining_idle =
            left_of(*limits.idle, std::max(timers.idle_since, reading.last_active), now);
    if (limits.total)
        shown.remaining_total = left_of(*limits.total, timers.total_since, now);
    if (limits.packets)
        shown.remaining_packets =
            left_of(limits.packets->value(), timers.packets_from, reading.packets);
    if (limits.bytes)
        shown.remaining_bytes = left_of(limits.bytes->value(), timers.octets_from, reading.octets);
    shown.average_bandwidth = reading.bandwidth;
    shown.matching_packets = reading.packets;
    shown.matching_bytes = reading.octets;
    shown.num_refresh = timers.refreshes;
    shown.last_refresh = timers.last_refresh;
    return shown;
}

} // namespace flowtap::tap
