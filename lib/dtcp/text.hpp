// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

#include <flowtap/core/bytes.hpp>

namespace flowtap::dtcp {

/// Helpers on text that the parts of this module share.

constexpr char lower(char letter) noexcept {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size())
        return false;
    for (std::size_t at = 0; at < a.size(); ++at)
        if (lower(a[at]) != lower(b[at]))
            return false;
    return true;
}

constexpr bool is_printable_ascii(char letter) noexcept {
    return letter >= 0x20 && letter <= 0x7E;
}

/// An octet that must not stand in a line: anything below the blank but HTAB, and DEL.
constexpr bool is_control(char letter) noexcept {
    const auto octet = static_cast<unsigned char>(letter);
    return (octet < 0x20 && letter != '\t') || octet == 0x7F;
}

constexpr std::string_view trim_start(std::string_view text) noexcept {
    const std::size_t begin = text.find_first_not_of(" \t");
    // An empty rest still points to its place in the line.
    text.remove_prefix(begin == std::string_view::npos ? text.size() : begin);
    return text;
}

constexpr std::string_view trim_end(std::string_view text) noexcept {
    const std::size_t last = text.find_last_not_of(" \t");
    return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

/// A line without its CRLF or LF.
constexpr std::string_view without_line_end(std::string_view line) noexcept {
    if (line.ends_with('\n'))
        line.remove_suffix(1);
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    return line;
}

/// A line without its end and the blanks before it; empty for a line of blanks.
constexpr std::string_view strip_line(std::string_view line) noexcept {
    return trim_end(without_line_end(line));
}

/// What stands before the first octet that is not ASCII. The character classes of Spirit's grammars
/// assert on any other octet.
constexpr std::string_view ascii_prefix(std::string_view text) noexcept {
    std::size_t size = 0;
    while (size < text.size() && static_cast<unsigned char>(text[size]) < 0x80)
        ++size;
    return text.substr(0, size);
}

/// Octets as text.
inline std::string_view as_text(byte_view octets) noexcept {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): any object is octets
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

/// The whole of `text` as a decimal number without a sign.
template <std::unsigned_integral Number>
std::optional<Number> parse_unsigned(std::string_view text) noexcept {
    Number number{};
    const char* const last = text.data() + text.size();
    const auto [end, problem] = std::from_chars(text.data(), last, number);
    if (problem != std::errc{} || end != last)
        return std::nullopt;
    return number;
}

} // namespace flowtap::dtcp
