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

/// The errors of a field whose value is a list of entries.
struct range_errors {
    errc syntax;
    errc out_of_range;
    errc reversed;
};

constexpr range_errors filter_errors{errc::invalid_filter_entry, errc::filter_value_out_of_range,
                                     errc::reversed_range};
constexpr range_errors selector_errors{errc::invalid_value, errc::invalid_value,
                                       errc::invalid_value};

/// All written entries as ranges of Number.
template <class Number>
result<range_list<Number>> ranges_of(const std::vector<number_entry>& written,
                                     const header_line& line, const plain_value& value,
                                     const range_errors& errors) {
    range_list<Number> ranges;
    if (std::all_of(written.begin(), written.end(), is_plain_wildcard))
        return ranges;
    ranges.entries.reserve(written.size());
    for (const number_entry& entry : written) {
        const auto range = range_of<Number>(entry);
        if (!range)
            return fail_at(errors.out_of_range, line, value.original_offset(range.error()));
        if (range->last < range->first)
            return fail_at(errors.reversed, line, value.original_offset(entry.first.offset));
        ranges.entries.push_back(*range);
    }
    return ranges;
}

} // namespace

template <std::unsigned_integral Number>
result<number_field<Number>> read_numbers(const header_line& line) {
    const plain_value value(line.value);
    number_field<Number> field;
    // Most lists are one number or the wildcard.
    if (const auto number = parse_unsigned<Number>(value.text())) {
        field.entries = 1;
        field.ranges.entries.push_back({{*number, *number}, false});
        return field;
    }
    if (value.text() == "*") {
        field.entries = 1;
        return field;
    }
    const auto written = parse_number_entries(value.text());
    if (!written)
        return fail_at(filter_errors.syntax, line, value.original_offset(written.error()));
    auto ranges = ranges_of<Number>(*written, line, value, filter_errors);
    if (!ranges)
        return fail(std::move(ranges).error());
    field.entries = written->size();
    field.ranges = std::move(*ranges);
    return field;
}

template result<number_field<std::uint8_t>> read_numbers(const header_line&);
template result<number_field<std::uint16_t>> read_numbers(const header_line&);

result<criteria_selection> read_selection(const header_line& line) {
    const plain_value value(line.value);
    const auto written = parse_number_entries(value.text());
    if (!written)
        return fail_at(selector_errors.syntax, line, value.original_offset(written.error()));
    auto ranges = ranges_of<std::uint64_t>(*written, line, value, selector_errors);
    if (!ranges)
        return fail(std::move(ranges).error());
    criteria_selection selected;
    selected.ids = std::move(*ranges);
    for (const number_entry& entry : *written)
        if (!entry.negated && !entry.last && entry.first.value)
            selected.listed.push_back(*entry.first.value);
    return selected;
}

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

/// A printable ASCII character that stands for itself wherever it stands in a token.
constexpr bool is_plain(char letter) noexcept {
    return letter > 0x20 && letter <= 0x7E && letter != '\\';
}

result<std::string> read_escaped_token(const header_line& line, errc failure) {
    if (line.value.empty() || has_blank(line.value))
        return fail_at(failure, line);
    auto plain = unescape_value(line.value);
    if (!plain)
        return fail_at(failure, line, plain.error().where.column - 1);
    if (!std::all_of(plain->begin(), plain->end(), is_printable_ascii))
        return fail_at(failure, line);
    return plain;
}

} // namespace

result<std::string> read_token(const header_line& line, errc failure) {
    const std::string_view token = line.value;
    if (!token.empty() && std::all_of(token.begin(), token.end(), is_plain))
        return std::string(token);
    return read_escaped_token(line, failure);
}

result<std::vector<std::string>> read_tokens(const header_line& line, errc failure) {
    std::vector<std::string> tokens;
    const auto read = for_each_piece(line, [&](const header_line& piece) -> result<void> {
        auto token = read_token(piece, failure);
        if (!token)
            return fail(std::move(token).error());
        tokens.push_back(*std::move(token));
        return {};
    });
    if (!read)
        return fail(read.error());
    return tokens;
}

} // namespace flowtap::dtcp
