// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <flowtap/core/bytes.hpp>

namespace flowtap::crypto::detail {

inline std::string to_hexadecimal(byte_view octets) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * octets.size());
    for (const std::byte octet : octets) {
        text += digits[std::to_integer<unsigned>(octet >> 4)];
        text += digits[std::to_integer<unsigned>(octet & std::byte{15})];
    }
    return text;
}

/// The value of a lower-case digit: each octet has one spelling only. 16 for anything else.
inline unsigned value_of_digit(char digit) noexcept {
    if (digit >= '0' && digit <= '9')
        return static_cast<unsigned>(digit - '0');
    return digit >= 'a' && digit <= 'f' ? static_cast<unsigned>(digit - 'a') + 10 : 16;
}

inline std::optional<std::array<std::byte, 32>> from_hexadecimal(std::string_view text) noexcept {
    std::array<std::byte, 32> octets{};
    if (text.size() != 2 * octets.size())
        return {};
    unsigned worst = 0;
    for (std::size_t i = 0; i < octets.size(); ++i) {
        const unsigned high = value_of_digit(text[2 * i]);
        const unsigned low = value_of_digit(text[2 * i + 1]);
        worst |= high | low;
        octets[i] = static_cast<std::byte>(high << 4U | low);
    }
    if (worst > 15)
        return {};
    return octets;
}

} // namespace flowtap::crypto::detail
