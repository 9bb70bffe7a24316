// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <flowtap/dtcp/parser.hpp>

#include "add_parser.hpp"
#include "field.hpp"
#include "filter_parser.hpp"
#include "start_line_grammar.hpp"
#include "text.hpp"

namespace flowtap::dtcp {

namespace {

enum class method : std::uint8_t { add, delete_, refresh, list, noop, enable, disable };

/// A method, the version that brought it, and the parameters it takes beside Csource-ID, Seq,
/// Flags and extensions, which every method takes.
struct method_row {
    std::string_view name;
    method known;
    version since;
    bool takes_selector;
    bool takes_filter;
    bool takes_timeouts;
};

constexpr method_row methods[] = {
    {"ADD", method::add, version_0_5, false, true, true},
    {"DELETE", method::delete_, version_0_5, true, false, false},
    {"REFRESH", method::refresh, version_0_5, true, false, true},
    {"LIST", method::list, version_0_5, true, false, false},
    {"NOOP", method::noop, version_0_5, false, false, false},
    {"ENABLE", method::enable, version_0_8, true, false, false},
    {"DISABLE", method::disable, version_0_8, true, false, false},
};

const method_row* find_method(const request_line& start) {
    const auto* const found =
        std::find_if(std::begin(methods), std::end(methods), [&](const method_row& row) {
            return equal_ignoring_case(row.name, start.method) && row.since <= start.asked;
        });
    return found == std::end(methods) ? nullptr : found;
}

bool takes(const method_row& row, parameter known) {
    switch (known) {
    case parameter::csource_id:
    case parameter::seq:
    case parameter::flags:
        return true;
    case parameter::cdest_id:
        return row.takes_selector || row.takes_filter;
    case parameter::criteria_id:
        return row.takes_selector;
    case parameter::priority:
    case parameter::action:
        return row.takes_filter;
    default:
        break;
    }
    if (known >= parameter::source_address && known <= parameter::icmp_code)
        return row.takes_filter;
    if (known >= parameter::timeout_idle && known <= parameter::timeout_bytes)
        return row.takes_timeouts;
    return is_extension(known);
}

bool has_extension_name(std::string_view name) {
    return name.size() > 2 && lower(name[0]) == 'x' && name[1] == '-';
}

/// Everything about a line that does not depend on what its parameter means.
result<void> check_line(const header_line& line) {
    if (const std::size_t offset = find_control(line.text); offset < line.text.size())
        return fail(errc::control_octet, text_position{line.number, offset + 1},
                    std::string(line.text));
    if (line.name.empty())
        return fail(errc::malformed_line, text_position{line.number, 1}, std::string(line.text));
    return {};
}

result<void> check_lines(const envelope& message, const method_row& row) {
    for (const header_line& line : message.lines) {
        if (const auto checked = check_line(line); !checked)
            return checked;
        const bool is_known = line.known.has_value();
        if (!is_known && has_extension_name(line.name))
            continue;
        if (is_known && takes(row, *line.known))
            continue;
        const errc code = is_known ? errc::misplaced_parameter : errc::unknown_parameter;
        return fail(code, text_position{line.number, 1}, std::string(line.text));
    }
    return {};
}

unexpected<error> fail_start(errc code, const envelope& message) {
    return fail(code, text_position{1, 1}, std::string(message.start_line));
}

result<request_header> read_header(const envelope& message, identity_rule rule) {
    request_header header;
    if (rule == identity_rule::required && !message.csource_id)
        return fail(errc::missing_csource_id);
    if (rule == identity_rule::required && !message.sequence)
        return fail(message.find(parameter::seq) == nullptr ? errc::missing_sequence
                                                            : errc::malformed_sequence);
    header.csource_id = message.csource_id.value_or(std::string());
    header.seq = message.sequence.value_or(sequence_number());
    return header;
}

/// The selector of a request, if it has one.
result<std::optional<selector>> read_selector(const field_table& fields) {
    const header_line* const by_id = fields.find(parameter::criteria_id);
    const header_line* const by_destination = fields.find(parameter::cdest_id);
    if (by_id != nullptr && by_destination != nullptr)
        return fail_at(errc::ambiguous_selector,
                       by_id->number > by_destination->number ? *by_id : *by_destination);
    if (by_id != nullptr) {
        auto selected = read_selection(*by_id);
        if (!selected)
            return fail(std::move(selected).error());
        return std::optional<selector>(*std::move(selected));
    }
    if (by_destination != nullptr) {
        auto ids = read_tokens(*by_destination, errc::invalid_value);
        if (!ids)
            return fail(ids.error());
        if (ids->size() > 1)
            return fail_at(errc::ambiguous_selector, *by_destination);
        return std::optional<selector>(std::move(ids->front()));
    }
    return std::optional<selector>();
}

result<selector> read_required_selector(const field_table& fields) {
    auto selected = read_selector(fields);
    if (!selected)
        return fail(selected.error());
    if (!*selected)
        return fail(errc::missing_selector);
    return **std::move(selected);
}

/// DELETE, ENABLE and DISABLE: a selector and the flag STATIC.
template <class Request>
result<Request> read_selecting(const field_table& fields) {
    Request message;
    auto selected = read_required_selector(fields);
    if (!selected)
        return fail(selected.error());
    message.selected = std::move(*selected);
    const auto flags = read_flags(fields);
    if (!flags)
        return fail(flags.error());
    message.include_static = flags->is_static;
    return message;
}

template <class Request>
result<Request> read_drop_policy_switch(const field_table& fields) {
    auto message = read_selecting<Request>(fields);
    if (!message)
        return message;
    const header_line* const line = fields.find(parameter::x_drop_policy);
    if (line == nullptr)
        return fail_missing(errc::missing_parameter, parameter::x_drop_policy);
    auto policy = read_token(*line, errc::invalid_value);
    if (!policy)
        return fail(policy.error());
    message->drop_policy = std::move(*policy);
    return message;
}

result<refresh_request> read_refresh(const field_table& fields) {
    refresh_request message;
    auto selected = read_required_selector(fields);
    if (!selected)
        return fail(selected.error());
    message.selected = std::move(*selected);
    if (const auto flags = read_flags(fields); !flags)
        return fail(flags.error());
    const auto limits = read_timeouts(fields);
    if (!limits)
        return fail(limits.error());
    if (limits->empty())
        return fail(errc::missing_timeout);
    message.limits = *limits;
    return message;
}

result<list_request> read_list_request(const field_table& fields) {
    list_request message;
    auto selected = read_selector(fields);
    if (!selected)
        return fail(selected.error());
    message.selected = std::move(*selected);
    const auto flags = read_flags(fields);
    if (!flags)
        return fail(flags.error());
    if (flags->stats && !flags->criteria && !flags->both)
        message.detail = list_detail::stats;
    if (flags->criteria && !flags->stats && !flags->both)
        message.detail = list_detail::criteria;
    return message;
}

result<noop_request> read_noop(const field_table& fields) {
    const auto flags = read_flags(fields);
    if (!flags)
        return fail(flags.error());
    noop_request message;
    message.send_async = flags->send_async;
    return message;
}

template <class Request>
result<request> finish(result<Request> body, request_header header) {
    if (!body)
        return fail(std::move(body).error());
    body->header = std::move(header);
    return request(*std::move(body));
}

/// An ADD is large: it is read in its place.
result<request> read_add_request(const field_table& fields, request_header header,
                                 const parse_options& options) {
    result<request> message;
    auto& add = message->emplace<add_request>();
    add.header = std::move(header);
    if (const auto done = read_add(fields, options, add); !done)
        return fail(done.error());
    return message;
}

result<request> read_body(method known, const field_table& fields, request_header header,
                          const parse_options& options) {
    switch (known) {
    case method::add:
        return read_add_request(fields, std::move(header), options);
    case method::delete_:
        return finish(read_selecting<delete_request>(fields), std::move(header));
    case method::refresh:
        return finish(read_refresh(fields), std::move(header));
    case method::list:
        return finish(read_list_request(fields), std::move(header));
    case method::noop:
        return finish(read_noop(fields), std::move(header));
    case method::enable:
        return finish(read_drop_policy_switch<enable_request>(fields), std::move(header));
    case method::disable:
        return finish(read_drop_policy_switch<disable_request>(fields), std::move(header));
    }
    return fail(errc::unknown_method);
}

} // namespace

result<request> parse_request(const envelope& message, const parse_options& options) {
    auto header = read_header(message, options.identity);
    if (!header)
        return fail(header.error());

    const auto start = parse_request_line(message.start_line);
    if (!start)
        return fail_start(errc::malformed_start_line, message);
    if (!is_spoken(start->asked))
        return fail_start(errc::version_not_supported, message);
    const method_row* const row = find_method(*start);
    if (row == nullptr)
        return fail_start(errc::unknown_method, message);
    header->spoken = start->asked;

    if (const auto checked = check_lines(message, *row); !checked)
        return fail(checked.error());
    return read_body(row->known, field_table(message, options.service), std::move(*header),
                     options);
}

result<filter_fields> parse_filter(const envelope& message, const parse_options& options) {
    for (const header_line& line : message.lines)
        if (const auto checked = check_line(line); !checked)
            return fail(checked.error());
    result<filter_fields> filter;
    if (const auto done = read_filter(field_table(message, options.service), options, *filter);
        !done)
        return fail(done.error());
    return filter;
}

} // namespace flowtap::dtcp
