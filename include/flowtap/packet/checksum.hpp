// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <flowtap/core/bytes.hpp>
#include <flowtap/packet/api.hpp>

namespace flowtap::packet {

/// The Internet checksum (RFC 1071) in the making: a one's complement sum of 16-bit words in
/// network order. Plain data; copy it to branch off from a sum made ahead.
///
/// Example: `internet_checksum().add(pseudo_header).add(segment).value()`
class internet_checksum {
public:
    constexpr internet_checksum() = default;

    /// Adds octets. An odd number of them counts as if a zero octet followed, unless more octets
    /// do.
    FLOWTAP_PACKET_API internet_checksum& add(byte_view octets) noexcept;

    /// Adds one number of 16 bits. Only after an even number of octets.
    constexpr internet_checksum& add(std::uint16_t word) noexcept {
        sum_ += word;
        return *this;
    }

    /// The checksum as it stands in a header: the complement of the sum. Over octets that include a
    /// right checksum it is zero.
    constexpr std::uint16_t value() const noexcept {
        return static_cast<std::uint16_t>(~fold(sum_));
    }

private:
    static constexpr std::uint16_t fold(std::uint64_t sum) noexcept {
        sum = (sum & 0xFFFF'FFFFU) + (sum >> 32);
        sum = (sum & 0xFFFF'FFFFU) + (sum >> 32);
        sum = (sum & 0xFFFFU) + (sum >> 16);
        sum = (sum & 0xFFFFU) + (sum >> 16);
        return static_cast<std::uint16_t>(sum);
    }

    std::uint64_t sum_ = 0;
    bool odd_ = false;
};

/// The checksum of a packet of which one 16-bit word has changed (RFC 1624, equation 3).
constexpr std::uint16_t update_checksum(std::uint16_t checksum, std::uint16_t old_word,
                                        std::uint16_t new_word) noexcept {
    std::uint32_t sum = static_cast<std::uint16_t>(~checksum);
    sum += static_cast<std::uint16_t>(~old_word);
    sum += new_word;
    sum = (sum & 0xFFFFU) + (sum >> 16);
    sum = (sum & 0xFFFFU) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

} // namespace flowtap::packet
