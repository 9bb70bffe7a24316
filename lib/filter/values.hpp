// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>

#include <flowtap/core/address.hpp>
#include <flowtap/core/range_list.hpp>

/// Forces a function into its callers, so that it is compiled for their instruction set.
#define FLOWTAP_INLINE [[gnu::always_inline]] inline

namespace flowtap::filter {

/// The values a field can have, as the compiled structures see them: IPv4 addresses are 32-bit
/// numbers there, IPv6 addresses stay `address_bits`.
template <class T>
struct value_traits;

template <std::unsigned_integral T>
struct value_traits<T> {
    static constexpr T highest = std::numeric_limits<T>::max();
    static constexpr T next(T value) noexcept { return static_cast<T>(value + 1); }
    static constexpr double as_double(T value) noexcept { return static_cast<double>(value); }
};

template <>
struct value_traits<address_bits> {
    static constexpr address_bits highest = {~0ULL, ~0ULL};
    static constexpr address_bits next(address_bits value) noexcept {
        ++value.low;
        value.high += value.low == 0 ? 1 : 0;
        return value;
    }
    static constexpr double as_double(address_bits value) noexcept {
        return static_cast<double>(value.high) * 0x1p64 + static_cast<double>(value.low);
    }
};

/// Whether `a <= b`, without a branch.
template <std::unsigned_integral T>
FLOWTAP_INLINE bool at_most(T a, T b) noexcept {
    return a <= b;
}
FLOWTAP_INLINE bool at_most(const address_bits& a, const address_bits& b) noexcept {
    return ((a.high < b.high) | ((a.high == b.high) & (a.low <= b.low))) != 0;
}

/// The part of `range` that values of type `To` can reach; none if there is no such part.
template <class To>
constexpr std::optional<value_range<To>> clip(const value_range<To>& range) noexcept {
    return range;
}
template <class To>
requires std::same_as<To, std::uint32_t>
constexpr std::optional<value_range<To>> clip(const value_range<address_bits>& range) noexcept {
    constexpr address_bits top = highest_address(family::inet);
    if (top < range.first)
        return std::nullopt;
    const address_bits last = top < range.last ? top : range.last;
    return value_range<To>{static_cast<To>(range.first.low), static_cast<To>(last.low)};
}

/// An address of a key as a value of type `Address`.
template <class Address>
FLOWTAP_INLINE Address narrow(const address_bits& address) noexcept {
    if constexpr (std::same_as<Address, address_bits>)
        return address;
    else
        return static_cast<Address>(address.low);
}

} // namespace flowtap::filter
