// SPDX-License-Identifier: Apache-2.0
#include "assembly.hpp"

#include <algorithm>
#include <array>

namespace flowtap::filter {

namespace {

/// A bit for each packet of a chunk.
class packet_set {
public:
    /// Whether `packet` was in the set before.
    bool insert(std::uint32_t packet) noexcept {
        std::uint64_t& word = words_[packet / 64];
        const std::uint64_t bit = std::uint64_t{1} << (packet % 64);
        const bool was_there = (word & bit) != 0;
        word |= bit;
        return was_there;
    }

    template <class Function>
    void for_each(Function&& call) const noexcept {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            for (std::uint64_t rest = words_[i]; rest != 0; rest &= rest - 1)
                call(i * 64 + static_cast<std::size_t>(__builtin_ctzll(rest)));
        }
    }

private:
    std::array<std::uint64_t, (chunk_packets + 63) / 64> words_{};
};

void sort_slots(slot_id* first, slot_id* last) noexcept {
    if (last - first > 16) {
        std::sort(first, last);
        return;
    }
    for (slot_id* next = first + 1; next < last; ++next) {
        const slot_id value = *next;
        slot_id* at = next;
        for (; at != first && value < at[-1]; --at)
            *at = at[-1];
        *at = value;
    }
}

} // namespace

std::size_t assemble(const hit_list& found, std::size_t packets, slot_id* slots,
                     std::uint32_t* ends, std::uint32_t first, std::uint32_t* matched) noexcept {
    const std::uint32_t before = ends[0];
    if (found.empty()) {
        std::fill_n(ends + 1, packets, before);
        return 0;
    }
    // Counted two places on, added up, and then moved on by each slot that is put in its place: at
    // last every value is where it belongs.
    std::fill_n(ends + 1, packets + 1, 0U);
    packet_set some;
    packet_set several;
    for (const detail::hit& one : found) {
        ++ends[one.packet + 2];
        if (some.insert(one.packet))
            several.insert(one.packet);
    }
    std::uint32_t sum = before;
    for (std::size_t i = 1; i <= packets; ++i)
        ends[i] = sum += ends[i];
    for (const detail::hit& one : found)
        slots[ends[one.packet + 1]++] = slot_id(one.slot);
    several.for_each(
        [&](std::size_t packet) { sort_slots(slots + ends[packet], slots + ends[packet + 1]); });
    std::size_t count = 0;
    some.for_each(
        [&](std::size_t packet) { matched[count++] = first + static_cast<std::uint32_t>(packet); });
    return count;
}

} // namespace flowtap::filter
