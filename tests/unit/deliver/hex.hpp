// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "copies.hpp"

namespace flowtap::deliver::test {

/// Octets written as hexadecimal digits; spaces are for the reader.
inline octets from_hex(std::string_view text) {
    octets made;
    std::string digits;
    for (const char each : text) {
        if (each == ' ')
            continue;
        digits += each;
        if (digits.size() == 2) {
            made.push_back(static_cast<std::byte>(std::stoul(digits, nullptr, 16)));
            digits.clear();
        }
    }
    return made;
}

} // namespace flowtap::deliver::test
