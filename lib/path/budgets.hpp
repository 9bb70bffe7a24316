// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <flowtap/core/ids.hpp>
#include <flowtap/path/data_path.hpp>

#include "chunked_array.hpp"

namespace flowtap::path::detail {

/// What a criterion may still match, drawn upon by several workers at once without a lock.
///
/// Packets and octets are two words, each taken from by compare-exchange, so neither can go below
/// zero. The budget is used up when either is zero. Only `refill` makes more of it.
class budget {
public:
    /// Without end; for a slot that no worker draws from.
    void reset() noexcept;
    /// Replaces the parts that `what` gives.
    void set(const match_budget& what) noexcept;
    match_budget left() const noexcept;

    bool used_up() const noexcept {
        return (packets_.load(std::memory_order_acquire) & left_mask) == 0 ||
               octets_.load(std::memory_order_acquire) == 0;
    }
    bool has_packets() const noexcept { return (packets_.load() & left_mask) != 0; }
    bool has_octets() const noexcept { return octets_.load() != 0; }

    /// Takes one packet and its octets, or says that there is nothing left for it: then what was
    /// left of the octets is gone, if they were too few.
    bool draw(std::uint64_t octets) noexcept {
        std::uint64_t taken_from = 0;
        if (!draw_packet(taken_from))
            return false;
        if (draw_octets(octets))
            return true;
        give_back_packet(taken_from);
        return false;
    }

private:
    static constexpr unsigned left_bits = 48;
    static constexpr std::uint64_t left_mask = (std::uint64_t{1} << left_bits) - 1;
    static constexpr std::uint64_t no_packet_limit = left_mask;
    static constexpr std::uint64_t no_octet_limit = UINT64_MAX;

    bool draw_packet(std::uint64_t& taken_from) noexcept;
    bool draw_octets(std::uint64_t octets) noexcept;
    void give_back_packet(std::uint64_t taken_from) noexcept;

    /// What is left in the low bits; above them counts how often `set` replaced it, so that a
    /// packet is never given back to another budget than it was taken from.
    std::atomic<std::uint64_t> packets_{no_packet_limit};
    std::atomic<std::uint64_t> octets_{no_octet_limit};
};

/// The budgets of all slots, and the slots whose budget is used up and wait to be told.
///
/// A worker that draws from a slot *holds* it until every copy it was granted is handed over; the
/// slot is to be told when its budget is used up and nobody holds it. Why each is told once, and
/// only then: README.md, "Budgets".
///
/// `hold`, `drop` and `draw` are for workers, everything else for the control side's thread.
class budgets {
public:
    explicit budgets(std::size_t slots) : entries_(slots) {}

    /// The slot has a new criterion, without a budget.
    void acquired(slot_id slot) noexcept;
    /// What is to be told of the slot is of no interest any more.
    void released(slot_id slot) noexcept;
    /// Returns whether the slot is to be told now.
    bool grant(slot_id slot, const match_budget& what);
    struct refilled {
        bool done = false;
        bool is_news = false;
    };
    refilled refill(slot_id slot, const match_budget& what);
    match_budget left(slot_id slot) const noexcept;
    std::optional<slot_id> next_exhausted() noexcept;

    /// Of a slot that was granted a budget.
    budget& operator[](slot_id slot) noexcept { return entries_[slot.value()].left; }
    void hold(slot_id slot) noexcept;
    /// Returns whether the slot is to be told now.
    bool drop(slot_id slot) noexcept;

private:
    static constexpr std::uint32_t nothing = UINT32_MAX;

    struct entry {
        budget left;
        /// How many hold the slot, and the marks below.
        std::atomic<std::uint64_t> state{0};
        /// The slot to be told after this one.
        std::atomic<std::uint32_t> next{nothing};
    };
    static constexpr std::uint64_t holders = 0xFFFF'FFFF;
    /// Used up and to be told, or told: the criterion has ended.
    static constexpr std::uint64_t ended = std::uint64_t{1} << 32;
    /// In the list of slots to be told, for this criterion or one before.
    static constexpr std::uint64_t listed = std::uint64_t{1} << 33;
    static constexpr std::uint64_t is_released = std::uint64_t{1} << 34;
    /// Counts, from here on up, the criteria and refills of the slot.
    static constexpr std::uint64_t change = std::uint64_t{1} << 35;

    bool end(slot_id slot) noexcept;
    void list(slot_id slot) noexcept;

    chunked_array<entry> entries_;
    /// The newest of the slots to be told, linked to the older ones.
    std::atomic<std::uint32_t> newest_{nothing};
    /// The oldest of those taken out of the list already, linked to the newer ones.
    std::uint32_t oldest_ = nothing;
};

} // namespace flowtap::path::detail
