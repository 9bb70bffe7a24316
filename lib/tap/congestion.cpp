// SPDX-License-Identifier: Apache-2.0
#include "congestion.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <flowtap/core/range_list.hpp>
#include <flowtap/dtcp/response.hpp>

#include "purge_order.hpp"

namespace flowtap::tap {

namespace {

bool is_in_group(const control_source& source, const content_destination& to) {
    return source.with.capture_group == to.group;
}

/// 580 to everyone with criteria to the destination.
void tell_congestion(control& state, const content_destination& to) {
    dtcp::notification told;
    told.status = dtcp::status_code::congestion;
    told.cdest_id = to.name;
    told.average_bandwidth = to.bandwidth;
    told.alert_bandwidth = to.with.soft->limit;
    if (to.with.hard)
        told.max_bandwidth = to.with.hard->limit;
    for (const auto& [name, source] : state.sources.sources())
        if (is_in_group(*source, to) && source->has_criteria_to(to.name))
            state.notifications.tell(source->id(), told);
}

void watch_soft_limit(control& state, content_destination& to) {
    if (!to.with.soft || to.bandwidth <= to.with.soft->low) {
        to.is_alerted = false;
        return;
    }
    if (to.bandwidth > to.with.soft->limit && !std::exchange(to.is_alerted, true))
        tell_congestion(state, to);
}

/// 680 to one control source.
void tell_purged(control& state, control_source_id owner, const content_destination& to,
                 std::vector<criteria_id> purged, edition without) {
    std::sort(purged.begin(), purged.end());
    dtcp::notification told;
    told.status = dtcp::status_code::congestion_delete;
    told.cdest_id = to.name;
    auto& ranges = told.purged.entries;
    for (const criteria_id id : purged) {
        if (!ranges.empty() && ranges.back().last + 1 == id.value()) {
            ranges.back().last = id.value();
            continue;
        }
        ranges.push_back({{id.value(), id.value()}});
    }
    state.notifications.tell(owner, std::move(told), without);
}

void record_purge(control& state, const control_source& of, const criterion& what,
                  const content_destination& to, time_stamp now) {
    audit_note note{audit_event::purge};
    note.criterion = what.id.value();
    note.count = 1;
    note.detail = "congestion of Cdest-ID: " + to.name;
    // It goes, whether that can be recorded or not.
    static_cast<void>(write_audit(state.audit, of.name(), "", std::move(note), now.wall));
}

std::size_t enforce_hard_limit(control& state, content_destination& to, time_stamp now) {
    if (!to.with.hard || to.bandwidth <= to.with.hard->limit)
        return 0;
    std::vector<placed_criterion> criteria;
    std::vector<purge_candidate> candidates;
    for (const auto& [name, source] : state.sources.sources()) {
        if (!is_in_group(*source, to))
            continue;
        for (criterion* one : source->select(dtcp::selector(to.name))) {
            candidates.push_back({one->rank, one->bandwidth, criteria.size()});
            criteria.push_back({source.get(), one});
        }
    }
    const std::size_t count = choose_purged(candidates, *to.with.hard);

    std::vector<std::pair<control_source*, std::vector<criteria_id>>> by_owner;
    edition without;
    for (std::size_t i = 0; i < count; ++i) {
        const placed_criterion& one = criteria[candidates[i].index];
        auto owner = std::find_if(by_owner.begin(), by_owner.end(),
                                  [&](const auto& has) { return has.first == one.of; });
        if (owner == by_owner.end())
            owner = by_owner.insert(owner, {one.of, {}});
        owner->second.push_back(one.what->id);
        record_purge(state, *one.of, *one.what, to, now);
        without = state.remove(*one.of, *one.what, now);
    }
    for (auto& [owner, purged] : by_owner)
        tell_purged(state, owner->id(), to, std::move(purged), without);
    state.counts.purged += count;
    return count;
}

/// What a content destination did not get of a criterion's copies: kept from it by a limit on
/// duplicates, or dropped on their way, as where the sink is full or nothing leads there.
path::target_drops not_delivered(const control& state, const criterion& what, std::size_t target,
                                 const path::slot_counters& counted) {
    path::target_drops sum = counted.dropped[target];
    const auto& targets = state.published.action_of(what.slot).targets;
    if (target < targets.size()) {
        const path::target_drops lost = state.path.undelivered(what.slot, targets[target].stream);
        sum.packets += lost.packets;
        sum.octets += lost.octets;
    }
    return sum;
}

/// 598 for one content destination of a criterion, if there is more to tell and it is time to.
void tell_dropped(control& state, const control_source& of, criterion& what,
                  std::size_t destination, const path::target_drops& dropped, time_stamp now) {
    drop_report& report = what.drop_reports[destination];
    if (dropped.packets == report.packets || now.steady < report.next)
        return;
    const capture_group* group = state.groups.find(of.with.capture_group);
    if (group == nullptr)
        return;
    report = {dropped.packets, now.steady + group->with.duplicates_dropped_period};
    dtcp::notification told;
    told.status = dtcp::status_code::duplicates_dropped;
    told.cdest_id = what.destinations[destination]->name;
    told.criterion = what.id.value();
    told.dropped_packets = dropped.packets;
    told.dropped_bytes = dropped.octets;
    state.notifications.tell(of.id(), std::move(told));
}

/// Each round asks all destinations, which are few: 64 are configured at most.
template <class Do>
void for_each_destination(control& state, Do&& something) {
    for (const auto& [name, group] : state.groups.all())
        for (const auto& [cdest_id, destination] : group.destinations)
            something(*destination);
}

} // namespace

void begin_round(control& state) {
    for_each_destination(state, [](content_destination& one) { one.bandwidth = 0; });
}

void note_sample(control& state, control_source& of, criterion& what,
                 const path::slot_counters& counted, time_stamp now) {
    what.bandwidth = what.meter.average(state.samples, counted.octets, now.steady);
    for (const auto& destination : what.destinations)
        destination->bandwidth += what.bandwidth;

    for (std::size_t i = 0; i < what.destinations.size(); ++i) {
        // Two content destinations of one address share a stream.
        const std::size_t target = std::min(i, what.streams.size() - 1);
        tell_dropped(state, of, what, i, not_delivered(state, what, target, counted), now);
    }
}

std::size_t end_round(control& state, time_stamp now) {
    std::size_t purged = 0;
    for_each_destination(state, [&](content_destination& one) {
        watch_soft_limit(state, one);
        purged += enforce_hard_limit(state, one, now);
    });
    return purged;
}

} // namespace flowtap::tap
