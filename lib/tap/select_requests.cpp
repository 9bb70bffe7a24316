// SPDX-License-Identifier: Apache-2.0
// DELETE, REFRESH, LIST, ENABLE and DISABLE: the requests that select criteria.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <flowtap/dtcp/error.hpp>
#include <flowtap/tap/error.hpp>

#include "capture_rules.hpp"
#include "expiry.hpp"
#include "requests.hpp"

namespace flowtap::tap {

namespace {

/// LIST answers of one control source that have not been read yet may hold this many entries for
/// each criterion that it has, or `small_lists` together. It bounds what slow readers make the
/// access point remember.
constexpr std::size_t lists_at_a_time = 4;
constexpr std::size_t small_lists = 16'384;

/// The first plain number in a selector that no criterion of the caller has.
std::optional<std::uint64_t> find_unknown(control_source& source, const dtcp::selector& by) {
    const auto* numbers = std::get_if<dtcp::criteria_selection>(&by);
    if (numbers == nullptr)
        return std::nullopt;
    for (const std::uint64_t number : numbers->listed)
        if (number > UINT32_MAX ||
            source.find(criteria_id{static_cast<std::uint32_t>(number)}) == nullptr)
            return number;
    return std::nullopt;
}

/// The caller's criteria that are selected and have not ended. Whatever has ended is told before
/// the answer.
std::vector<criterion*> select(request_context& context, const std::optional<dtcp::selector>& by) {
    control_source& source = context.from.source;
    expire_due(context.state, context.now);
    std::vector<criterion*> selected;
    if (by) {
        selected = source.select(*by, context.work);
    } else {
        selected = source.select_all();
        context.work += selected.size();
    }
    drop_ended(context.state, source, selected, context.now);
    return selected;
}

/// In dynamic flow capture a content destination that is not the caller's does not exist.
std::optional<answer> refuse_destination(request_context& context, audit_event event,
                                         const std::optional<dtcp::selector>& by) {
    const auto* name = by ? std::get_if<std::string>(&*by) : nullptr;
    if (name == nullptr || context.state.with.service != dtcp::service_kind::dynamic_flow_capture ||
        plan_capture(context.state, context.from.source, {name, 1}))
        return std::nullopt;
    return refuse(context, event,
                  dtcp::error_at(context.message, dtcp::parameter::cdest_id,
                                 errc::unknown_content_destination));
}

answer refuse_unknown(request_context& context, audit_event event, std::uint64_t number) {
    answer given = accept(context);
    given.head.status = dtcp::status_code::unknown_criteria_id;
    given.head.criterion = number;
    audit_note note{event, given.head.status};
    note.detail = "Criteria-ID: " + std::to_string(number);
    if (auto instead = record(context, std::move(note)))
        return std::move(*instead);
    return given;
}

/// Criteria of subscribers cannot have a budget (add_subscriber.cpp).
std::optional<answer> refuse_budgets(request_context& context, const dtcp::timeouts& given,
                                     const std::vector<criterion*>& selected) {
    const bool of_subscribers =
        std::any_of(selected.begin(), selected.end(),
                    [](const criterion* one) { return one->trigger != trigger_number{}; });
    if (!of_subscribers || (!given.packets && !given.bytes))
        return std::nullopt;
    const auto about =
        given.packets ? dtcp::parameter::timeout_packets : dtcp::parameter::timeout_bytes;
    return refuse(context, audit_event::refresh,
                  dtcp::error_at(context.message, about, dtcp::errc::invalid_timeout));
}

/// The record of a request that was done to `selected`. The numbers are listed while they are few.
audit_note note_of(audit_event event, const std::vector<criterion*>& selected) {
    static constexpr std::size_t listed_at_most = 64;
    audit_note note{event, dtcp::status_code::ok};
    note.count = selected.size();
    if (selected.size() == 1) {
        note.criterion = selected.front()->id.value();
        return note;
    }
    for (std::size_t i = 0; i < selected.size(); ++i) {
        note.detail += i == 0 ? "Criteria-ID: " : ",";
        if (i == listed_at_most) {
            note.detail += "...";
            break;
        }
        note.detail += std::to_string(selected[i]->id.value());
    }
    return note;
}

} // namespace

answer handle(request_context& context, const dtcp::delete_request& asked) {
    control_source& source = context.from.source;
    if (auto refused = refuse_destination(context, audit_event::remove, asked.selected))
        return std::move(*refused);
    std::vector<criterion*> selected = select(context, asked.selected);
    if (const auto unknown = find_unknown(source, asked.selected))
        return refuse_unknown(context, audit_event::remove, *unknown);
    if (!asked.include_static)
        std::erase_if(selected, [](const criterion* one) { return one->is_static(); });
    if (auto instead = record(context, note_of(audit_event::remove, selected)))
        return std::move(*instead);
    for (criterion* one : selected)
        context.state.remove(source, *one, context.now);
    answer given = accept(context);
    given.head.criteria_count = static_cast<std::uint32_t>(selected.size());
    // Also when this removed nothing: what a request before it removed must be gone, too.
    given.until = awaited::settled;
    given.number = source.last_removal;
    return given;
}

answer handle(request_context& context, const dtcp::refresh_request& asked) {
    control_source& source = context.from.source;
    if (auto refused = refuse_destination(context, audit_event::refresh, asked.selected))
        return std::move(*refused);
    std::vector<criterion*> selected = select(context, asked.selected);
    if (const auto unknown = find_unknown(source, asked.selected))
        return refuse_unknown(context, audit_event::refresh, *unknown);
    std::erase_if(selected, [](const criterion* one) { return one->is_static(); });
    if (auto refused = refuse_budgets(context, asked.limits, selected))
        return std::move(*refused);
    if (auto instead = record(context, note_of(audit_event::refresh, selected)))
        return std::move(*instead);
    const auto refreshed = std::count_if(selected.begin(), selected.end(), [&](criterion* one) {
        return refresh(context.state, *one, asked.limits, context.now);
    });
    answer given = accept(context);
    given.head.criteria_count = static_cast<std::uint32_t>(refreshed);
    return given;
}

answer handle(request_context& context, const dtcp::list_request& asked) {
    control_source& source = context.from.source;
    if (auto refused = refuse_destination(context, audit_event::list, asked.selected))
        return std::move(*refused);
    const std::vector<criterion*> selected = select(context, asked.selected);
    if (asked.selected)
        if (const auto unknown = find_unknown(source, *asked.selected))
            return refuse_unknown(context, audit_event::list, *unknown);
    if (source.entries_listed + selected.size() >
        std::max(lists_at_a_time * source.size(), small_lists))
        return refuse(context, audit_event::list, make_error_code(errc::out_of_resources));
    if (auto instead = record(context, note_of(audit_event::list, selected)))
        return std::move(*instead);

    std::vector<listed_criterion> snapshot;
    snapshot.reserve(selected.size());
    for (criterion* one : selected)
        snapshot.push_back({one->terms, one->timers, context.state.read(*one, context.now.steady)});
    answer given = accept(context);
    given.list =
        std::make_unique<listing>(source, given.head, asked.detail, std::move(snapshot),
                                  context.state.make_hash(source.with.key), context.now.steady);
    return given;
}

namespace {

/// Whether there are drop policies to switch, and whether there is one of this name.
std::optional<answer> refuse_policy(request_context& context, audit_event event,
                                    const std::string& policy) {
    const subscriber_service* const subscribers = context.state.subscribers;
    if (subscribers == nullptr)
        return refuse(context, event, make_error_code(errc::not_built));
    if (!subscribers->knows_drop_policy(policy))
        return refuse(context, event,
                      dtcp::error_at(context.message, dtcp::parameter::x_drop_policy,
                                     errc::unknown_drop_policy));
    return std::nullopt;
}

/// ENABLE and DISABLE: those of the selected criteria that are concerned get `after`.
/// Criteria that are none of subscribers have no drop policies.
template <class Request, class Concerned>
answer switch_policy(request_context& context, audit_event event, const Request& asked,
                     Concerned is_concerned, const std::optional<std::string>& after) {
    if (auto refused = refuse_policy(context, event, asked.drop_policy))
        return std::move(*refused);
    std::vector<criterion*> selected = select(context, asked.selected);
    if (const auto unknown = find_unknown(context.from.source, asked.selected))
        return refuse_unknown(context, event, *unknown);
    std::erase_if(selected, [&](const criterion* one) {
        return one->trigger == trigger_number{} || (one->is_static() && !asked.include_static) ||
               !is_concerned(*one);
    });
    if (auto instead = record(context, note_of(event, selected)))
        return std::move(*instead);
    for (criterion* one : selected) {
        one->drop_policy = after;
        context.state.subscribers->drop(one->trigger, after, context.now);
    }
    answer given = accept(context);
    given.head.criteria_count = static_cast<std::uint32_t>(selected.size());
    // Nothing that the policy names leaves after the answer.
    given.until = awaited::settled;
    given.number = context.state.published.pending();
    return given;
}

} // namespace

answer handle(request_context& context, const dtcp::enable_request& asked) {
    return switch_policy(
        context, audit_event::enable, asked, [](const criterion&) { return true; },
        asked.drop_policy);
}

answer handle(request_context& context, const dtcp::disable_request& asked) {
    const auto has_it = [&](const criterion& one) { return one.drop_policy == asked.drop_policy; };
    return switch_policy(context, audit_event::disable, asked, has_it, std::nullopt);
}

} // namespace flowtap::tap
