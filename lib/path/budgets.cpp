// SPDX-License-Identifier: Apache-2.0
#include "budgets.hpp"

#include <algorithm>
#include <utility>

namespace flowtap::path::detail {

void budget::reset() noexcept {
    packets_.store(no_packet_limit);
    octets_.store(no_octet_limit);
}

void budget::set(const match_budget& what) noexcept {
    if (what.octets)
        octets_.store(std::min(*what.octets, no_octet_limit - 1));
    if (!what.packets)
        return;
    // Only this thread changes the upper bits; whoever draws meanwhile tries again.
    const std::uint64_t times = (packets_.load() >> left_bits) + 1;
    packets_.store(times << left_bits | std::min(*what.packets, no_packet_limit - 1));
}

match_budget budget::left() const noexcept {
    match_budget made;
    if (const std::uint64_t packets = packets_.load() & left_mask; packets != no_packet_limit)
        made.packets = packets;
    if (const std::uint64_t octets = octets_.load(); octets != no_octet_limit)
        made.octets = octets;
    return made;
}

bool budget::draw_packet(std::uint64_t& taken_from) noexcept {
    std::uint64_t now = packets_.load();
    for (;;) {
        taken_from = now;
        if ((now & left_mask) == no_packet_limit)
            return true;
        if ((now & left_mask) == 0)
            return false;
        if (packets_.compare_exchange_weak(now, now - 1))
            return true;
    }
}

bool budget::draw_octets(std::uint64_t octets) noexcept {
    std::uint64_t now = octets_.load();
    for (;;) {
        if (now == no_octet_limit)
            return true;
        const bool enough = now != 0 && octets <= now;
        if (octets_.compare_exchange_weak(now, enough ? now - octets : 0))
            return enough;
    }
}

void budget::give_back_packet(std::uint64_t taken_from) noexcept {
    if ((taken_from & left_mask) == no_packet_limit)
        return;
    std::uint64_t now = packets_.load();
    while (now >> left_bits == taken_from >> left_bits &&
           !packets_.compare_exchange_weak(now, now + 1)) {
    }
}

void budgets::acquired(slot_id slot) noexcept {
    if (entries_.find(slot.value()) == nullptr)
        return;
    entry& its = entries_[slot.value()];
    // Before the change is counted: who sees that sees the new budget.
    its.left.reset();
    std::uint64_t now = its.state.load();
    while (!its.state.compare_exchange_weak(now, (now & ~(ended | is_released)) + change)) {
    }
}

void budgets::released(slot_id slot) noexcept {
    if (entries_.find(slot.value()) != nullptr)
        entries_[slot.value()].state.fetch_or(is_released);
}

bool budgets::grant(slot_id slot, const match_budget& what) {
    entries_.cover(slot.value() + std::size_t{1});
    hold(slot);
    entries_[slot.value()].left.reset();
    entries_[slot.value()].left.set(what);
    return drop(slot);
}

/// Replaces what is left while holding the slot, so that nobody ends it between the two parts.
budgets::refilled budgets::refill(slot_id slot, const match_budget& what) {
    entries_.cover(slot.value() + std::size_t{1});
    entry& its = entries_[slot.value()];
    std::uint64_t now = its.state.load();
    do {
        if ((now & ended) != 0)
            return {};
    } while (!its.state.compare_exchange_weak(now, now + 1 + change));
    const bool done =
        (what.packets || its.left.has_packets()) && (what.octets || its.left.has_octets());
    if (done)
        its.left.set(what);
    return {done, drop(slot)};
}

match_budget budgets::left(slot_id slot) const noexcept {
    const entry* its = entries_.find(slot.value());
    return its == nullptr ? match_budget{} : its->left.left();
}

void budgets::hold(slot_id slot) noexcept {
    entries_[slot.value()].state.fetch_add(1);
}

bool budgets::drop(slot_id slot) noexcept {
    return (entries_[slot.value()].state.fetch_sub(1) & holders) == 1 && end(slot);
}

/// Ends the slot's criterion if its budget is used up and nobody holds the slot. Returns whether
/// this call did.
bool budgets::end(slot_id slot) noexcept {
    entry& its = entries_[slot.value()];
    std::uint64_t now = its.state.load();
    for (;;) {
        if ((now & (holders | ended)) != 0 || !its.left.used_up())
            return false;
        // Fails if anybody held, refilled or acquired the slot since: then it is looked at again.
        if (its.state.compare_exchange_weak(now, now | ended | listed))
            break;
    }
    if ((now & listed) == 0)
        list(slot);
    return true;
}

void budgets::list(slot_id slot) noexcept {
    entry& its = entries_[slot.value()];
    std::uint32_t before = newest_.load(std::memory_order_relaxed);
    do {
        its.next.store(before, std::memory_order_relaxed);
    } while (!newest_.compare_exchange_weak(before, slot.value(), std::memory_order_release,
                                            std::memory_order_relaxed));
}

std::optional<slot_id> budgets::next_exhausted() noexcept {
    for (;;) {
        if (oldest_ == nothing) {
            std::uint32_t each = newest_.exchange(nothing, std::memory_order_acquire);
            // From the newest to the oldest: turned round.
            while (each != nothing)
                oldest_ = std::exchange(
                    each, entries_[each].next.exchange(oldest_, std::memory_order_relaxed));
        }
        if (oldest_ == nothing)
            return std::nullopt;
        const slot_id slot(oldest_);
        entry& its = entries_[oldest_];
        oldest_ = its.next.load(std::memory_order_relaxed);
        const std::uint64_t before = its.state.fetch_and(~listed);
        if ((before & (ended | is_released)) == ended)
            return slot;
    }
}

} // namespace flowtap::path::detail
