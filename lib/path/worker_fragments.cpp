// SPDX-License-Identifier: Apache-2.0
//
// The part of a worker that is about fragments, where later ones follow the first.
#include "worker_state.hpp"

namespace flowtap::path {

void worker::state::cover_fragments(const fragment_options& with) {
    if (!fragments_)
        fragments_ = std::make_unique<detail::fragment_notes>(with, batch_.size());
}

void worker::state::begin_fragments() noexcept {
    follows_fragments_ = now_->what.fragments == fragment_policy::all;
    if (follows_fragments_) {
        has_followed_ = true;
        fragments_->begin(time_);
    } else if (has_followed_) {
        fragments_->clear();
    }
}

/// Those that filters look at, or that need not be looked at since it is known what they find.
void worker::state::count_kept(const detail::fragment_notes::early_sum& what) noexcept {
    all_kept_ += what.packets;
    all_kept_octets_ += what.octets;
}

/// Notes a first fragment with those that came before it. Returns the number of the note, or 0 when
/// it is of the access point's own services and so is not matched.
std::uint32_t worker::state::note_first(const captured_packet& captured,
                                        packet::packet_view& view) noexcept {
    set_place(captured, view);
    if (const own_traffic* own = now_->what.own.get(); own != nullptr && own->contains(view.key)) {
        const auto early = fragments_->set_aside_first(view, detail::fragment_state::own);
        totals_.own += early.packets;
        totals_.own_octets += early.octets;
        return 0;
    }
    detail::fragment_notes::early_sum early;
    const std::uint32_t note =
        fragments_->note_first(view, static_cast<std::uint32_t>(kept_), early);
    count_kept(early);
    return note;
}

void worker::state::abandon_early(std::size_t done) noexcept {
    const auto early = fragments_->abandon(static_cast<std::uint32_t>(done));
    totals_.abandoned += early.packets;
    totals_.abandoned_octets += early.octets;
}

/// A packet that no filter looks at by itself. Returns whether it is kept for another one.
bool worker::state::decode_beside(const captured_packet& captured,
                                  packet::packet_view& view) noexcept {
    if (view.what == packet::verdict::later_fragment)
        return follow(captured, view);
    if (view.what != packet::verdict::cut_short || !view.more_fragments)
        return false;
    set_place(captured, view);
    count_kept(fragments_->set_aside_first(view, detail::fragment_state::nothing));
    return false;
}

/// A fragment that is not the first of its packet. Returns whether it is kept, to be matched as the
/// first one was.
bool worker::state::follow(const captured_packet& captured, packet::packet_view& view) noexcept {
    if (view.ip.size() < view.total_length && options.cut_short != cut_short_packets::send) {
        fragments_->leave_out(fragment_loss::cut_short);
        return false;
    }
    set_place(captured, view);
    detail::packet_body body{view.ip, captured.time, view.total_length, 0, captured.wire_length};
    switch (fragments_->note_later(view, body, static_cast<std::uint32_t>(kept_))) {
    case detail::fragment_notes::outcome::match:
        put(view.key, body);
        return true;
    case detail::fragment_notes::outcome::nothing:
        count_kept({1, body.wire_length});
        return false;
    case detail::fragment_notes::outcome::own:
        ++totals_.own;
        totals_.own_octets += body.wire_length;
        return false;
    case detail::fragment_notes::outcome::none:
        return false;
    }
    return false;
}

/// Counts and copies the fragments that came before the first one, for the criteria of the first.
void worker::state::tap_early(std::span<const slot_id> slots, std::uint32_t index,
                              std::uint32_t note) noexcept {
    if (note == detail::frame_note)
        return;
    fragments_->for_each_early(note,
                               [&](const detail::packet_body& body) { tap(slots, index, body); });
}

} // namespace flowtap::path
