// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstring>
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

/// Eight octets at once: false if surely none of them is a control octet.
inline bool may_have_control(const char* octets) noexcept {
    constexpr std::uint64_t each = 0x0101'0101'0101'0101;
    std::uint64_t word = 0;
    std::memcpy(&word, octets, sizeof word);
    const std::uint64_t without_del = word ^ (each * 0x7F);
    const std::uint64_t below_blank = (word - each * 0x20) & ~word;
    const std::uint64_t is_del = (without_del - each) & ~without_del;
    return ((below_blank | is_del) & (each * 0x80)) != 0;
}

/// Where the first control octet stands; the size of the text if there is none. It runs over all
/// of every request, which have none.
inline std::size_t find_control(std::string_view text) noexcept {
    constexpr std::size_t step = 8;
    bool maybe = text.size() < step;
    if (!maybe) {
        for (std::size_t at = 0; at + step < text.size(); at += step)
            maybe |= may_have_control(text.data() + at);
        maybe |= may_have_control(text.data() + text.size() - step);
    }
    if (!maybe)
        return text.size();
    return static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_control) -
                                    text.begin());
}

constexpr bool is_blank(char letter) noexcept {
    return letter == ' ' || letter == '\t';
}

// Loops rather than find_first_not_of and its like, which call memchr for each octet.

constexpr bool has_blank(std::string_view text) noexcept {
    for (const char letter : text)
        if (is_blank(letter))
            return true;
    return false;
}

/// An empty rest still points to its place in the line.
constexpr std::string_view trim_start(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    return text;
}

constexpr std::string_view trim_end(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
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
