// SPDX-License-Identifier: Apache-2.0
//
// The part of a worker that takes packets apart.
#include <flowtap/packet/plain.hpp>

#include "interface_lookup.hpp"
#include "worker_state.hpp"

namespace flowtap::path {

namespace {

constexpr std::size_t index_of(packet::verdict value) noexcept {
    return static_cast<std::size_t>(value);
}

/// Member by member: the compiler puts an aggregate together in memory with stores of eight octets
/// and loads it with one of sixteen, for which the processor has to wait until the stores are done.
void put_body(detail::packet_body& body, const packet::plain_packet& found,
              const captured_packet& captured) noexcept {
    body.octets = found.ip;
    body.total_length = found.total_length;
    body.wire_length = captured.wire_length;
    body.time = captured.time;
    body.note = 0;
}

} // namespace

void worker::state::decode(std::size_t count) noexcept {
    kept_ = 0;
    tapped_frame_ = {};
    const std::span<const captured_packet> all = std::span(batch_).first(count);
    if (!now_->sees_frames)
        return decode(all);
    // Each frame as a whole first, for criteria of family ccc, then the IP packet in it for others.
    for (const captured_packet& captured : all) {
        take_frame(captured);
        decode(std::span(&captured, 1));
    }
}

/// Decodes packets straight to where the classifier reads their keys: to copy a key that was just
/// written costs more than to decode it.
void worker::state::decode(std::span<const captured_packet> some) noexcept {
    const std::size_t kept_before = kept_;
    std::size_t kept = kept_before;
    packet_key* const keys = keys_.data();
    detail::packet_body* const bodies = bodies_.data();
    std::uint64_t plain = 0;
    std::uint64_t plain_octets = 0;
    std::uint64_t kept_octets = 0;
    const own_traffic* own = now_->what.own.get();
    detail::interface_lookup interfaces(now_->what.interfaces.get());
    for (const captured_packet& captured : some) {
        packet_key& key = keys[kept];
        int vlan = -1;
        if (packet::plain_packet found;
            packet::decode_plain(captured.link, captured.frame, key, found)) {
            ++plain;
            plain_octets += captured.wire_length;
            put_body(bodies[kept], found, captured);
        } else {
            kept_ = kept;
            if (!decode_other(captured, vlan))
                continue;
        }
        const interface_binding& binding = interfaces.find(captured.port, vlan);
        key.interface = binding.interface;
        key.vrf = binding.vrf;
        key.way = captured.way;
        if (own != nullptr && own->contains(key)) {
            ++totals_.own;
            totals_.own_octets += captured.wire_length;
            continue;
        }
        ++kept;
        kept_octets += captured.wire_length;
    }
    kept_ = kept;
    all_kept_ += kept_ - kept_before;
    all_kept_octets_ += kept_octets;
    totals_.decoded[index_of(packet::verdict::ip)] += plain;
    totals_.decoded_octets[index_of(packet::verdict::ip)] += plain_octets;
}

/// Decodes a packet of any kind as the next one that is kept. Returns false if filters do not look
/// at such a packet.
bool worker::state::decode_other(const captured_packet& captured, int& vlan) noexcept {
    packet::packet_view view;
    packet::decode(captured.link, captured.frame, captured.wire_length, view);
    ++totals_.decoded[index_of(view.what)];
    totals_.decoded_octets[index_of(view.what)] += captured.wire_length;
    vlan = view.vlan;
    if (view.what != packet::verdict::ip && !is_sent_cut_short(view))
        return follows_fragments_ && decode_beside(captured, view);
    const bool is_first = view.more_fragments && follows_fragments_;
    const std::uint32_t note = is_first ? note_first(captured, view) : 0;
    keys_[kept_] = view.key;
    bodies_[kept_] = {view.ip, view.total_length, captured.wire_length, captured.time, note};
    return true;
}

/// Where the packet was seen.
void worker::state::set_place(const captured_packet& captured,
                              packet::packet_view& view) const noexcept {
    if (const interface_map* interfaces = now_->what.interfaces.get(); interfaces != nullptr) {
        const interface_binding binding = interfaces->find(captured.port, view.vlan);
        view.key.interface = binding.interface;
        view.key.vrf = binding.vrf;
    }
    view.key.way = captured.way;
}

} // namespace flowtap::path
