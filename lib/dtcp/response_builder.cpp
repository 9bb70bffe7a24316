// SPDX-License-Identifier: Apache-2.0
#include "response_builder.hpp"

#include <algorithm>
#include <limits>

#include <flowtap/dtcp/escape.hpp>
#include <flowtap/dtcp/timestamp.hpp>

#include "field.hpp"
#include "text.hpp"

namespace flowtap::dtcp {

namespace {

/// The most seconds a server can mean; more would overflow when added to a time.
constexpr std::uint64_t most_seconds = std::numeric_limits<std::uint32_t>::max();

std::vector<std::string> split_tokens(std::string_view list) {
    std::vector<std::string> tokens;
    for (bool more = true; more;) {
        const std::size_t comma = list.find(',');
        more = comma != std::string_view::npos;
        const std::string_view token = trim_end(trim_start(list.substr(0, comma)));
        if (auto plain = unescape_value(token); plain && !plain->empty())
            tokens.push_back(*std::move(plain));
        list.remove_prefix(more ? comma + 1 : list.size());
    }
    return tokens;
}

bool has_word(std::string_view list, std::string_view word) {
    const auto words = split_tokens(list);
    return std::any_of(words.begin(), words.end(), [word](const std::string& candidate) {
        return equal_ignoring_case(candidate, word);
    });
}

bool is_given_in_add(parameter name) noexcept {
    return (name >= parameter::source_address && name <= parameter::timeout_bytes) ||
           (is_extension(name) && name != parameter::x_offending_line);
}

bool has_statistics(const parameter_group& group) {
    return std::any_of(group.lines().begin(), group.lines().end(), [](const given_field& line) {
        return line.name >= parameter::remaining_idle && line.name <= parameter::last_refresh;
    });
}

list_statistics build_statistics(const parameter_group& group) {
    list_statistics shown;
    shown.remaining_idle = group.seconds(parameter::remaining_idle);
    shown.remaining_total = group.seconds(parameter::remaining_total);
    shown.remaining_packets = group.number(parameter::remaining_packets);
    shown.remaining_bytes = group.number(parameter::remaining_bytes);
    shown.average_bandwidth = group.number(parameter::average_bandwidth).value_or(0);
    shown.matching_packets = group.number(parameter::matching_packets).value_or(0);
    shown.matching_bytes = group.number(parameter::matching_bytes).value_or(0);
    shown.num_refresh = group.number32(parameter::num_refresh).value_or(0);
    shown.last_refresh = group.time(parameter::last_refresh);
    return shown;
}

/// A parameter that a response repeats of the request it refuses.
bool is_repeated_line(const parameter_group& group, const given_field& line) {
    if (line.name == parameter::criteria_id)
        return !group.number(parameter::criteria_id);
    return line.name == parameter::cdest_id ||
           (line.name >= parameter::flags && line.name <= parameter::x_drop_policy);
}

} // namespace

bool parameter_group::add(parameter name, std::string_view value) {
    if (has(name))
        return false;
    lines_.push_back({name, std::string(value)});
    return true;
}

const std::string* parameter_group::find(parameter name) const noexcept {
    const auto found = std::find_if(lines_.begin(), lines_.end(),
                                    [name](const given_field& line) { return line.name == name; });
    return found == lines_.end() ? nullptr : &found->text;
}

std::optional<std::string> parameter_group::token(parameter name) const {
    const std::string* const text = find(name);
    if (text == nullptr)
        return std::nullopt;
    auto plain = unescape_value(*text);
    return plain ? *std::move(plain) : *text;
}

std::optional<std::uint64_t> parameter_group::number(parameter name) const {
    const std::string* const text = find(name);
    return text != nullptr ? parse_unsigned<std::uint64_t>(*text) : std::nullopt;
}

std::optional<std::uint32_t> parameter_group::number32(parameter name) const {
    const std::string* const text = find(name);
    return text != nullptr ? parse_unsigned<std::uint32_t>(*text) : std::nullopt;
}

std::optional<std::chrono::seconds> parameter_group::seconds(parameter name) const {
    const auto value = number(name);
    if (!value)
        return std::nullopt;
    return std::chrono::seconds(std::min(*value, most_seconds));
}

std::optional<wall_time> parameter_group::time(parameter name) const {
    const std::string* const text = find(name);
    if (text == nullptr)
        return std::nullopt;
    const auto moment = parse_timestamp(*text);
    return moment ? std::optional(*moment) : std::nullopt;
}

result<list_entry> build_entry(const parameter_group& group) {
    const auto id = group.number32(parameter::criteria_id);
    if (!id)
        return fail(errc::invalid_value, std::string(name_of(parameter::criteria_id)));
    list_entry entry;
    entry.id = criteria_id(*id);
    entry.csource_id = group.token(parameter::csource_id).value_or(std::string());
    if (const std::string* const list = group.find(parameter::cdest_id))
        entry.cdest_ids = split_tokens(*list);
    if (const std::string* const text = group.find(parameter::csource_address))
        if (const auto address = parse_ip_address(*text))
            entry.csource_address = *address;
    entry.added = group.time(parameter::timestamp).value_or(wall_time());
    if (const std::string* const list = group.find(parameter::flags)) {
        entry.is_static = has_word(*list, "STATIC");
        entry.send_async = has_word(*list, "SENDASYNC");
    }
    for (const given_field& line : group.lines())
        if (is_given_in_add(line.name))
            entry.given.push_back(line);
    if (has_statistics(group))
        entry.statistics = build_statistics(group);
    entry.number = group.number32(parameter::criteria_num).value_or(0);
    entry.count = group.number32(parameter::criteria_count).value_or(0);
    return entry;
}

void fill_response(response& answer, const parameter_group& group) {
    answer.criterion = group.number(parameter::criteria_id);
    answer.criteria_count = group.number32(parameter::criteria_count);
    if (const std::string* const line = group.find(parameter::x_offending_line)) {
        answer.offending_line = *line;
        return;
    }
    for (const given_field& line : group.lines()) {
        if (!is_repeated_line(group, line))
            continue;
        answer.offending_line = std::string(name_of(line.name)) + ": " + line.text;
        return;
    }
}

void fill_notification(notification& told, const parameter_group& group) {
    if (const std::string* const text = group.find(parameter::alert_info))
        told.alert = *text;
    told.cdest_id = group.token(parameter::cdest_id);
    if (const std::string* const list = group.find(parameter::criteria_id)) {
        const header_line line{.text = *list, .value = *list, .number = 1, .column = 1};
        if (told.status != status_code::congestion_delete)
            told.criterion = group.number(parameter::criteria_id);
        else if (auto selected = read_selection(line))
            told.purged = std::move(selected->ids);
    }
    const auto read_limits = [&group](timeouts& limits, parameter idle, parameter total,
                                      parameter packets, parameter bytes) {
        limits.idle = group.seconds(idle);
        limits.total = group.seconds(total);
        if (const auto count = group.number32(packets))
            limits.packets = packet_count(*count);
        if (const auto count = group.number(bytes))
            limits.bytes = octet_count(*count);
    };
    read_limits(told.configured, parameter::timeout_idle, parameter::timeout_total,
                parameter::timeout_packets, parameter::timeout_bytes);
    read_limits(told.remaining, parameter::remaining_idle, parameter::remaining_total,
                parameter::remaining_packets, parameter::remaining_bytes);
    told.average_bandwidth = group.number(parameter::average_bandwidth);
    told.alert_bandwidth = group.number(parameter::alert_bandwidth);
    told.max_bandwidth = group.number(parameter::max_bandwidth);
    told.dropped_packets = group.number(parameter::dropped_packets);
    told.dropped_bytes = group.number(parameter::dropped_bytes);
}

} // namespace flowtap::dtcp
