// SPDX-License-Identifier: Apache-2.0
#include "expiry.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <flowtap/dtcp/response.hpp>

namespace flowtap::tap {

namespace {

/// What decides on the end of a criterion. To be read once for a decision and for what is told of
/// it: workers go on matching meanwhile.
criterion_reading look_at(const control& state, const criterion& what) {
    return make_reading(state.counters_of(what), state.path.remaining(what.slot));
}

/// When the first of the timeouts in seconds ends, as far as is known now; none if none is set.
std::optional<steady_time> end_of(const countdowns& timers, const criterion_reading& reading) {
    std::optional<steady_time> end;
    if (timers.limits.total)
        end = timers.total_since + *timers.limits.total;
    if (timers.limits.idle) {
        const steady_time idle_end =
            std::max(timers.idle_since, reading.last_match) + *timers.limits.idle;
        end = end ? std::min(*end, idle_end) : idle_end;
    }
    return end;
}

void set_timer(control& state, const criterion& what) {
    if (const auto end = end_of(*what.timers, look_at(state, what)))
        state.timers.set(what.slot, *end);
}

/// The first timeout of which nothing is left, for the audit log.
std::string_view name_of_ended(const dtcp::timeouts& remaining) {
    if (remaining.total && remaining.total->count() == 0)
        return "Timeout-Total";
    if (remaining.idle && remaining.idle->count() == 0)
        return "Timeout-Idle";
    if (remaining.packets && remaining.packets->value() == 0)
        return "Timeout-Packets";
    return "Timeout-Bytes";
}

/// Deletes a criterion that has ended, and tells its control source if that asked for it.
void expire(control& state, control_source& of, criterion& what, const criterion_reading& reading,
            time_stamp now) {
    const dtcp::timeouts remaining = remaining_of(*what.timers, reading, now.steady);
    audit_note note{audit_event::expiry};
    note.criterion = what.id.value();
    note.count = 1;
    note.detail = name_of_ended(remaining);
    // What has ended goes, whether that can be recorded or not.
    static_cast<void>(write_audit(state.audit, of.name(), "", std::move(note), now.wall));
    ++state.counts.expired;

    dtcp::notification told;
    told.status = dtcp::status_code::criterion_timeout;
    told.criterion = what.id.value();
    told.configured = what.timers->limits;
    told.remaining = remaining;
    const bool is_told = what.terms->entry.send_async;
    const edition without = state.remove(of, what, now);
    if (is_told)
        state.notifications.tell(of.id(), std::move(told), without);
}

/// True, and the criterion is gone, if one of its timeouts in seconds has ended.
bool expire_if_ended(control& state, control_source& of, criterion& what, time_stamp now) {
    const criterion_reading reading = look_at(state, what);
    const auto end = end_of(*what.timers, reading);
    if (!end || now.steady < *end)
        return false;
    expire(state, of, what, reading, now);
    return true;
}

/// Of a timer that is due. There may have been traffic since it was set: then the criterion ends,
/// or has ended, later, and others before it.
void expire_or_put_off(control& state, const timer& first, time_stamp now) {
    const placed_criterion one = state.placed.find(first.who);
    const criterion_reading reading = look_at(state, *one.what);
    const auto end = end_of(*one.what->timers, reading);
    if (end && first.due < *end)
        state.timers.set(first.who, *end);
    else
        expire(state, *one.of, *one.what, reading, now);
}

path::match_budget budget_of(const dtcp::timeouts& limits) {
    path::match_budget budget;
    if (limits.packets)
        budget.packets = limits.packets->value();
    if (limits.bytes)
        budget.octets = limits.bytes->value();
    return budget;
}

} // namespace

void begin_countdowns(control& state, const criterion& what) {
    const path::match_budget budget = budget_of(what.timers->limits);
    if (budget != path::match_budget{})
        state.path.grant(what.slot, budget);
    set_timer(state, what);
}

bool refresh(control& state, criterion& what, const dtcp::timeouts& given, time_stamp now) {
    const path::match_budget budget = budget_of(given);
    if (budget != path::match_budget{} && !state.path.refill(what.slot, budget))
        return false;
    what.timers = std::make_shared<const countdowns>(refreshed(*what.timers, given, now));
    set_timer(state, what);
    return true;
}

bool expire_due(control& state, time_stamp now) {
    for (std::size_t left = expiry_slice; left != 0; --left) {
        if (const auto exhausted = state.path.next_exhausted()) {
            const placed_criterion ended = state.placed.find(*exhausted);
            if (ended.what != nullptr)
                expire(state, *ended.of, *ended.what, look_at(state, *ended.what), now);
            continue;
        }
        const auto first = state.timers.take_due(now.steady);
        if (!first)
            return true;
        expire_or_put_off(state, *first, now);
    }
    return false;
}

void drop_ended(control& state, control_source& of, std::vector<criterion*>& selected,
                time_stamp now) {
    // A timer is never later than the end, so the counters of all others need not be read.
    std::erase_if(selected, [&](criterion* one) {
        return state.timers.is_due(one->slot, now.steady) && expire_if_ended(state, of, *one, now);
    });
}

} // namespace flowtap::tap
