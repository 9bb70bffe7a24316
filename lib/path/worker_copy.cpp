// SPDX-License-Identifier: Apache-2.0
//
// The part of a worker that counts what matched, and makes copies of it.
#include <algorithm>
#include <functional>
#include <tuple>

#include "worker_state.hpp"

namespace flowtap::path {

namespace {

bool is_part_of(byte_view part, byte_view whole) noexcept {
    const std::less<const std::byte*> before;
    return !before(part.data(), whole.data()) && before(part.data(), whole.data() + whole.size());
}

} // namespace

/// Makes the copies of `count` matched packets. Returns how many it did: all, unless it had to
/// stop.
std::size_t worker::state::copy_matched(std::size_t first, std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        const std::span<const slot_id> slots = found_.matches(i);
        if (slots.empty())
            continue;
        if (stopping())
            return i;
        const detail::packet_body& body = bodies_[first + i];
        refuses_ = is_loop(first + i);
        const auto index = static_cast<std::uint32_t>(i);
        tap(slots, index, body);
        if (body.note != 0)
            tap_early(slots, index, body.note);
    }
    return count;
}

/// Counts and copies one packet for all its criteria.
void worker::state::tap(std::span<const slot_id> slots, std::uint32_t index,
                        const detail::packet_body& body) noexcept {
    new_stamp();
    const bool tapped = now_->what.copy_limits.empty() ? tap_unlimited(slots, index, body)
                                                       : tap_limited(slots, index, body);
    if (tapped) {
        count_tapped(body);
    } else if (is_withheld_ && body.note != detail::frame_note) {
        ++totals_.withheld;
        totals_.withheld_octets += body.wire_length;
    }
    is_withheld_ = false;
}

/// A packet counts once, be it tapped as a frame, as the IP packet in it, or as both.
void worker::state::count_tapped(const detail::packet_body& body) noexcept {
    if (body.note == detail::frame_note) {
        tapped_frame_ = body.octets;
        ++totals_.frames_alone;
        totals_.frames_alone_octets += body.wire_length;
    } else if (!tapped_frame_.empty() && is_part_of(body.octets, tapped_frame_)) {
        tapped_frame_ = {};
        --totals_.frames_alone;
        totals_.frames_alone_octets -= body.wire_length;
        return;
    }
    ++totals_.tapped;
    totals_.tapped_octets += body.wire_length;
}

/// Returns whether there were any criteria.
bool worker::state::tap_unlimited(std::span<const slot_id> slots, std::uint32_t index,
                                  const detail::packet_body& body) noexcept {
    std::size_t room = SIZE_MAX;
    bool tapped = false;
    for (const slot_id slot : slots) {
        if (!count_match(slot, index, body))
            continue;
        tapped = true;
        copy_for(slot, index, body, room);
    }
    return tapped;
}

/// The same where groups have limits: first the criteria without one, then the others in turn.
bool worker::state::tap_limited(std::span<const slot_id> slots, std::uint32_t index,
                                const detail::packet_body& body) noexcept {
    std::size_t room = SIZE_MAX;
    bool tapped = false;
    limited_count_ = 0;
    for (const slot_id slot : slots) {
        if (!count_match(slot, index, body))
            continue;
        tapped = true;
        const action* what = action_of(slot, matched_with(body));
        if (what != nullptr && room_of(what->group) != SIZE_MAX)
            limited_[limited_count_++] = {what->rank, slot.value(), what->group.value()};
        else
            copy_for(slot, index, body, room);
    }
    copy_limited(index, body);
    return tapped;
}

/// How many copies of a packet a group gets; SIZE_MAX without a limit.
std::size_t worker::state::room_of(copy_group_id group) const noexcept {
    const auto& limits = now_->what.copy_limits;
    return group.value() == 0 || group.value() >= limits.size() ? SIZE_MAX : limits[group.value()];
}

/// Sorted, so that many criteria cost little more than each of them: a packet may match all.
void worker::state::copy_limited(std::uint32_t index, const detail::packet_body& body) noexcept {
    const std::span all(limited_.get(), limited_count_);
    std::ranges::sort(all, {}, [](const detail::limited_match& each) {
        return std::tuple(each.group, each.rank, each.slot);
    });
    std::uint8_t group = 0;
    std::size_t room = 0;
    for (const detail::limited_match& each : all) {
        if (each.group != group) {
            group = each.group;
            room = room_of(copy_group_id(group));
        }
        copy_for(slot_id(each.slot), index, body, room);
    }
}

