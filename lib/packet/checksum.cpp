// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstring>

#include <flowtap/packet/checksum.hpp>

namespace flowtap::packet {

namespace {

/// Four octets in the machine's own order: the sum may be taken in either order, and is turned
/// round once at its end (RFC 1071, section 2 (B)).
std::uint64_t load_native(const std::byte* at) noexcept {
    std::uint32_t word = 0;
    std::memcpy(&word, at, sizeof(word));
    return word;
}

std::uint64_t sum_native(byte_view octets) noexcept {
    const std::byte* at = octets.data();
    std::size_t left = octets.size();
    // Two sums, so that an addition need not wait for the one before. 2^32 additions would fit.
    std::uint64_t even = 0;
    std::uint64_t odd = 0;
    for (; left >= 16; left -= 16, at += 16) {
        even += load_native(at) + load_native(at + 8);
        odd += load_native(at + 4) + load_native(at + 12);
    }
    for (; left >= 4; left -= 4, at += 4)
        even += load_native(at);
    if (left != 0) {
        std::uint32_t word = 0;
        std::memcpy(&word, at, left);
        odd += word;
    }
    return even + odd;
}

} // namespace

internet_checksum& internet_checksum::add(byte_view octets) noexcept {
    if (octets.empty())
        return *this;
    std::uint16_t words = fold(sum_native(octets));
    // After an odd number of octets each one stands in the other half of its word.
    const bool turn = (std::endian::native == std::endian::little) != odd_;
    if (turn)
        words = __builtin_bswap16(words);
    sum_ += words;
    odd_ = odd_ != ((octets.size() & 1U) != 0);
    return *this;
}

} // namespace flowtap::packet
