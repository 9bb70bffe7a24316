// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>

namespace flowtap::dtcp {

/// A version of the protocol, `DTCP/<major>.<minor>`, compared as numbers.
struct version {
    std::uint8_t major = 0;
    std::uint8_t minor = 7;

    friend constexpr auto operator<=>(const version&, const version&) = default;
};

/// The versions that are spoken. 0.6 is as 0.7; 0.5 has another LIST and fewer codes; 0.8 is
/// Junos' version with X-JTap-Filter-Family, ENABLE and DISABLE.
inline constexpr version version_0_5{0, 5};
inline constexpr version version_0_7{0, 7};
inline constexpr version version_0_8{0, 8};
inline constexpr version lowest_version = version_0_5;
inline constexpr version highest_version = version_0_8;

constexpr bool is_spoken(version asked) noexcept {
    return lowest_version <= asked && asked <= highest_version;
}

/// The version an answer carries: the request's, or where that is not spoken the nearest that is
/// (draft-cavuto-dtcp-03, section 6.7).
constexpr version answer_version(version asked) noexcept {
    if (asked < lowest_version)
        return lowest_version;
    return asked > highest_version ? highest_version : asked;
}

} // namespace flowtap::dtcp
