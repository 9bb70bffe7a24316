// SPDX-License-Identifier: Apache-2.0
#include "field.hpp"

#include <algorithm>
#include <limits>

#include <flowtap/dtcp/escape.hpp>

#include "text.hpp"

namespace flowtap::dtcp {

unexpected<error> fail_at(errc code, const header_line& line, std::size_t offset) {
    return fail(code, text_position{line.number, line.column + offset}, std::string(line.text));
}

unexpected<error> fail_missing(errc code, parameter missing) {
    return fail(code, std::string(name_of(missing)));
}

field_table::field_table(const envelope& message, service_kind service) {
    const bool takes_extensions = service == service_kind::flow_tap;
    for (const header_line& line : message.lines) {
        if (!line.known || (is_extension(*line.known) && !takes_extensions))
            continue;
        const header_line*& place = lines_[static_cast<std::size_t>(*line.known)];
        if (place == nullptr)
            place = &line;
    }
}

namespace {

bool may_be_escaped_in_grammars(char letter) noexcept {
    return (letter >= '0' && letter <= '9') || (lower(letter) >= 'a' && lower(letter) <= 'z') ||
           letter == '.' || letter == ':';
}

} // namespace

plain_value::plain_value(std::string_view value) : text_(value) {
    if (value.find('\\') == std::string_view::npos)
        return;
    for (std::size_t at = 0; at < value.size(); ++at) {
        offsets_.push_back(at);
        const auto resolved = unescape_value(value.substr(at, value[at] == '\\' ? 4 : 1));
        if (value[at] == '\\' && resolved && may_be_escaped_in_grammars(resolved->front())) {
            resolved_ += resolved->front();
            at += 3;
        } else {
            resolved_ += value[at];
        }
    }
    offsets_.push_back(value.size());
    text_ = resolved_;
}

namespace {

/// One written entry as a range of Number.
template <class Number>
result<range_entry<Number>, std::size_t> range_of(const number_entry& entry) {
    constexpr std::uint64_t highest = std::numeric_limits<Number>::max();
    const std::uint64_t first = entry.first.value.value_or(0);
    std::uint64_t last = first;
    if (entry.last)
        last = entry.last->value.value_or(highest);
    else if (!entry.first.value)
        last = highest;

    if (first > highest)
        return unexpected<std::size_t>(entry.first.offset);
    if (last > highest)
        return unexpected<std::size_t>(entry.last->offset);
    range_entry<Number> range;
    range.first = static_cast<Number>(first);
    range.last = static_cast<Number>(last);
    range.negated = entry.negated;
    return range;
}

bool is_plain_wildcard(const number_entry& entry) {
    return !entry.negated && !entry.first.value && !entry.last;
}

} // namespace

template <std::unsigned_integral Number>
result<number_field<Number>> read_numbers(const header_line& line, const range_errors& errors) {
    const plain_value value(line.value);
    const auto written = parse_number_entries(value.text());
    if (!written)
        return fail_at(errors.syntax, line, value.original_offset(written.error()));

    number_field<Number> field;
    field.entries = written->size();
    if (std::all_of(written->begin(), written->end(), is_plain_wildcard))
        return field;
    field.ranges.entries.reserve(written->size());
    for (const number_entry& entry : *written) {
        const auto range = range_of<Number>(entry);
        if (!range)
            return fail_at(errors.out_of_range, line, value.original_offset(range.error()));
        if (range->last < range->first)
            return fail_at(errors.reversed, line, value.original_offset(entry.first.offset));
        field.ranges.entries.push_back(*range);
        if (!entry.negated && !entry.last && entry.first.value)
            field.listed.push_back(range->first);
    }
    return field;
}

template result<number_field<std::uint8_t>> read_numbers(const header_line&, const range_errors&);
template result<number_field<std::uint16_t>> read_numbers(const header_line&, const range_errors&);
template result<number_field<std::uint64_t>> read_numbers(const header_line&, const range_errors&);

result<std::uint64_t> read_number(const header_line& line, std::uint64_t highest, errc failure) {
    const plain_value value(line.value);
    const auto number = parse_unsigned<std::uint64_t>(value.text());
    if (!number || *number > highest)
        return fail_at(failure, line);
    return *number;
}

result<ip_address> read_address(const header_line& line, errc failure) {
    const plain_value value(line.value);
    const auto address = parse_ip_address(value.text());
    if (!address)
        return fail_at(failure, line);
    return *address;
}

namespace {

result<std::string> token_at(const header_line& line, std::string_view token, errc failure) {
    const auto offset = static_cast<std::size_t>(token.data() - line.value.data());
    if (token.empty() || token.find_first_of(" \t") != std::string_view::npos)
        return fail_at(failure, line, offset);
    auto plain = unescape_value(token);
    if (!plain)
        return fail_at(failure, line, offset + plain.error().where.column - 1);
    if (!std::all_of(plain->begin(), plain->end(), is_printable_ascii))
        return fail_at(failure, line, offset);
    return plain;
}

} // namespace

result<std::string> read_token(const header_line& line, errc failure) {
    return token_at(line, line.value, failure);
}

result<std::vector<std::string>> read_tokens(const header_line& line, errc failure) {
    std::vector<std::string> tokens;
    std::string_view rest = line.value;
    for (bool more = true; more;) {
        const std::size_t comma = rest.find(',');
        more = comma != std::string_view::npos;
        auto token = token_at(line, trim_end(trim_start(rest.substr(0, comma))), failure);
        if (!token)
            return fail(token.error());
        tokens.push_back(*std::move(token));
        rest.remove_prefix(more ? comma + 1 : rest.size());
    }
    return tokens;
}

} // namespace flowtap::dtcp
