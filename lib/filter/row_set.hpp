// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "values.hpp"

namespace flowtap::filter {

/// The words of a bit vector; with one summary bit a word they fit one summary.
inline constexpr std::size_t group_words = 64;
/// The criteria of one group of bit vectors.
inline constexpr std::size_t group_bits = 64 * group_words;

using bit_vector = std::array<std::uint64_t, group_words>;

/// Octets that may still be used. Once more is asked for than is left, nothing is granted.
class memory_budget {
public:
    explicit memory_budget(std::size_t octets) noexcept : left_(octets) {}

    bool take(std::size_t octets) noexcept {
        if (octets > left_) {
            left_ = 0;
            exceeded_ = true;
            return false;
        }
        left_ -= octets;
        return true;
    }
    bool exceeded() const noexcept { return exceeded_; }
    std::size_t left() const noexcept { return left_; }

private:
    std::size_t left_;
    bool exceeded_ = false;
};

/// The criteria that admit one value of a field, as a bit vector of which only those words are
/// stored that differ from the field's base vector.
struct row {
    /// Bit w: word w is not zero.
    std::uint64_t occupied = 0;
    /// Bit w: word w is stored, and not the base's.
    std::uint64_t stored = 0;
    /// Where in the row set's words the stored ones begin.
    std::uint32_t offset = 0;
};

/// The different rows of one field. Row 0 is that of a packet without such a value: the criteria
/// for which the field is a wildcard.
class row_set {
public:
    const row* rows() const noexcept { return rows_.data(); }
    const std::uint64_t* words() const noexcept { return words_.data(); }
    const std::uint64_t* base() const noexcept { return base_.data(); }
    std::size_t size() const noexcept { return rows_.size(); }

    std::size_t memory() const noexcept {
        return rows_.capacity() * sizeof(row) +
               (words_.capacity() + base_.capacity()) * sizeof(std::uint64_t);
    }

private:
    friend class row_set_builder;

    std::vector<row> rows_;
    std::vector<std::uint64_t> words_;
    std::vector<std::uint64_t> base_;
};

/// Collects rows, each different one once.
class row_set_builder {
public:
    /// Rows of `words` words that are told apart from `base`.
    row_set_builder(const bit_vector& base, std::size_t words, memory_budget& budget);

    /// The number of the row that equals `bits`. `stored` has a bit for each word that differs from
    /// the base, `occupied` one for each that is not zero. Stops storing when the budget is
    /// exceeded.
    std::uint32_t add(const bit_vector& bits, std::uint64_t stored, std::uint64_t occupied);

    row_set finish() &&;

private:
    bool equals(const row& candidate, const bit_vector& bits, std::uint64_t stored) const noexcept;

    row_set set_;
    memory_budget& budget_;
    std::unordered_map<std::uint64_t, std::uint32_t> known_;
};

} // namespace flowtap::filter
