// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace flowtap {

/// Octets that somebody else owns.
using byte_view = std::span<const std::byte>;

/// The octets of a text, borrowed.
inline byte_view as_byte_view(std::string_view text) noexcept {
    return std::as_bytes(std::span(text.data(), text.size()));
}

namespace detail {

/// Network order to host order or back, for the two byte orders there are.
template <std::unsigned_integral Number>
constexpr Number swap_to_big_endian(Number value) noexcept {
    if constexpr (std::endian::native == std::endian::big || sizeof(Number) == 1)
        return value;
    else if constexpr (sizeof(Number) == 2)
        return __builtin_bswap16(value);
    else if constexpr (sizeof(Number) == 4)
        return __builtin_bswap32(value);
    else
        return __builtin_bswap64(value);
}

} // namespace detail

/// Reads an unsigned number in network byte order from the start of `bytes`, which must hold at
/// least `sizeof(Number)` octets. One load and a byte swap.
template <std::unsigned_integral Number>
constexpr Number load_big_endian(byte_view bytes) noexcept {
    std::array<std::byte, sizeof(Number)> octets{};
    std::copy_n(bytes.data(), octets.size(), octets.begin());
    return detail::swap_to_big_endian(std::bit_cast<Number>(octets));
}

/// Writes `value` in network byte order at the start of `bytes`, which must have room for it.
template <std::unsigned_integral Number>
constexpr void store_big_endian(std::span<std::byte> bytes, Number value) noexcept {
    const auto octets =
        std::bit_cast<std::array<std::byte, sizeof(Number)>>(detail::swap_to_big_endian(value));
    std::copy_n(octets.begin(), octets.size(), bytes.data());
}

/// A cursor over octets that never reads past their end: the one way in which decoders of this
/// project read packets. A read that does not fit moves nothing, returns zero or an empty view and
/// makes the cursor bad for good, so that a decoder may check once after several reads.
class byte_cursor {
public:
    constexpr byte_cursor() = default;
    constexpr explicit byte_cursor(byte_view bytes) noexcept : bytes_(bytes) {}

    /// False once a read did not fit.
    constexpr bool good() const noexcept { return good_; }
    constexpr std::size_t remaining() const noexcept { return bytes_.size() - offset_; }
    /// Octets consumed so far.
    constexpr std::size_t offset() const noexcept { return offset_; }
    /// What has not been consumed.
    constexpr byte_view rest() const noexcept { return bytes_.subspan(offset_); }

    /// Takes the next `count` octets.
    constexpr byte_view take(std::size_t count) noexcept {
        if (!good_ || count > remaining()) {
            good_ = false;
            return {};
        }
        const byte_view taken = bytes_.subspan(offset_, count);
        offset_ += count;
        return taken;
    }

    constexpr bool skip(std::size_t count) noexcept {
        take(count);
        return good_;
    }

    constexpr std::uint8_t u8() noexcept { return number<std::uint8_t>(); }
    constexpr std::uint16_t u16() noexcept { return number<std::uint16_t>(); }
    constexpr std::uint32_t u32() noexcept { return number<std::uint32_t>(); }
    constexpr std::uint64_t u64() noexcept { return number<std::uint64_t>(); }

private:
    template <std::unsigned_integral Number>
    constexpr Number number() noexcept {
        const byte_view taken = take(sizeof(Number));
        return good_ ? load_big_endian<Number>(taken) : Number{0};
    }

    byte_view bytes_;
    std::size_t offset_ = 0;
    bool good_ = true;
};

} // namespace flowtap
