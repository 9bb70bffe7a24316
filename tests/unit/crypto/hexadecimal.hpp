// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <flowtap/core/bytes.hpp>

namespace flowtap {

inline std::string hexadecimal(byte_view octets) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::byte octet : octets) {
        text += digits[std::to_integer<unsigned>(octet) >> 4U];
        text += digits[std::to_integer<unsigned>(octet) & 15U];
    }
    return text;
}

} // namespace flowtap
