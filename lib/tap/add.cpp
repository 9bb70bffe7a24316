// SPDX-License-Identifier: Apache-2.0
// ADD: what is checked beside the request's own consistency, and what becomes of it.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <flowtap/filter/criterion.hpp>
#include <flowtap/packet/encapsulation.hpp>
#include <flowtap/path/snapshot.hpp>
#include <flowtap/tap/error.hpp>

#include "add_rules.hpp"
#include "capture_rules.hpp"
#include "requests.hpp"

namespace flowtap::tap {

namespace {

/// An ADD of which all is known but the slot.
struct plan {
    filter_spec spec;
    std::vector<packet::header_template> headers;
    std::vector<stream_key> streams; ///< one for each header
    // In dynamic flow capture only.
    path::copy_group_id group;
    std::vector<std::shared_ptr<content_destination>> destinations;
};

using parameter = dtcp::parameter;

result<void> check_what_is_built(const request_context& context, const dtcp::add_request& asked) {
    if (asked.action != dtcp::packet_action::copy)
        return fail_at(context, parameter::action, errc::not_built);
    return {};
}

/// The parameter that gave a filter its family.
parameter family_parameter(const dtcp::add_request& asked) {
    if (asked.jtap.filter_family)
        return parameter::x_jtap_filter_family;
    if (!asked.filter.source_addresses.is_wildcard())
        return parameter::source_address;
    if (!asked.filter.destination_addresses.is_wildcard())
        return parameter::dest_address;
    return parameter::x_jtap_ip_version;
}

result<family_set> resolve_families(const request_context& context,
                                    const dtcp::add_request& asked) {
    const family_set configured = context.state.with.families;
    if (asked.filter.address_family) {
        if (!configured.contains(*asked.filter.address_family))
            return fail_at(context, family_parameter(asked), errc::family_not_configured);
        return family_set(*asked.filter.address_family);
    }
    const family_set every = configured & (family_set(family::inet) | family::inet6);
    if (every.empty())
        return fail(errc::family_not_configured);
    return every;
}

result<std::vector<interface_id>> resolve_interfaces(const request_context& context,
                                                     const std::vector<std::string>& names,
                                                     parameter about) {
    std::vector<interface_id> ids;
    for (const std::string& name : names) {
        const auto id = context.state.names.find_interface(name);
        if (!id)
            return fail_at(context, about, errc::interface_not_configured);
        if (std::find(ids.begin(), ids.end(), *id) == ids.end())
            ids.push_back(*id);
    }
    return ids;
}

result<filter_scope> resolve_scope(const request_context& context, const dtcp::add_request& asked) {
    const dtcp::jtap_parameters& jtap = asked.jtap;
    if (!jtap.input_interfaces.empty()) {
        auto ids =
            resolve_interfaces(context, jtap.input_interfaces, parameter::x_jtap_input_interface);
        if (!ids)
            return fail(std::move(ids).error());
        return filter_scope(input_scope{std::move(*ids)});
    }
    if (!jtap.output_interfaces.empty()) {
        auto ids =
            resolve_interfaces(context, jtap.output_interfaces, parameter::x_jtap_output_interface);
        if (!ids)
            return fail(std::move(ids).error());
        return filter_scope(output_scope{std::move(*ids)});
    }
    if (!jtap.vrf)
        return filter_scope(global_scope{});
    const auto vrf = context.state.names.find_vrf(*jtap.vrf);
    if (!vrf)
        return fail_at(context, parameter::x_jtap_vrf_name, errc::vrf_not_configured);
    return filter_scope(vrf_scope{*vrf});
}

/// Where the copies go: of IP packets, or with family ccc of whole frames.
result<void> plan_copies(const request_context& context, const dtcp::jtap_parameters& jtap,
                         plan& made) {
    if (jtap.destinations.empty())
        return fail_at(context, parameter::x_jtap_cdest_dest_address,
                       dtcp::errc::missing_jtap_parameter);
    if (jtap.destinations.size() > path::max_targets)
        return fail_at(context, parameter::x_jtap_cdest_dest_address,
                       dtcp::errc::too_many_destinations);
    if (!jtap.source_address || !jtap.source_port)
        return fail_at(context, parameter::x_jtap_cdest_source_address,
                       dtcp::errc::missing_jtap_parameter);
    if (auto checked = check_addresses(context, jtap); !checked)
        return checked;
    for (const endpoint& destination : jtap.destinations) {
        packet::encapsulation around;
        around.source = {*jtap.source_address, *jtap.source_port};
        around.destination = destination;
        around.ttl = jtap.ttl;
        stream_key stream = make_stream_key(context.from.source.id(), around);
        stream.of_frames = jtap.filter_family == family::ccc;
        if (std::find(made.streams.begin(), made.streams.end(), stream) != made.streams.end())
            continue;
        auto header = packet::header_template::make(around);
        if (!header)
            return fail_at(context, parameter::x_jtap_cdest_source_address,
                           dtcp::errc::mixed_families);
        made.streams.push_back(stream);
        made.headers.push_back(*header);
    }
    return {};
}

bool is_above_memory_threshold(const control& state, const capture_group& group) {
    if (!group.with.memory_threshold)
        return false;
    const std::size_t per_cent = state.with.filter_memory / 100;
    return state.published.memory() > per_cent * *group.with.memory_threshold;
}

/// What dynamic flow capture takes from the configuration in place of X-JTap parameters.
result<void> plan_by_configuration(const request_context& context, const dtcp::add_request& asked,
                                   plan& made) {
    const control_source& source = context.from.source;
    auto planned = plan_capture(context.state, source, asked.cdest_ids);
    if (!planned)
        return fail_at(context, parameter::cdest_id, errc::unknown_content_destination);
    if (asked.priority < source.with.minimum_priority)
        return fail_at(context, parameter::priority, errc::priority_too_low);
    if (is_above_memory_threshold(context.state, *planned->group))
        return fail(errc::out_of_resources);
    made.spec.scope = planned->group->scope;
    made.group = planned->group->number;
    made.headers = std::move(planned->headers);
    made.streams = std::move(planned->streams);
    made.destinations = std::move(planned->destinations);
    return {};
}

result<void> plan_by_request(const request_context& context, const dtcp::add_request& asked,
                             plan& made) {
    auto scope = resolve_scope(context, asked);
    if (!scope)
        return fail(std::move(scope).error());
    made.spec.scope = std::move(*scope);
    return plan_copies(context, asked.jtap, made);
}

result<void> check_limits(const request_context& context, const plan& made) {
    const control& state = context.state;
    const control_source& source = context.from.source;
    if (!state.sources.has_room_for_criterion(source))
        return fail(errc::too_many_criteria);
    const auto added = static_cast<std::size_t>(
        std::count_if(made.streams.begin(), made.streams.end(),
                      [&](const stream_key& stream) { return !state.streams.contains(stream); }));
    if (!state.sources.has_room_for_streams(source, added, state.streams))
        return fail(errc::too_many_content_destinations);
    if (!state.streams.has_ids(added) || source.next_id() == criteria_id{})
        return fail(errc::out_of_resources);
    return {};
}

/// Takes the lists of the filter out of the request.
result<plan> make_plan(const request_context& context, dtcp::add_request& asked) {
    if (auto built = check_what_is_built(context, asked); !built)
        return fail(built.error());
    const auto families = resolve_families(context, asked);
    if (!families)
        return fail(families.error());
    plan made;
    made.spec = dtcp::make_filter_spec(std::move(asked.filter));
    made.spec.families = *families;
    const bool by_configuration =
        context.state.with.service == dtcp::service_kind::dynamic_flow_capture;
    if (auto planned = by_configuration ? plan_by_configuration(context, asked, made)
                                        : plan_by_request(context, asked, made);
        !planned)
        return fail(planned.error());
    if (auto room = check_limits(context, made); !room)
        return fail(room.error());
    return made;
}

/// Puts the filter where it will be published, if there is room for it.
result<void> take_in(publisher& into, slot_id slot, filter_spec spec) {
    auto made = filter::criterion::make(slot, std::move(spec));
    if (!made)
        return fail(dtcp::errc::invalid_filter_entry);
    return into.insert(std::move(*made));
}

criteria_id install(request_context& context, dtcp::add_request& asked, plan made, slot_id slot) {
    control& state = context.state;
    control_source& source = context.from.source;
    auto added =
        std::make_unique<criterion>(source.next_id(), slot, bandwidth_meter(state.samples));
    added->terms = make_terms(context, asked);
    added->timers = make_timers(context, asked);

    path::action then;
    then.owner = source.id();
    then.group = made.group;
    then.rank = rank_of(asked.priority, ++state.arrivals);
    added->rank = then.rank;
    added->destinations = std::move(made.destinations);
    for (std::size_t i = 0; i < made.streams.size(); ++i)
        then.targets.push_back(
            {state.streams.acquire(made.streams[i]), path::egress_id{}, made.headers[i]});
    added->streams = std::move(made.streams);

    state.published.assign(slot, std::move(then));
    return state.insert(source, std::move(added)).id;
}

} // namespace

answer handle(request_context& context, dtcp::add_request&& asked) {
    control& state = context.state;
    if (asked.subscriber)
        return handle_subscriber(context, std::move(asked));
    auto made = make_plan(context, asked);
    if (!made)
        return refuse(context, audit_event::add, made.error());
    slot_id slot;
    if (!state.path.acquire(slot))
        return refuse(context, audit_event::add, make_error_code(errc::out_of_resources));
    if (const auto taken = take_in(state.published, slot, std::move(made->spec)); !taken) {
        state.path.release(slot);
        return refuse(context, audit_event::add, taken.error());
    }
    if (auto instead = record(context, note_of_add(context, asked))) {
        state.published.erase(slot);
        state.path.release(slot);
        return std::move(*instead);
    }
    return accept_add(context, install(context, asked, std::move(*made), slot));
}

} // namespace flowtap::tap
