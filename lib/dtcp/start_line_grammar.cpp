// SPDX-License-Identifier: Apache-2.0
#include "start_line_grammar.hpp"

#include <algorithm>

#include <boost/spirit/home/x3.hpp>

#include "text.hpp"

namespace flowtap::dtcp {

namespace {

namespace x3 = boost::spirit::x3;

using text_range = boost::iterator_range<std::string_view::const_iterator>;

/// What the rules below collect.
struct start_line_parts {
    text_range first_token;
    text_range major;
    text_range minor;
    std::uint16_t code = 0;
};

start_line_parts& parts(auto& context) {
    return x3::get<start_line_parts>(context).get();
}

const auto note_token = [](auto& context) { parts(context).first_token = _attr(context); };
const auto note_major = [](auto& context) { parts(context).major = _attr(context); };
const auto note_minor = [](auto& context) { parts(context).minor = _attr(context); };
const auto note_code = [](auto& context) { parts(context).code = _attr(context); };

const auto blanks = +x3::blank;
const auto digits = x3::raw[+x3::digit];
// DTCP-Version = "DTCP" "/" 1*DIGIT "." 1*DIGIT
const auto dtcp_version =
    x3::no_case["DTCP"] >> '/' >> digits[note_major] >> '.' >> digits[note_minor];
// Status-Code = 3DIGIT
const auto status_number = x3::uint_parser<std::uint16_t, 10, 3, 3>{};
const auto method_token = x3::raw[+x3::graph];

const auto request_rule = method_token[note_token] >> blanks >> dtcp_version >> x3::eoi;
const auto status_rule = dtcp_version >> blanks >> status_number[note_code];

std::string_view text_of(const text_range& range) {
    return {range.begin(), range.end()};
}

std::uint8_t number_of(const text_range& digit_range) {
    unsigned number = 0;
    for (const char digit : digit_range)
        number = std::min(255U, number * 10 + static_cast<unsigned>(digit - '0'));
    return static_cast<std::uint8_t>(number);
}

/// A minor number has one digit, so `0.05` is no version; `0.10` is one, and newer than 0.9.
bool has_leading_zero(const text_range& digit_range) {
    return digit_range.size() > 1 && digit_range.front() == '0';
}

version version_of(const start_line_parts& found) {
    return {number_of(found.major), number_of(found.minor)};
}

/// The form that nearly every client writes: one blank, and one digit a number. None for any other:
/// the grammar reads it.
std::optional<request_line> usual_request_line(std::string_view line) {
    constexpr std::string_view usual_end = " DTCP/0.0";
    if (line.size() <= usual_end.size())
        return std::nullopt;
    const std::string_view method = line.substr(0, line.size() - usual_end.size());
    const std::string_view end = line.substr(method.size());
    const auto is_digit = [](char letter) { return letter >= '0' && letter <= '9'; };
    const auto is_graph = [](char letter) { return letter > ' ' && is_printable_ascii(letter); };
    if (!end.starts_with(" DTCP/") || !is_digit(end[6]) || end[7] != '.' || !is_digit(end[8]) ||
        !std::all_of(method.begin(), method.end(), is_graph))
        return std::nullopt;
    return request_line{
        method, {static_cast<std::uint8_t>(end[6] - '0'), static_cast<std::uint8_t>(end[8] - '0')}};
}

} // namespace

std::optional<request_line> parse_request_line(std::string_view line) {
    if (const auto usual = usual_request_line(line))
        return usual;
    start_line_parts found;
    const bool matched = ascii_prefix(line).size() == line.size() &&
                         x3::parse(line.begin(), line.end(),
                                   x3::with<start_line_parts>(std::ref(found))[request_rule]);
    if (!matched || has_leading_zero(found.minor))
        return std::nullopt;
    return request_line{text_of(found.first_token), version_of(found)};
}

std::optional<status_line> parse_status_line(std::string_view line) {
    start_line_parts found;
    const std::string_view text = ascii_prefix(line);
    auto place = text.begin();
    if (!x3::parse(place, text.end(), x3::with<start_line_parts>(std::ref(found))[status_rule]) ||
        has_leading_zero(found.minor))
        return std::nullopt;
    // The reason phrase is free text, and some servers leave it out.
    const auto used = static_cast<std::size_t>(place - text.begin());
    if (used < line.size() && line[used] != ' ' && line[used] != '\t')
        return std::nullopt;
    return status_line{version_of(found), found.code};
}

} // namespace flowtap::dtcp
