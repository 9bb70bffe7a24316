// SPDX-License-Identifier: Apache-2.0
#include "add_rules.hpp"

#include <string_view>
#include <utility>
#include <vector>

#include <flowtap/tap/error.hpp>

#include "copy_rules.hpp"

namespace flowtap::tap {

using parameter = dtcp::parameter;

unexpected<error> fail_at(const request_context& context, parameter about, std::error_code code) {
    return fail(dtcp::error_at(context.message, about, code));
}

result<void> check_addresses(const request_context& context, const dtcp::jtap_parameters& jtap) {
    const control_source_settings& with = context.from.source.with;
    const std::vector<ip_address>& own = context.state.with.own_addresses;
    for (const endpoint& destination : jtap.destinations)
        if (destination.port == 0 ||
            !is_allowed(destination.address, with.allowed_destinations, own))
            return fail_at(context, parameter::x_jtap_cdest_dest_address,
                           errc::destination_not_allowed);
    if (jtap.source_address &&
        !is_allowed(*jtap.source_address, with.allowed_source_addresses, own))
        return fail_at(context, parameter::x_jtap_cdest_source_address,
                       errc::source_address_not_allowed);
    return {};
}

namespace {

/// The request in one line, for the audit log.
std::string describe(const dtcp::add_request& asked) {
    constexpr std::size_t usual_length = 512;
    std::string line;
    line.reserve(usual_length);
    const auto append = [&](std::string_view name, std::string_view value) {
        if (!line.empty())
            line += "; ";
        line.append(name).append(": ").append(value);
    };
    for (const std::string& destination : asked.cdest_ids)
        append("Cdest-ID", destination);
    for (const dtcp::given_field& field : asked.given)
        append(dtcp::name_of(field.name), field.text);
    if (asked.priority != 1)
        append("Priority", std::to_string(asked.priority));
    if (asked.is_static)
        append("Flags", asked.send_async ? "STATIC,SendAsync" : "STATIC");
    else if (asked.send_async)
        append("Flags", "SendAsync");
    return line;
}

} // namespace

audit_note note_of_add(const request_context& context, const dtcp::add_request& asked) {
    return {audit_event::add, dtcp::status_code::ok, context.from.source.next_id().value(), 1,
            describe(asked)};
}

answer accept_add(request_context& context, criteria_id added) {
    answer given = accept(context);
    given.head.criterion = added.value();
    given.until = awaited::in_force;
    given.number = context.state.published.pending();
    return given;
}

std::shared_ptr<const criterion_terms> make_terms(const request_context& context,
                                                  dtcp::add_request& asked) {
    auto terms = std::make_shared<criterion_terms>();
    terms->entry.id = context.from.source.next_id();
    terms->entry.csource_id = context.from.source.name();
    terms->entry.cdest_ids = std::move(asked.cdest_ids);
    terms->entry.csource_address = context.from.address;
    terms->entry.added = context.now.wall;
    terms->entry.is_static = asked.is_static;
    terms->entry.send_async = asked.send_async;
    terms->entry.given = std::move(asked.given);
    terms->priority = asked.priority;
    return terms;
}

std::shared_ptr<const countdowns> make_timers(const request_context& context,
                                              const dtcp::add_request& asked) {
    auto timers = std::make_shared<countdowns>();
    if (!asked.is_static)
        timers->limits = asked.limits;
    timers->idle_since = context.now.steady;
    timers->total_since = context.now.steady;
    return timers;
}

} // namespace flowtap::tap
