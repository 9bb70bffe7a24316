// SPDX-License-Identifier: Apache-2.0
// Copies that wait for their next hop: how they leave, in order, or are given up.
#include "network_sink_state.hpp"

#include <utility>

namespace flowtap::deliver {

using detail::destination;
using detail::egress_plan;

/// Called when a copy was not taken. If that is because others of its destination wait, the answer
/// that they wait for may have come since the batch began. Returns whether some of them left.
bool network_sink::state::make_room_for(const path::copy& what) noexcept {
    destination* const its = routes == nullptr ? nullptr : destination_of(what);
    if (its == nullptr || its->waiting.empty() || full_error != 0 || full_sink != nullptr)
        return false;
    now = std::chrono::steady_clock::now();
    routes->poll_now(now);
    version = routes->version();
    const std::size_t before = pending.size();
    flush(*its);
    return pending.size() < before;
}

/// Sends what waits, as far as that is possible by now, or drops it.
void network_sink::state::flush(destination& its) noexcept {
    while (!its.waiting.empty()) {
        const egress_plan::way way = way_of(its);
        const bool is_late = now - pending.since(its.waiting) >= detail::route_table::resolve_limit;
        if (way == egress_plan::way::unreachable ||
            (way == egress_plan::way::resolving && is_late)) {
            const path::copy first = pending.front(its.waiting);
            ledger->queued_dropped(path::drop_cause::unreachable, first.stream, first.packet.size(),
                                   first.origin);
            pending.pop_front(its.waiting);
        } else if (way == egress_plan::way::resolving || !send_first(its)) {
            return;
        }
    }
}

/// Sends the first copy that waits for a destination, and removes it. False if there was no room.
bool network_sink::state::send_first(destination& its) noexcept {
    const path::copy first = pending.front(its.waiting);
    // Without the queue it is a copy as any other, which may be queued once more.
    const detail::pending_copies::queue all = std::exchange(its.waiting, {});
    path::delivery_ledger* const told = ledger;
    const path::delivery_counters before = second_count.totals();
    report_to(second_count);
    std::size_t taken = take(std::span(&first, 1));
    report_to(*told);
    if (!its.waiting.empty()) {
        pending.pop_back(its.waiting);
        taken = 0;
    }
    its.waiting = all;
    if (taken == 0)
        return false;
    tell_end_of(first, before, second_count.totals());
    pending.pop_front(its.waiting);
    return true;
}

/// Tells the ledger what became of a copy that was queued, by what was counted meanwhile.
void network_sink::state::tell_end_of(const path::copy& what, const path::delivery_counters& before,
                                      const path::delivery_counters& after) noexcept {
    for (std::size_t i = 0; i < after.dropped.size(); ++i) {
        if (after.dropped[i] == before.dropped[i])
            continue;
        ledger->queued_dropped(static_cast<path::drop_cause>(i), what.stream, what.packet.size(),
                               what.origin);
        return;
    }
    ledger->queued_delivered(what.stream, what.packet.size());
}

} // namespace flowtap::deliver
