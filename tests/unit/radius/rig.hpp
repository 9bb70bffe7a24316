// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/bytes.hpp>
#include <flowtap/crypto/digest.hpp>
#include <flowtap/crypto/hmac.hpp>
#include <flowtap/radius/cryptography.hpp>

namespace flowtap {

using octets = std::vector<std::byte>;

/// Octets written as hexadecimal digits, with blanks anywhere.
inline octets from_hex(std::string_view text) {
    octets made;
    int high = -1;
    for (const char digit : text) {
        const std::size_t value = std::string_view("0123456789abcdef").find(digit);
        if (value == std::string_view::npos)
            continue;
        if (high >= 0)
            made.push_back(static_cast<std::byte>(high * 16 + static_cast<int>(value)));
        high = high >= 0 ? -1 : static_cast<int>(value);
    }
    return made;
}

inline std::string text_of(byte_view from) {
    std::string text;
    for (const std::byte octet : from)
        text += static_cast<char>(octet);
    return text;
}

/// Real digests, and octets that are anything but random: 1, 2, 3 and so on.
inline radius::cryptography test_cryptography() {
    using hash = crypto::keyed_hash_as<radius::keyed_hash, crypto::hmac_md5>;
    return {crypto::md5, [](std::string_view key) { return std::make_unique<hash>(key); },
            [next = 0](std::span<std::byte> room) mutable {
                for (std::byte& octet : room)
                    octet = static_cast<std::byte>(++next);
            }};
}

inline radius::shared_secret key_of(std::string_view text) {
    return {radius::secret(text), test_cryptography()};
}

} // namespace flowtap
