// SPDX-License-Identifier: Apache-2.0
#include "intercept.hpp"

#include <algorithm>
#include <utility>

#include <flowtap/core/error.hpp>
#include <flowtap/tap/error.hpp>

namespace flowtap::subscriber {

namespace {

/// Junos' name for the instance and the logical system that have none.
constexpr std::string_view default_name = "default";

std::string instance_of(const std::optional<std::string>& given, const std::string& otherwise) {
    if (!given)
        return otherwise;
    return *given == default_name ? std::string() : *given;
}

std::optional<ip_address> source_for(const tap::mirror_copy& copy, const mirroring_settings& with,
                                     const pool_member* member) {
    const family wanted = copy.destination.address.ip_family();
    if (copy.source_address)
        return copy.source_address;
    if (with.source_address && with.source_address->ip_family() == wanted)
        return with.source_address;
    if (member == nullptr)
        return std::nullopt;
    const auto own = std::find_if(member->addresses.begin(), member->addresses.end(),
                                  [&](const ip_address& one) { return one.ip_family() == wanted; });
    return own == member->addresses.end() ? std::nullopt : std::optional(*own);
}

std::uint16_t source_port_for(const tap::mirror_copy& copy, const pool_member* member) {
    if (copy.source_port)
        return *copy.source_port;
    const auto own = member == nullptr ? std::nullopt : member->source_port;
    return own.value_or(copy.destination.port);
}

result<void> check_copy(const tap::mirror_copy& copy, const mirroring_settings& with) {
    if (copy.source_address &&
        copy.source_address->ip_family() != copy.destination.address.ip_family())
        return fail(flowtap::errc::mixed_families);
    const auto has_source = [&](const pool_member* member) {
        return source_for(copy, with, member).has_value();
    };
    const bool complete = with.pool.empty()
                              ? has_source(nullptr)
                              : std::all_of(with.pool.begin(), with.pool.end(),
                                            [&](const auto& one) { return has_source(&one); });
    if (!complete)
        return fail(tap::errc::no_source_address);
    return {};
}

/// The number of the mirror header that a session is to have.
result<std::uint32_t> number_for(const session_record& session, const packet::mirror_id& id) {
    if (id.session_id)
        return *id.session_id;
    const auto number = session_number(session.identity.accounting_session);
    if (!number)
        return fail(errc::no_session_number);
    return *number;
}

} // namespace

intercept make_intercept(const radius_request& asked) {
    intercept made;
    made.id = asked.id;
    made.copies.emplace_back();
    made.copies.back().destination = asked.destination;
    return made;
}

intercept make_intercept(const tap::subscriber_request& asked, const mirroring_settings& with) {
    intercept made;
    made.number = asked.number;
    made.control_source = asked.control_source;
    made.id = asked.id;
    made.families = asked.families;
    made.copies = asked.copies;
    made.drop_policy = asked.drop_policy;
    made.subscribers.by = asked.subscribers.by;
    made.subscribers.value = asked.subscribers.value;
    made.subscribers.logical_system = instance_of(asked.subscribers.logical_system, {});
    made.subscribers.routing_instance =
        instance_of(asked.subscribers.routing_instance, with.routing_instance);
    return made;
}

result<void> check_copies(const std::vector<tap::mirror_copy>& copies,
                          const mirroring_settings& with) {
    for (const tap::mirror_copy& copy : copies)
        if (auto checked = check_copy(copy, with); !checked)
            return checked;
    return {};
}

result<tap::mirror> make_mirror(const session_record& session, const intercept& by,
                                const mirroring_settings& with, const pool_member* member) {
    const auto number = number_for(session, by.id);
    if (!number)
        return fail(number.error());
    tap::mirror made;
    made.asked_for = by.number;
    made.addresses = session.addresses;
    made.families = by.families;
    made.interface = session.interface;
    made.routing_instance = session.routing_instance;
    if (member != nullptr)
        made.egress = member->egress;
    if (by.drop_policy)
        if (const auto policy = with.drop_policies.find(*by.drop_policy);
            policy != with.drop_policies.end())
            made.drops = policy->second;
    for (const tap::mirror_copy& copy : by.copies) {
        const auto source = source_for(copy, with, member);
        if (!source)
            return fail(tap::errc::no_source_address);
        packet::encapsulation around;
        around.kind = packet::encapsulation_kind::udp_mirror;
        around.source = {*source, source_port_for(copy, member)};
        around.destination = copy.destination;
        around.ttl = copy.ttl;
        around.dscp = with.dscp;
        around.mirror = by.id.header_for(*number);
        made.copies.push_back(around);
    }
    return made;
}

} // namespace flowtap::subscriber
