// SPDX-License-Identifier: Apache-2.0
#include "fragment_notes.hpp"

namespace flowtap::path::detail {

std::uint32_t fragment_notes::note_first(const packet::packet_view& view, std::uint32_t packet,
                                         early_sum& early) noexcept {
    const auto identification = packet::fragment_identification(view);
    if (!identification)
        return 0;
    const auto taken = table_.take_first(view.key, *identification, fragment_state::open);
    table_[taken.number].note = used_;
    notes_[used_] = {packet, taken.number, 0, taken.early, taken.early_octets, 0};
    early = {taken.early.count, taken.early_octets};
    return used_++;
}

fragment_notes::early_sum fragment_notes::set_aside_first(const packet::packet_view& view,
                                                          fragment_state state) noexcept {
    const auto identification = packet::fragment_identification(view);
    if (!identification)
        return {};
    const auto taken = table_.take_first(view.key, *identification, state);
    return {taken.early.count, taken.early_octets};
}

fragment_notes::outcome fragment_notes::note_later(packet::packet_view& view, packet_body& body,
                                                   std::uint32_t packet) noexcept {
    // A later fragment always has one: it was told by the header that holds it.
    const std::uint32_t identification = packet::fragment_identification(view).value_or(0);
    const std::uint32_t number = table_.find(view.key, identification);
    if (number == nowhere || table_[number].state == fragment_state::waiting) {
        table_.keep_early(number, view.key, identification, body);
        return outcome::none;
    }
    ++table_.counts.followed;
    table_.counts.followed_octets += body.wire_length;
    const fragment_entry& known = table_[number];
    if (known.state == fragment_state::own)
        return outcome::own;
    if (known.state == fragment_state::nothing)
        return outcome::nothing;
    view.key = known.key;
    const bool is_open = known.state == fragment_state::open;
    notes_[used_] = {packet, nowhere, is_open ? known.note : 0, {}, 0, known.generation};
    body.note = used_++;
    return outcome::match;
}

void fragment_notes::decide(std::uint32_t first, std::uint32_t count,
                            const filter::match_buffer& found, std::uint64_t generation) noexcept {
    for (; undecided_ < used_ && notes_[undecided_].packet - first < count; ++undecided_) {
        remark& its = notes_[undecided_];
        if (its.first != 0)
            its.generation = notes_[its.first].generation;
        if (its.entry == nowhere)
            continue;
        its.generation = generation;
        fragment_entry& entry = table_[its.entry];
        // Else the room was needed for another packet since.
        if (entry.state != fragment_state::open || entry.note != undecided_)
            continue;
        const bool is_matched = !found.matches(its.packet - first).empty();
        entry.state = is_matched ? fragment_state::matched : fragment_state::nothing;
        entry.generation = generation;
    }
}

fragment_notes::early_sum fragment_notes::abandon(std::uint32_t first) noexcept {
    early_sum early;
    for (std::uint32_t number = 1; number < used_; ++number) {
        const remark& its = notes_[number];
        if (its.packet < first || its.entry == nowhere)
            continue;
        early.packets += its.early.count;
        early.octets += its.early_octets;
        fragment_entry& entry = table_[its.entry];
        if (entry.state == fragment_state::open && entry.note == number)
            entry.state = fragment_state::nothing;
    }
    return early;
}

} // namespace flowtap::path::detail
