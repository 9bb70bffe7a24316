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
    for (const std::uint32_t index : found_.matched()) {
        // Now, so that a stop meanwhile does not come between what is counted and its copy.
        if (outbox_.full())
            hand_over();
        if (stopping())
            return index;
        const std::span<const slot_id> slots = found_.matches(index);
        const detail::packet_body& body = body_of(first + index);
        refuses_ = is_loop(first + index);
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
        const action* const what = count_match(slot, index, body);
        if (what == nullptr)
            continue;
        tapped = true;
        copy_for(slot, what, index, body, room);
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
        const action* const what = count_match(slot, index, body);
        if (what == nullptr)
            continue;
        tapped = true;
        if (room_of(what->group) != SIZE_MAX)
            limited_[limited_count_++] = {what->rank, slot.value(), what->group.value()};
        else
            copy_for(slot, what, index, body, room);
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
        const slot_id slot(each.slot);
        // Looked up again: the snapshot may have changed while the worker waited for room.
        if (const action* const what = action_of(slot, matched_with(body)); what != nullptr)
            copy_for(slot, what, index, body, room);
    }
}

/// Null when the criterion that was matched with the snapshot `number` is no longer in force.
const action* worker::state::action_of(slot_id slot, std::uint64_t number) const noexcept {
    if (!common.slots.of(slot).covers(number))
        return nullptr;
    return now_->what.actions.find(slot);
}

/// Returns what is to be done with the packet; null when it does not count for the criterion.
const action* worker::state::count_match(slot_id slot, std::uint32_t index,
                                         const detail::packet_body& body) noexcept {
    const std::uint32_t octets = body.total_length;
    const detail::tenure its = common.slots.of(slot);
    const action* what = now_->what.actions.find(slot);
    if (!its.covers(matched_with(body)) || what == nullptr)
        return nullptr;
    if (withholds(*what, index)) {
        count_withheld(slot, body);
        return nullptr;
    }
    if (its.has_budget() && !draw(slot, octets))
        return nullptr;
    detail::slot_count& count = counts[slot.value()];
    count.packets.add(1);
    count.octets.add(octets);
    count.last_match.set(time_);
    return what;
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
/// room for copies, and takes them from it; counts those that there is no room for. `what` is the
/// criterion's action in the snapshot at hand.
void worker::state::copy_for(slot_id slot, const action* what, std::uint32_t index,
                             const detail::packet_body& body, std::size_t& room) noexcept {
    for (std::size_t i = 0; i < what->targets.size(); ++i) {
        if (outbox_.full()) {
            hand_over();
            // The snapshot may have changed while the worker waited for room.
            what = action_of(slot, matched_with(body));
            if (what == nullptr || stopping() || i >= what->targets.size())
                return;
        }
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
        copy& made = outbox_.next();
        made.header = &target.header;
        made.packet = body.octets;
        made.stream = target.stream;
        made.egress = target.egress;
        made.identification = next_identification();
        made.time = body.time;
        made.origin.slot = slot;
        made.origin.matched_with = matched_with(body);
        if (refuses_)
            drop(drop_cause::looped, std::span(&made, 1));
        else
            outbox_.put(index);
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
