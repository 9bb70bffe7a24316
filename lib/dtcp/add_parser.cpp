// SPDX-License-Identifier: Apache-2.0
#include "add_parser.hpp"

#include <algorithm>
#include <limits>

#include "filter_parser.hpp"
#include "text.hpp"

namespace flowtap::dtcp {

namespace {

constexpr std::size_t most_destinations = 2;

/// The flag of that name in `flags`, or null.
bool* find_flag(request_flags& flags, std::string_view name) noexcept {
    if (equal_ignoring_case(name, "Static"))
        return &flags.is_static;
    if (equal_ignoring_case(name, "SendAsync"))
        return &flags.send_async;
    if (equal_ignoring_case(name, "Stats"))
        return &flags.stats;
    if (equal_ignoring_case(name, "Criteria"))
        return &flags.criteria;
    if (equal_ignoring_case(name, "Both"))
        return &flags.both;
    return nullptr;
}

/// A timeout that is there and not zero.
result<std::optional<std::uint64_t>> read_timeout(const header_line* line, std::uint64_t highest) {
    if (line == nullptr)
        return std::optional<std::uint64_t>();
    const auto number = read_number(*line, highest, errc::invalid_timeout);
    if (!number)
        return fail(number.error());
    return *number == 0 ? std::nullopt : std::optional(*number);
}

result<std::uint8_t> read_priority(const header_line* line) {
    if (line == nullptr)
        return std::uint8_t{1};
    const auto number = read_number(*line, 255, errc::invalid_value);
    if (!number)
        return fail(number.error());
    if (*number == 0)
        return fail_at(errc::invalid_value, *line);
    return static_cast<std::uint8_t>(*number);
}

result<packet_action> read_action(const header_line* line, const parse_options& options) {
    if (line == nullptr || equal_ignoring_case(line->value, "Copy"))
        return packet_action::copy;
    if (options.has_block_and_redirect && equal_ignoring_case(line->value, "Block"))
        return packet_action::block;
    if (options.has_block_and_redirect && equal_ignoring_case(line->value, "Redirect"))
        return packet_action::redirect;
    return fail_at(errc::not_implemented, *line);
}

result<std::vector<std::string>> read_cdest_ids(const header_line* line) {
    if (line == nullptr)
        return std::vector<std::string>();
    auto ids = read_tokens(*line, errc::invalid_value);
    if (ids && ids->size() > most_destinations)
        return fail_at(errc::too_many_destinations, *line);
    return ids;
}

/// What LIST repeats of an ADD: the filter, timeouts and X- parameters, which stand side by side
/// but for Priority and Action.
bool is_repeated_by_list(parameter known) noexcept {
    return known != parameter::priority && known != parameter::action;
}
static_assert(static_cast<int>(parameter::priority) - static_cast<int>(parameter::timeout_bytes) ==
                  1 &&
              static_cast<int>(parameter::x_jtap_cdest_dest_address) -
                      static_cast<int>(parameter::action) ==
                  1);

std::vector<given_field> collect_given(const field_table& fields) {
    constexpr std::size_t usual_fields = 16;
    std::vector<given_field> given;
    given.reserve(usual_fields);
    for (auto index = static_cast<int>(parameter::source_address);
         index <= static_cast<int>(parameter::x_drop_policy); ++index) {
        const auto known = static_cast<parameter>(index);
        const header_line* const line = fields.find(known);
        if (line != nullptr && is_repeated_by_list(known))
            given.push_back({known, std::string(line->value)});
    }
    return given;
}

/// Family ccc stands for whole frames of interfaces, in which no field of IP is looked at.
result<void> apply_frame_family(const field_table& fields, add_request& add) {
    if (add.jtap.filter_family != family::ccc)
        return {};
    for (const parameter other :
         {parameter::source_address, parameter::dest_address, parameter::protocol,
          parameter::source_port, parameter::dest_port, parameter::icmp_type, parameter::icmp_code,
          parameter::x_jtap_ip_version})
        if (const header_line* const line = fields.find(other); line != nullptr)
            return fail_at(errc::family_with_addresses, *line);
    if (add.jtap.input_interfaces.empty() && add.jtap.output_interfaces.empty())
        return fail_at(errc::missing_jtap_parameter, *fields.find(parameter::x_jtap_filter_family));
    add.filter.address_family = family::ccc;
    return {};
}

result<void> read_limits(const field_table& fields, add_request& add) {
    if (add.is_static)
        return {}; // all timeouts are ignored
    const auto limits = read_timeouts(fields);
    if (!limits)
        return fail(limits.error());
    if (limits->empty())
        return fail(errc::missing_timeout);
    add.limits = *limits;
    return {};
}

result<void> read_where_to(const field_table& fields, const parse_options& options,
                           add_request& add) {
    auto subscriber = read_subscriber(fields);
    if (!subscriber)
        return fail(subscriber.error());
    add.subscriber = std::move(*subscriber);
    if (add.cdest_ids.empty() && !add.subscriber)
        return fail_missing(errc::missing_parameter, parameter::cdest_id);
    if (options.service == service_kind::dynamic_flow_capture)
        return {};
    if (const auto done = read_jtap(fields, add); !done)
        return fail(done.error());
    return apply_frame_family(fields, add);
}

} // namespace

result<request_flags> read_flags(const field_table& fields) {
    request_flags flags;
    const header_line* const line = fields.find(parameter::flags);
    if (line == nullptr)
        return flags;
    bool are_known = true;
    const auto read = for_each_piece(*line, [&](const header_line& piece) -> result<void> {
        const auto name = read_token(piece, errc::invalid_value);
        if (!name)
            return fail(name.error());
        bool* const flag = find_flag(flags, *name);
        if (flag != nullptr)
            *flag = true;
        are_known &= flag != nullptr;
        return {};
    });
    if (!read)
        return fail(read.error());
    // Only when the whole list is well-formed.
    if (!are_known)
        return fail_at(errc::not_implemented, *line);
    return flags;
}

result<timeouts> read_timeouts(const field_table& fields) {
    const auto longest = static_cast<std::uint64_t>(longest_timeout.count());
    const auto idle = read_timeout(fields.find(parameter::timeout_idle), longest);
    if (!idle)
        return fail(idle.error());
    const auto total = read_timeout(fields.find(parameter::timeout_total), longest);
    if (!total)
        return fail(total.error());
    const auto packets = read_timeout(fields.find(parameter::timeout_packets),
                                      std::numeric_limits<std::uint32_t>::max());
    if (!packets)
        return fail(packets.error());
    const auto bytes = read_timeout(fields.find(parameter::timeout_bytes),
                                    std::numeric_limits<std::uint64_t>::max());
    if (!bytes)
        return fail(bytes.error());

    timeouts limits;
    if (*idle)
        limits.idle = std::chrono::seconds(**idle);
    if (*total)
        limits.total = std::chrono::seconds(**total);
    if (*packets)
        limits.packets = packet_count(static_cast<std::uint32_t>(**packets));
    if (*bytes)
        limits.bytes = octet_count(**bytes);
    return limits;
}

result<void> read_add(const field_table& fields, const parse_options& options, add_request& add) {
    const auto action = read_action(fields.find(parameter::action), options);
    if (!action)
        return fail(action.error());
    add.action = *action;
    const auto flags = read_flags(fields);
    if (!flags)
        return fail(flags.error());
    add.is_static = flags->is_static;
    add.send_async = flags->send_async;
    const auto priority = read_priority(fields.find(parameter::priority));
    if (!priority)
        return fail(priority.error());
    add.priority = *priority;
    auto cdest_ids = read_cdest_ids(fields.find(parameter::cdest_id));
    if (!cdest_ids)
        return fail(cdest_ids.error());
    add.cdest_ids = std::move(*cdest_ids);

    if (const auto done = read_filter(fields, options, add.filter); !done)
        return fail(done.error());
    if (const auto done = read_limits(fields, add); !done)
        return fail(done.error());
    if (const auto done = read_where_to(fields, options, add); !done)
        return fail(done.error());
    add.given = collect_given(fields);
    return {};
}

} // namespace flowtap::dtcp
