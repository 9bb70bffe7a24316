// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <flowtap/core/range_list.hpp>

#include "values.hpp"

namespace flowtap::filter {

/// Sorts `ranges` and joins those that overlap or touch.
template <class T>
void join_ranges(std::vector<value_range<T>>& ranges) {
    std::sort(ranges.begin(), ranges.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    std::size_t kept = 0;
    for (const auto& range : ranges) {
        if (kept != 0) {
            auto& previous = ranges[kept - 1];
            if (previous.last == value_traits<T>::highest ||
                range.first <= value_traits<T>::next(previous.last)) {
                previous.last = std::max(previous.last, range.last);
                continue;
            }
        }
        ranges[kept++] = range;
    }
    ranges.resize(kept);
}

/// What is left of `from` without `removed`; both are joined.
template <class T>
std::vector<value_range<T>> without(const std::vector<value_range<T>>& from,
                                    const std::vector<value_range<T>>& removed) {
    std::vector<value_range<T>> left;
    auto hole = removed.begin();
    for (const auto& range : from) {
        T first = range.first;
        bool used_up = false;
        while (hole != removed.end() && hole->last < first)
            ++hole;
        for (auto next = hole; !used_up && next != removed.end() && next->first <= range.last;
             ++next) {
            if (first < next->first) {
                // The value before the hole: the hole does not begin at the lowest value.
                T before = next->first;
                if constexpr (std::same_as<T, address_bits>) {
                    before.high -= before.low == 0 ? 1 : 0;
                    --before.low;
                } else {
                    --before;
                }
                left.push_back({first, before});
            }
            used_up = next->last >= range.last;
            if (!used_up)
                first = value_traits<T>::next(next->last);
        }
        if (!used_up)
            left.push_back({first, range.last});
    }
    return left;
}

/// The values that `list` admits, as disjoint ranges in ascending order that do not touch.
template <class T, class Listed>
std::vector<value_range<T>> admitted_ranges(const range_list<Listed>& list) {
    std::vector<value_range<T>> plain;
    std::vector<value_range<T>> negated;
    bool some_plain = false;
    for (const auto& entry : list.entries) {
        some_plain |= !entry.negated;
        const value_range<Listed> range{entry.first, entry.last};
        if (const auto clipped = clip<T>(range))
            (entry.negated ? negated : plain).push_back(*clipped);
    }
    if (!some_plain)
        plain.push_back({T{}, value_traits<T>::highest});
    join_ranges(plain);
    if (negated.empty())
        return plain;
    join_ranges(negated);
    return without(plain, negated);
}

} // namespace flowtap::filter
