// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include <flowtap/core/range_list.hpp>

namespace flowtap::tap {

/// A union of ranges, so that what a request lists costs no more than its length however its
/// entries overlap.
class interval_set {
public:
    using range = value_range<std::uint64_t>;

    void insert(range added) { ranges_.push_back(added); }

    /// Call it after the last `insert`.
    void normalise() {
        std::sort(ranges_.begin(), ranges_.end(),
                  [](const range& a, const range& b) { return a.first < b.first; });
        std::size_t kept = 0;
        for (const range& next : ranges_) {
            if (kept != 0 && next.first <= ranges_[kept - 1].last)
                ranges_[kept - 1].last = std::max(ranges_[kept - 1].last, next.last);
            else
                ranges_[kept++] = next;
        }
        ranges_.resize(kept);
    }

    /// Ascending and disjoint.
    std::span<const range> ranges() const noexcept { return ranges_; }

    bool contains(std::uint64_t value) const {
        const auto after = std::upper_bound(
            ranges_.begin(), ranges_.end(), value,
            [](std::uint64_t wanted, const range& candidate) { return wanted < candidate.first; });
        return after != ranges_.begin() && value <= std::prev(after)->last;
    }

private:
    std::vector<range> ranges_;
};

} // namespace flowtap::tap
