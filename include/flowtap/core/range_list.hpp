// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

namespace flowtap {

/// The values from `first` to `last`, both included.
template <class T>
struct value_range {
    T first{};
    T last{};

    constexpr bool contains(const T& value) const { return first <= value && value <= last; }

    friend constexpr bool operator==(const value_range&, const value_range&) = default;
};

/// One entry of a filter field: a range, or with `negated` everything but a range.
template <class T>
struct range_entry : value_range<T> {
    bool negated = false;

    friend constexpr bool operator==(const range_entry&, const range_entry&) = default;
};

/// What one filter field admits. A value is admitted when at least one plain entry contains it (or
/// there is no plain entry) and no negated entry contains it.
///
/// No entries at all stand for the wildcard, which admits every value, and is the only form that
/// is also met by a packet without such a value. A field of nothing but plain `*` is the wildcard;
/// in any other list `*` stands for the full range of T.
template <class T>
struct range_list {
    std::vector<range_entry<T>> entries;

    bool is_wildcard() const noexcept { return entries.empty(); }

    bool has_negation() const noexcept {
        return std::any_of(entries.begin(), entries.end(), [](const auto& e) { return e.negated; });
    }

    bool admits(const T& value) const {
        bool some_plain = false;
        bool plain_hit = false;
        for (const auto& entry : entries) {
            const bool inside = entry.contains(value);
            if (entry.negated && inside)
                return false;
            some_plain |= !entry.negated;
            plain_hit |= !entry.negated && inside;
        }
        return plain_hit || !some_plain;
    }

    friend bool operator==(const range_list&, const range_list&) = default;
};

} // namespace flowtap
