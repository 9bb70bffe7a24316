// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "row_set.hpp"
#include "values.hpp"

namespace flowtap::filter {

/// Packets that are looked up together, so that their memory accesses overlap.
inline constexpr std::size_t lanes = 16;

/// From a value of a field to its row: the values are cut into intervals inside which no criterion
/// changes its mind, and each interval has a row.
template <class T>
class field_index {
public:
    field_index() = default;
    field_index(std::vector<T> starts, std::vector<std::uint32_t> numbers, row_set rows)
        : starts_(std::move(starts)), numbers_(std::move(numbers)), rows_(std::move(rows)) {
        starts_.shrink_to_fit();
        numbers_.shrink_to_fit();
    }

    const row_set& rows() const noexcept { return rows_; }

    /// The row numbers of `count` values, at most `lanes`. O(log intervals) each.
    FLOWTAP_INLINE void find(const T* values, std::size_t count,
                             std::uint32_t* found) const noexcept {
        const T* const starts = starts_.data();
        std::array<std::uint32_t, lanes> position{};
        // All lanes take the same number of steps, none of them depends on a branch.
        for (std::size_t left = starts_.size(); left > 1;) {
            const auto half = static_cast<std::uint32_t>(left / 2);
            for (std::size_t lane = 0; lane < count; ++lane) {
                const bool upper = at_most(starts[position[lane] + half], values[lane]);
                position[lane] += half & (0U - static_cast<std::uint32_t>(upper));
            }
            left -= half;
        }
        for (std::size_t lane = 0; lane < count; ++lane)
            found[lane] = numbers_[position[lane]];
    }

    std::size_t memory() const noexcept {
        return starts_.capacity() * sizeof(T) + numbers_.capacity() * sizeof(std::uint32_t) +
               rows_.memory();
    }

private:
    /// Where the intervals begin, ascending, the first at the lowest value.
    std::vector<T> starts_;
    std::vector<std::uint32_t> numbers_;
    row_set rows_;
};

/// The same for fields of one octet: a row number for each value.
template <>
class field_index<std::uint8_t> {
public:
    field_index() = default;
    field_index(const std::vector<std::uint8_t>& starts, const std::vector<std::uint32_t>& numbers,
                row_set rows)
        : numbers_(256), rows_(std::move(rows)) {
        for (std::size_t i = 0; i < starts.size(); ++i) {
            const std::size_t end = i + 1 < starts.size() ? starts[i + 1] : numbers_.size();
            std::fill(numbers_.begin() + starts[i],
                      numbers_.begin() + static_cast<std::ptrdiff_t>(end),
                      static_cast<std::uint16_t>(numbers[i]));
        }
    }

    const row_set& rows() const noexcept { return rows_; }

    FLOWTAP_INLINE void find(const std::uint8_t* values, std::size_t count,
                             std::uint32_t* found) const noexcept {
        for (std::size_t lane = 0; lane < count; ++lane)
            found[lane] = numbers_[values[lane]];
    }

    std::size_t memory() const noexcept {
        return numbers_.capacity() * sizeof(std::uint16_t) + rows_.memory();
    }

private:
    std::vector<std::uint16_t> numbers_;
    row_set rows_;
};

/// Collects what each criterion of a group admits in one field.
template <class T>
class field_builder {
public:
    /// For a field of `words` words of criteria.
    explicit field_builder(std::size_t words) : words_(words) {}

    /// The criterion of `bit` admits any value, and the lack of one.
    void admit_all(std::size_t bit) noexcept { set(absent_, bit); }

    /// The criterion of `bit` admits `ranges`: disjoint, ascending, not touching.
    void admit(std::size_t bit, std::span<const value_range<T>> ranges) {
        double covered = 0;
        for (const auto& range : ranges) {
            changes_.push_back({range.first, static_cast<std::uint32_t>(bit)});
            if (range.last != value_traits<T>::highest)
                changes_.push_back(
                    {value_traits<T>::next(range.last), static_cast<std::uint32_t>(bit)});
            covered +=
                value_traits<T>::as_double(range.last) - value_traits<T>::as_double(range.first);
        }
        // What admits nearly everything, such as a negation, costs nothing outside its holes.
        if (covered > value_traits<T>::as_double(value_traits<T>::highest) / 2)
            set(base_, bit);
    }

    /// The criterion of `bit` admits one range, or nothing.
    void admit_range(std::size_t bit, const std::optional<value_range<T>>& range) {
        admit(bit, range ? std::span(&*range, 1) : std::span<const value_range<T>>());
    }

    /// The index, or an unusable one once the budget is exceeded.
    field_index<T> finish(memory_budget& budget);

private:
    struct change {
        T at;
        std::uint32_t bit;
    };

    static void set(bit_vector& bits, std::size_t bit) noexcept {
        bits[bit / 64] |= std::uint64_t{1} << (bit % 64);
    }

    std::size_t words_;
    bit_vector absent_{};
    bit_vector base_{};
    std::vector<change> changes_;
};

/// The bit vector while the borders of a field are walked, with its summaries.
class running_vector {
public:
    /// Of `words` words; the others are zero in both.
    running_vector(const bit_vector& bits, const bit_vector& base, std::size_t words)
        : bits_(bits), base_(base) {
        for (std::size_t word = 0; word < words; ++word)
            summarize(word);
    }

    void toggle(std::uint32_t bit) noexcept {
        bits_[bit / 64] ^= std::uint64_t{1} << (bit % 64);
        summarize(bit / 64);
    }

    std::uint32_t add_to(row_set_builder& rows) const {
        return rows.add(bits_, stored_, occupied_);
    }

private:
    void summarize(std::size_t word) noexcept {
        const std::uint64_t flag = std::uint64_t{1} << word;
        stored_ = bits_[word] != base_[word] ? stored_ | flag : stored_ & ~flag;
        occupied_ = bits_[word] != 0 ? occupied_ | flag : occupied_ & ~flag;
    }

    bit_vector bits_;
    const bit_vector& base_;
    std::uint64_t stored_ = 0;
    std::uint64_t occupied_ = 0;
};

template <class T>
field_index<T> field_builder<T>::finish(memory_budget& budget) {
    std::sort(changes_.begin(), changes_.end(),
              [](const change& a, const change& b) { return a.at < b.at; });
    for (std::size_t word = 0; word < words_; ++word)
        base_[word] |= absent_[word];

    row_set_builder rows(base_, words_, budget);
    running_vector running(absent_, base_, words_);
    running.add_to(rows); // row 0: no such value

    std::vector<T> starts;
    std::vector<std::uint32_t> numbers;
    auto next = changes_.begin();
    for (T at{}; !budget.exceeded();) {
        for (; next != changes_.end() && next->at == at; ++next)
            running.toggle(next->bit);
        const std::uint32_t number = running.add_to(rows);
        if (numbers.empty() || numbers.back() != number) {
            if (!budget.take(sizeof(T) + sizeof(std::uint32_t)))
                break;
            starts.push_back(at);
            numbers.push_back(number);
        }
        if (next == changes_.end())
            break;
        at = next->at;
    }
    return {std::move(starts), std::move(numbers), std::move(rows).finish()};
}

} // namespace flowtap::filter
