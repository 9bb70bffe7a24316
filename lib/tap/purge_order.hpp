// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <flowtap/tap/settings.hpp>

namespace flowtap::tap {

/// A criterion to a content destination whose hard limit is exceeded.
struct purge_candidate {
    /// As `path::action::rank`: the higher, the sooner it goes.
    std::uint64_t rank = 0;
    /// Bit/s.
    std::uint64_t bandwidth = 0;
    /// The caller's.
    std::size_t index = 0;
};

/// Sorts the candidates in the order in which they go, lowest priority first and then newest, and
/// returns how many must go: none while they are within the limit together, else so many that the
/// others come down to what is low.
inline std::size_t choose_purged(std::span<purge_candidate> candidates,
                                 const bandwidth_limit& hard) {
    std::sort(candidates.begin(), candidates.end(),
              [](const purge_candidate& a, const purge_candidate& b) { return a.rank > b.rank; });
    std::uint64_t left = 0;
    for (const purge_candidate& one : candidates)
        left += one.bandwidth;
    std::size_t count = 0;
    if (left <= hard.limit)
        return count;
    while (left > hard.low)
        left -= candidates[count++].bandwidth;
    return count;
}

} // namespace flowtap::tap
