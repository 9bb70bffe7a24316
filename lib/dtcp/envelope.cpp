// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include <flowtap/dtcp/envelope.hpp>
#include <flowtap/dtcp/escape.hpp>

#include "text.hpp"

namespace flowtap::dtcp {

namespace {

/// How many parameters a usual request has, with room to spare.
constexpr std::size_t usual_lines = 24;

/// Takes the first line off `rest`, its end included.
std::string_view take_line(std::string_view& rest) noexcept {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end == std::string_view::npos ? end : end + 1);
    rest.remove_prefix(line.size());
    return line;
}

header_line split_line(std::string_view text, std::size_t number) {
    header_line line{
        .text = text, .name = {}, .value = {}, .known = {}, .number = number, .column = 0};
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos)
        return line;
    const std::string_view name = trim_end(text.substr(0, colon));
    line.known = find_parameter(name);
    // A name is one token; what begins with a blank has none.
    if (!line.known && (name.empty() || has_blank(name)))
        return line;
    line.name = name;
    line.value = trim_start(text.substr(colon + 1));
    line.column = static_cast<std::size_t>(line.value.data() - text.data()) + 1;
    return line;
}

std::optional<std::string> printable(std::string_view value) {
    auto plain = unescape_value(value);
    if (!plain || plain->empty() || !std::all_of(plain->begin(), plain->end(), is_printable_ascii))
        return std::nullopt;
    return *std::move(plain);
}

void note(envelope& message, const header_line& line) {
    const bool is_identity = line.known == parameter::csource_id || line.known == parameter::seq;
    if (!is_identity || message.find(*line.known) != nullptr)
        return;
    if (line.known == parameter::csource_id) {
        message.csource_id = printable(line.value);
    } else {
        message.sequence_text = line.value;
        if (const auto number = parse_unsigned<std::uint64_t>(line.value))
            message.sequence = sequence_number(*number);
    }
}

} // namespace

const header_line* envelope::find(parameter wanted) const noexcept {
    const auto found = std::find_if(lines.begin(), lines.end(), [wanted](const header_line& line) {
        return line.known == wanted;
    });
    return found == lines.end() ? nullptr : &*found;
}

result<envelope> parse_envelope(std::string_view message) {
    result<envelope> parts;
    if (const auto parsed = parse_envelope(message, *parts); !parsed)
        return fail(parsed.error());
    return parts;
}

result<void> parse_envelope(std::string_view message, envelope& parts) {
    parts.lines.clear();
    parts.csource_id.reset();
    parts.sequence_text = {};
    parts.sequence.reset();
    parts.authentication_info.reset();

    std::string_view rest = message;
    std::string_view start;
    while (!rest.empty() && start.empty()) {
        message = rest;
        start = strip_line(take_line(rest));
    }
    if (start.empty())
        return fail(errc::incomplete_message);

    parts.start_line = start;
    parts.lines.reserve(usual_lines);
    parts.signed_octets = message;
    for (std::size_t number = 2; !rest.empty(); ++number) {
        const std::string_view before = message.substr(0, message.size() - rest.size());
        const std::string_view text = strip_line(take_line(rest));
        parts.signed_octets = before;
        if (text.empty())
            break;
        const header_line line = split_line(text, number);
        if (line.known == parameter::authentication_info) {
            parts.authentication_info = line.value;
            break;
        }
        parts.signed_octets = message.substr(0, message.size() - rest.size());
        note(parts, line);
        parts.lines.push_back(line);
    }
    return {};
}

} // namespace flowtap::dtcp
