// SPDX-License-Identifier: Apache-2.0
#include "source_table.hpp"

#include <algorithm>
#include <chrono>

namespace flowtap::transport {

namespace {

ip_address source_of(const ip_address& from) {
    if (from.ip_family() == family::inet)
        return from;
    return ip_address(family::inet6, {from.bits().high, 0});
}

} // namespace

bool source_table::admits(const ip_address& from, steady_time now) const {
    const auto found = sources_.find(source_of(from));
    if (found == sources_.end())
        return true;
    const entry& known = found->second;
    if (limits_.source_connections != 0 && known.waiting >= limits_.source_connections)
        return false;
    if (limits_.source_failures == 0)
        return true;
    // The share of the attempt that it has to have left.
    const std::chrono::nanoseconds whole = limits_.source_time;
    const auto share = whole / static_cast<std::int64_t>(limits_.source_failures);
    return known.clear_at - now <= whole - share;
}

void source_table::begin(const ip_address& from) {
    const auto [place, is_new] = sources_.try_emplace(source_of(from));
    if (!is_new && place->second.waiting == 0)
        --failing_;
    ++place->second.waiting;
}

void source_table::end(const ip_address& from) {
    const auto found = sources_.find(source_of(from));
    if (found == sources_.end() || found->second.waiting == 0 || --found->second.waiting != 0)
        return;
    if (found->second.clear_at == steady_time{}) {
        sources_.erase(found);
        return;
    }
    ++failing_;
}

void source_table::fail(const ip_address& from, steady_time now) {
    if (limits_.source_failures == 0)
        return;
    const auto [place, is_new] = sources_.try_emplace(source_of(from));
    failing_ += is_new;
    const std::chrono::nanoseconds whole = limits_.source_time;
    entry& known = place->second;
    known.clear_at =
        std::max(known.clear_at, now) + whole / static_cast<std::int64_t>(limits_.source_failures);
    // Longer than for all of them nobody is kept away.
    known.clear_at = std::min(known.clear_at, now + whole);
    if (failing_ > most_failing)
        forget_some(now);
}

void source_table::forget_some(steady_time now) {
    const auto is_over = [&](const auto& one) {
        return one.second.waiting == 0 && one.second.clear_at <= now;
    };
    failing_ -= std::erase_if(sources_, is_over);
    while (failing_ > most_failing) {
        auto least = sources_.end();
        for (auto one = sources_.begin(); one != sources_.end(); ++one)
            if (one->second.waiting == 0 &&
                (least == sources_.end() || one->second.clear_at < least->second.clear_at))
                least = one;
        sources_.erase(least);
        --failing_;
    }
}

} // namespace flowtap::transport