/// Null when the criterion that was matched with the snapshot `number` is no longer in force.
const action* worker::state::action_of(slot_id slot, std::uint64_t number) const noexcept {
    if (!common.slots.of(slot).covers(number))
        return nullptr;
    return now_->what.actions.find(slot);
}

bool worker::state::count_match(slot_id slot, std::uint32_t index,
                                const detail::packet_body& body) noexcept {
    const std::uint32_t octets = body.total_length;
    const detail::tenure its = common.slots.of(slot);
    const action* what = now_->what.actions.find(slot);
    if (!its.covers(matched_with(body)) || what == nullptr)
        return false;
    if (withholds(*what, index)) {
        count_withheld(slot, body);
        return false;
    }
    if (its.has_budget() && !draw(slot, octets))
        return false;
    detail::slot_count& count = counts[slot.value()];
    count.packets.add(1);
    count.octets.add(octets);
    count.last_match.set(time_);
    return true;
}

/// Whether a drop policy keeps packet `index` of those that were matched last from a criterion. A
/// later fragment has the key of the first, and so is decided like it.
bool worker::state::withholds(const action& what, std::uint32_t index) noexcept {
    return what.withholds != nullptr &&
           what.withholds->withholds(keys_[matched_from_ + index], policy_room_);
}

void worker::state::count_withheld(slot_id slot, const detail::packet_body& body) noexcept {
    is_withheld_ = true;
    detail::drop_count& count = withheld[slot.value()];
    count.packets.add(1);
    count.octets.add(body.total_length);
}

/// Takes one packet from the budget of a criterion, and holds the budget until `drop_budgets`.
bool worker::state::draw(slot_id slot, std::uint32_t octets) noexcept {
    detail::budget& left = common.budgets[slot];
    if (left.used_up())
        return false;
    detail::slot_count& count = counts[slot.value()];
    if (!count.holds_budget) {
        common.budgets.hold(slot);
        count.holds_budget = true;
        if (held_count_ == 0)
            held_since_ = time_;
        held_[held_count_++] = slot.value();
    }
    return left.draw(octets);
}

/// Called when every copy is handed over. Returns whether budgets are used up that are to be told.
bool worker::state::drop_budgets() noexcept {
    if (held_count_ == 0)
        return false;
    show_counters();
    bool is_news = false;
    for (const std::uint32_t slot : std::span(held_.get(), held_count_)) {
        counts[slot].holds_budget = false;
        is_news = common.budgets.drop(slot_id(slot)) || is_news;
    }
    held_count_ = 0;
    return is_news;
}

/// Copies one packet to the targets of one criterion that have not got it yet, as long as there is
/// room for copies, and takes them from it; counts those that there is no room for.
void worker::state::copy_for(slot_id slot, std::uint32_t index, const detail::packet_body& body,
                             std::size_t& room) noexcept {
    for (std::size_t i = 0;; ++i) {
        if (outbox_.full())
            hand_over();
        // Looked up each time: the snapshot may have changed while the worker waited for room.
        const action* what = action_of(slot, matched_with(body));
        if (what == nullptr || stopping() || i >= what->targets.size())
            return;
        const copy_target& target = what->targets[i];
        std::uint32_t& stamp = stamps_[target.stream.value()];
        if (stamp == stamp_)
            continue;
        if (room == 0) {
            count_drop(slot, i, body.total_length);
            continue;
        }
        --room;
        stamp = stamp_;
        const copy made{&target.header,
                        body.octets,
                        target.stream,
                        target.egress,
                        next_identification(),
                        body.time,
                        {slot, matched_with(body)}};
        if (refuses_)
            drop(drop_cause::looped, std::span(&made, 1));
        else
            outbox_.put(made, index);
    }
}

void worker::state::count_drop(slot_id slot, std::size_t target, std::uint32_t octets) noexcept {
    detail::drop_count& count = drops[slot.value()][target];
    count.packets.add(1);
    count.octets.add(octets);
}

std::uint16_t worker::state::next_identification() noexcept {
    if (++identification_ == 0)
        ++identification_;
    return identification_;
}

void worker::state::new_stamp() noexcept {
    if (++stamp_ != 0)
        return;
    stamps_.fill(0);
    stamp_ = 1;
}

} // namespace flowtap::path
