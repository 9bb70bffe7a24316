// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "values.hpp"

namespace flowtap::filter {

/// Addresses as numbers that can be shifted.
__extension__ using wide_number = unsigned __int128;

constexpr wide_number to_number(std::uint32_t address) noexcept {
    return address;
}
constexpr wide_number to_number(const address_bits& address) noexcept {
    return (wide_number{address.high} << 64) | address.low;
}
template <class Address>
constexpr Address to_address(wide_number number) noexcept {
    if constexpr (std::same_as<Address, address_bits>)
        return {static_cast<std::uint64_t>(number >> 64), static_cast<std::uint64_t>(number)};
    else
        return static_cast<Address>(number);
}

/// The prefixes of one length that a range of addresses lies in.
template <class Address>
class blocks {
public:
    /// `length` is from 1 to all bits.
    blocks(const value_range<Address>& range, unsigned length) noexcept
        : shift_(static_cast<unsigned>(sizeof(Address)) * 8 - length),
          first_(to_number(range.first) >> shift_), last_(to_number(range.last) >> shift_) {}

    /// How many there are, or `most` if there are more.
    std::uint64_t count(std::uint64_t most) const noexcept {
        return static_cast<std::uint64_t>(std::min<wide_number>(last_ - first_, most - 1)) + 1;
    }
    /// The lowest address of one of them.
    Address at(std::uint64_t index) const noexcept {
        return to_address<Address>((first_ + index) << shift_);
    }
    /// All their addresses.
    value_range<Address> span() const noexcept {
        const wide_number rest = (wide_number{1} << shift_) - 1;
        return {to_address<Address>(first_ << shift_),
                to_address<Address>((last_ << shift_) | rest)};
    }

private:
    unsigned shift_;
    wide_number first_;
    wide_number last_;
};

} // namespace flowtap::filter
