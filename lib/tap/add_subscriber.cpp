// SPDX-License-Identifier: Apache-2.0
// ADD with X-MD-Intercept-Id: the subscribers are somebody else's business, the criterion is ours.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include <flowtap/dtcp/error.hpp>
#include <flowtap/dtcp/escape.hpp>
#include <flowtap/tap/error.hpp>
#include <flowtap/tap/subscribers.hpp>

#include "add_rules.hpp"

namespace flowtap::tap {

namespace {

using parameter = dtcp::parameter;

/// The low 30 bits of the first word are the Intercept-ID (juniper.md, section 5).
constexpr std::uint32_t intercept_bits = 0x3FFFFFFF;

result<void> check_what_is_built(const request_context& context, const dtcp::add_request& asked) {
    if (context.state.subscribers == nullptr ||
        context.state.with.service != dtcp::service_kind::flow_tap)
        return fail_at(context, parameter::x_md_intercept_id, errc::not_built);
    if (asked.action != dtcp::packet_action::copy)
        return fail_at(context, parameter::action, errc::not_built);
    return {};
}

/// A subscriber's packets are told by the session alone.
result<void> check_filter(const request_context& context, const dtcp::add_request& asked) {
    const dtcp::filter_fields& filter = asked.filter;
    const dtcp::jtap_parameters& jtap = asked.jtap;
    const std::array<std::pair<bool, parameter>, 11> given{{
        {!filter.source_addresses.is_wildcard(), parameter::source_address},
        {!filter.destination_addresses.is_wildcard(), parameter::dest_address},
        {!filter.protocols.is_wildcard(), parameter::protocol},
        {!filter.source_ports.is_wildcard(), parameter::source_port},
        {!filter.destination_ports.is_wildcard(), parameter::dest_port},
        {!filter.icmp_types.is_wildcard(), parameter::icmp_type},
        {!filter.icmp_codes.is_wildcard(), parameter::icmp_code},
        {!jtap.input_interfaces.empty(), parameter::x_jtap_input_interface},
        {!jtap.output_interfaces.empty(), parameter::x_jtap_output_interface},
        {jtap.vrf.has_value(), parameter::x_jtap_vrf_name},
        {jtap.filter_family.has_value(), parameter::x_jtap_filter_family},
    }};
    for (const auto& [is_given, which] : given)
        if (is_given)
            return fail_at(context, which, errc::not_for_subscribers);
    return {};
}

/// What is counted is each mirror's own, so no budget of packets could be kept exactly.
result<void> check_timeouts(const request_context& context, const dtcp::add_request& asked) {
    if (asked.is_static)
        return {};
    if (asked.limits.packets)
        return fail_at(context, parameter::timeout_packets, dtcp::errc::invalid_timeout);
    if (asked.limits.bytes)
        return fail_at(context, parameter::timeout_bytes, dtcp::errc::invalid_timeout);
    return {};
}

session_trait trait_of(parameter trigger) {
    switch (trigger) {
    case parameter::x_act_sess_id:
        return session_trait::accounting_session;
    case parameter::x_ip_addr:
        return session_trait::address;
    case parameter::x_interface_id:
        return session_trait::interface;
    case parameter::x_nas_port_id:
        return session_trait::nas_port_id;
    case parameter::x_rm_circuit_id:
        return session_trait::circuit_id;
    case parameter::x_call_sta_id:
        return session_trait::calling_station;
    default:
        return session_trait::user_name;
    }
}

trigger trigger_of(const dtcp::subscriber_parameters& asked) {
    trigger made;
    made.by = trait_of(asked.trigger);
    made.value = asked.trigger_value;
    if (made.by == session_trait::interface && made.value.find('.') == std::string::npos)
        made.value += ".0";
    made.logical_system = asked.logical_system;
    made.routing_instance = asked.router_instance;
    return made;
}

std::optional<std::string> drop_policy_of(const dtcp::add_request& asked) {
    const auto given = std::find_if(asked.given.begin(), asked.given.end(), [](const auto& one) {
        return one.name == parameter::x_drop_policy;
    });
    if (given == asked.given.end())
        return std::nullopt;
    // What is no name is that of no policy.
    return dtcp::unescape_value(given->text).value_or(given->text);
}

subscriber_request make_request(const request_context& context, const dtcp::add_request& asked) {
    subscriber_request made;
    made.control_source = context.from.source.name();
    made.id = {asked.subscriber->intercept.first & intercept_bits,
               asked.subscriber->intercept.second};
    made.subscribers = trigger_of(*asked.subscriber);
    if (asked.jtap.ip_version)
        made.families = *asked.jtap.ip_version;
    for (const endpoint& destination : asked.jtap.destinations)
        made.copies.push_back(
            {destination, asked.jtap.source_address, asked.jtap.source_port, asked.jtap.ttl});
    made.drop_policy = drop_policy_of(asked);
    return made;
}

/// The parameter that an error of the subscribers' side is about; none for limits.
std::optional<parameter> parameter_of(std::error_code code) {
    if (code == errc::unknown_drop_policy)
        return parameter::x_drop_policy;
    if (code == errc::no_source_address)
        return parameter::x_jtap_cdest_dest_address;
    return std::nullopt;
}

result<subscriber_request> plan(const request_context& context, const dtcp::add_request& asked) {
    for (const auto check : {check_what_is_built, check_filter, check_timeouts})
        if (auto checked = check(context, asked); !checked)
            return fail(checked.error());
    if (auto checked = check_addresses(context, asked.jtap); !checked)
        return fail(checked.error());
    if (context.from.source.next_id() == criteria_id{})
        return fail(errc::out_of_resources);
    subscriber_request made = make_request(context, asked);
    const auto possible = context.state.subscribers->check(made);
    if (possible)
        return made;
    if (const auto about = parameter_of(possible.error().code))
        return fail_at(context, *about, possible.error().code);
    return fail(possible.error());
}

criteria_id install(request_context& context, dtcp::add_request& asked, subscriber_request made,
                    slot_id slot) {
    control& state = context.state;
    control_source& source = context.from.source;
    auto added =
        std::make_unique<criterion>(source.next_id(), slot, bandwidth_meter(state.samples));
    added->terms = make_terms(context, asked);
    added->timers = make_timers(context, asked);
    added->trigger = state.mirrors.next_trigger();
    added->drop_policy = made.drop_policy;
    made.number = added->trigger;
    const criteria_id id = state.insert(source, std::move(added)).id;
    state.subscribers->add(made, context.now);
    return id;
}

} // namespace

answer handle_subscriber(request_context& context, dtcp::add_request&& asked) {
    control& state = context.state;
    auto made = plan(context, asked);
    if (!made)
        return refuse(context, audit_event::add, made.error());
    slot_id slot;
    if (!state.path.acquire(slot))
        return refuse(context, audit_event::add, make_error_code(errc::out_of_resources));
    if (auto instead = record(context, note_of_add(context, asked))) {
        state.path.release(slot);
        return std::move(*instead);
    }
    return accept_add(context, install(context, asked, std::move(*made), slot));
}

} // namespace flowtap::tap
