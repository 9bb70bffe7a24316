// SPDX-License-Identifier: Apache-2.0
#include "capture_rules.hpp"

#include <algorithm>
#include <utility>

namespace flowtap::tap {

namespace {

bool may_use(const control_source& source, const std::string& cdest_id) {
    const std::vector<std::string>& allowed = source.with.content_destinations;
    return std::find(allowed.begin(), allowed.end(), cdest_id) != allowed.end();
}

void append(capture_plan& plan, const control_source& source,
            const std::shared_ptr<content_destination>& destination) {
    if (std::find(plan.destinations.begin(), plan.destinations.end(), destination) !=
        plan.destinations.end())
        return;
    plan.destinations.push_back(destination);
    const stream_key stream = make_stream_key(source.id(), destination->header.parameters());
    if (std::find(plan.streams.begin(), plan.streams.end(), stream) != plan.streams.end())
        return;
    plan.streams.push_back(stream);
    plan.headers.push_back(destination->header);
}

bool is_up_to_date(const path::action& before, const filter::criterion& filter,
                   const capture_plan& plan) {
    if (before.group != plan.group->number || filter.spec().scope != plan.group->scope)
        return false;
    return std::equal(before.targets.begin(), before.targets.end(), plan.headers.begin(),
                      plan.headers.end(),
                      [](const path::copy_target& target, const packet::header_template& header) {
                          return target.header.parameters() == header.parameters();
                      });
}

void drop(control& state, control_source& source, criterion& one, std::string_view why,
          time_stamp now) {
    audit_note note{audit_event::purge};
    note.criterion = one.id.value();
    note.count = 1;
    note.detail = why;
    write_audit(state.audit, source.name(), "", std::move(note), now.wall);
    state.remove(source, one, now);
}

result<void> change(publisher& in, const filter::criterion& filter, const capture_group& group,
                    path::action then) {
    if (filter.spec().scope == group.scope) {
        in.assign(filter.slot(), std::move(then));
        return {};
    }
    filter_spec spec = filter.spec();
    spec.scope = group.scope;
    return in.change(*filter::criterion::make(filter.slot(), std::move(spec)), std::move(then));
}

/// Gives a criterion the addresses and interfaces that its plan has now. An error leaves it
/// without a filter.
result<void> bring_up_to_date(control& state, criterion& one, capture_plan plan) {
    path::action then = state.published.action_of(one.slot);
    then.group = plan.group->number;
    then.targets.clear();
    for (std::size_t i = 0; i < plan.streams.size(); ++i)
        then.targets.push_back(
            {state.streams.acquire(plan.streams[i]), path::egress_id{}, plan.headers[i]});
    auto changed =
        change(state.published, state.published.filter_of(one.slot), *plan.group, std::move(then));
    for (const stream_key& stream : std::exchange(one.streams, std::move(plan.streams)))
        state.streams.release(stream, state.published.pending());
    return changed;
}

} // namespace

std::optional<capture_plan> plan_capture(const control& state, const control_source& source,
                                         std::span<const std::string> cdest_ids) {
    capture_plan plan;
    plan.group = state.groups.find(source.with.capture_group);
    if (plan.group == nullptr)
        return std::nullopt;
    for (const std::string& name : cdest_ids) {
        const auto found = plan.group->destinations.find(name);
        if (found == plan.group->destinations.end() || !may_use(source, name))
            return std::nullopt;
        append(plan, source, found->second);
    }
    return plan;
}

std::uint64_t rank_of(std::uint8_t priority, std::uint64_t arrival) noexcept {
    constexpr unsigned arrival_bits = 48;
    constexpr std::uint64_t highest = 255;
    return (highest - priority) << arrival_bits | arrival;
}

void recheck_captures(control& state, time_stamp now) {
    for (const auto& [name, source] : state.sources.sources()) {
        for (criterion* one : source->select_all()) {
            auto plan = plan_capture(state, *source, one->terms->entry.cdest_ids);
            if (!plan || plan->destinations != one->destinations ||
                !state.streams.has_ids(plan->streams.size()))
                drop(state, *source, *one,
                     "the control source may not use its content destination any more", now);
            else if (is_up_to_date(state.published.action_of(one->slot),
                                   state.published.filter_of(one->slot), *plan))
                continue;
            else if (const auto done = bring_up_to_date(state, *one, std::move(*plan)); !done)
                drop(state, *source, *one, done.error().message(), now);
        }
    }
}

} // namespace flowtap::tap
