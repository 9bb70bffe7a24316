// SPDX-License-Identifier: Apache-2.0
//
// The part of a worker that is about whole frames (family ccc).
#include "worker_state.hpp"

namespace flowtap::path {

namespace {

/// Links that carry IP packets and nothing in front of them have no frames.
bool has_frames(packet::link_type link) noexcept {
    switch (link) {
    case packet::link_type::raw:
    case packet::link_type::raw_bsd:
    case packet::link_type::raw_openbsd:
    case packet::link_type::ipv4:
    case packet::link_type::ipv6:
        return false;
    default:
        return true;
    }
}

/// Whether the frame carries a packet of the access point's own services, or a later fragment that
/// may be a part of one.
bool is_own(const own_traffic& own, const packet::packet_view& view) noexcept {
    if (view.what == packet::verdict::later_fragment || !view.key.has_ports)
        return own.may_contain(view.key);
    return own.contains(view.key);
}

} // namespace

/// Has criteria of family ccc look at the frame.
void worker::state::take_frame(const captured_packet& captured) noexcept {
    const bool is_whole = captured.frame.size() >= captured.wire_length;
    const bool is_cut_away = !is_whole && options.cut_short != cut_short_packets::send;
    if (!has_frames(captured.link) || captured.frame.empty() || is_cut_away)
        return;
    packet::packet_view view;
    packet::decode(captured.link, captured.frame, captured.wire_length, view);
    set_place(captured, view);
    const own_traffic* own = now_->what.own.get();
    if (own != nullptr && is_own(*own, view))
        return;
    packet_key key;
    key.of_family = family::ccc;
    key.interface = view.key.interface;
    key.vrf = view.key.vrf;
    key.way = view.key.way;
    put(key, {captured.frame, captured.time, captured.wire_length, detail::frame_note,
              captured.wire_length});
    ++kept_;
}

} // namespace flowtap::path
