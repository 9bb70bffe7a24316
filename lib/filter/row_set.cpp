// SPDX-License-Identifier: Apache-2.0
#include "row_set.hpp"

#include <bit>

namespace flowtap::filter {

row_set_builder::row_set_builder(const bit_vector& base, std::size_t words, memory_budget& budget)
    : budget_(budget) {
    if (budget_.take(words * sizeof(std::uint64_t)))
        set_.base_.assign(base.begin(), base.begin() + static_cast<std::ptrdiff_t>(words));
}

bool row_set_builder::equals(const row& candidate, const bit_vector& bits,
                             std::uint64_t stored) const noexcept {
    if (candidate.stored != stored)
        return false;
    std::size_t at = candidate.offset;
    for (std::uint64_t rest = stored; rest != 0; rest &= rest - 1) {
        if (set_.words_[at++] != bits[static_cast<std::size_t>(std::countr_zero(rest))])
            return false;
    }
    return true;
}

std::uint32_t row_set_builder::add(const bit_vector& bits, std::uint64_t stored,
                                   std::uint64_t occupied) {
    std::uint64_t hash = stored * 0x9E37'79B9'7F4A'7C15ULL;
    for (std::uint64_t rest = stored; rest != 0; rest &= rest - 1) {
        hash ^= bits[static_cast<std::size_t>(std::countr_zero(rest))];
        hash = std::rotl(hash * 0xBF58'476D'1CE4'E5B9ULL, 31);
    }
    const auto number = static_cast<std::uint32_t>(set_.rows_.size());
    const auto [known, is_new] = known_.try_emplace(hash, number);
    if (!is_new && equals(set_.rows_[known->second], bits, stored))
        return known->second;

    const auto count = static_cast<std::size_t>(std::popcount(stored));
    if (!budget_.take(sizeof(row) + count * sizeof(std::uint64_t)))
        return 0;
    set_.rows_.push_back({occupied, stored, static_cast<std::uint32_t>(set_.words_.size())});
    for (std::uint64_t rest = stored; rest != 0; rest &= rest - 1)
        set_.words_.push_back(bits[static_cast<std::size_t>(std::countr_zero(rest))]);
    return number;
}

row_set row_set_builder::finish() && {
    set_.rows_.shrink_to_fit();
    set_.words_.shrink_to_fit();
    return std::move(set_);
}

} // namespace flowtap::filter
