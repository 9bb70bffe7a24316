// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include <flowtap/core/bytes.hpp>

namespace flowtap {

/// Whether two pieces are the same, in a time that depends on their lengths alone. Different
/// lengths are never the same.
inline bool equal_in_constant_time(byte_view a, byte_view b) noexcept {
    if (a.size() != b.size())
        return false;
    // volatile keeps the compiler from leaving the loop early.
    volatile unsigned difference = 0;
    for (std::size_t at = 0; at < a.size(); ++at)
        difference = difference | std::to_integer<unsigned>(a[at] ^ b[at]);
    return difference == 0;
}

} // namespace flowtap
