// SPDX-License-Identifier: Apache-2.0
//
// The part of a worker that takes packets apart.
#include "interface_lookup.hpp"
#include "worker_state.hpp"

namespace flowtap::path {

namespace {

/// A run of fewer packets is matched right away: they are sifted many at a time.
constexpr std::size_t shortest_sifted = 6;

constexpr std::size_t index_of(packet::verdict value) noexcept {
    return static_cast<std::size_t>(value);
}

void put_place(packet_key& key, const interface_binding& binding, direction way) noexcept {
    key.interface = binding.interface;
    key.vrf = binding.vrf;
    key.way = way;
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

/// Plain packets in runs, of which only those are kept that may match something; the others one by
/// one.
void worker::state::decode(std::span<const captured_packet> some) noexcept {
    detail::interface_lookup interfaces(now_->what.interfaces.get());
    while (!some.empty()) {
        if (const detail::plain_run run = detail::find_run(some, headers_); run.count != 0) {
            keep_run(some.first(run.count), run, interfaces.find(some.front().port, -1));
            some = some.subspan(run.count);
            continue;
        }
        const captured_packet& captured = some.front();
        some = some.subspan(1);
        int vlan = -1;
        if (!decode_other(captured, vlan))
            continue;
        put_place(keys_[kept_], interfaces.find(captured.port, vlan), captured.way);
        const own_traffic* const own = now_->what.own.get();
        if (own != nullptr && own->contains(keys_[kept_])) {
            count_own(captured);
        } else {
            ++kept_;
            ++all_kept_;
            all_kept_octets_ += captured.wire_length;
        }
    }
}

/// Keeps those packets of a run, as it is in `headers_`, that may match something.
void worker::state::keep_run(std::span<const captured_packet> some, const detail::plain_run& run,
                             const interface_binding& binding) noexcept {
    totals_.decoded[index_of(packet::verdict::ip)] += run.count;
    totals_.decoded_octets[index_of(packet::verdict::ip)] += run.octets;
    all_kept_ += run.count;
    all_kept_octets_ += run.octets;
    std::uint64_t which = ~std::uint64_t{0} >> (filter::plain_headers::most - run.count);
    if (run.count >= shortest_sifted)
        which = now_->what.criteria->sift(headers_, run.count, binding.interface, binding.vrf);
    if (const own_traffic* const own = now_->what.own.get(); own != nullptr)
        which &= ~take_own(*own, some);
    kept_ += detail::put_keys(some.data(), which, {binding.interface, binding.vrf, {}},
                              keys_.data() + kept_, origins_.data() + kept_);
}

/// Counts what of a run is the access point's own. Returns a bit for each such packet.
std::uint64_t worker::state::take_own(const own_traffic& own,
                                      std::span<const captured_packet> run) noexcept {
    std::uint64_t found = 0;
    for (std::size_t i = 0; i < run.size(); ++i) {
        const byte_view ports =
            byte_view(headers_.octets).subspan((i + 1) * filter::plain_headers::size - 4, 4);
        if (!own.may_contain(load_big_endian<std::uint16_t>(ports),
                             load_big_endian<std::uint16_t>(ports.subspan(2))))
            continue;
        packet_key key;
        packet::put_plain_key(packet::plain_packet(run[i].link, run[i].frame), {}, key);
        if (!own.contains(key))
            continue;
        found |= std::uint64_t{1} << i;
        count_own(run[i]);
        --all_kept_;
        all_kept_octets_ -= run[i].wire_length;
    }
    return found;
}

void worker::state::count_own(const captured_packet& captured) noexcept {
    ++totals_.own;
    totals_.own_octets += captured.wire_length;
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
    put(view.key, {view.ip, captured.time, view.total_length, note, captured.wire_length});
    return true;
}

/// Puts a packet that is not plain where the next one that is kept goes to.
void worker::state::put(const packet_key& key, const detail::packet_body& body) noexcept {
    keys_[kept_] = key;
    origins_[kept_] = nullptr;
    bodies_[kept_] = body;
}

/// What packet `index` of those that were kept is made of. Of plain ones that is put together here:
/// few are asked for.
const detail::packet_body& worker::state::body_of(std::size_t index) noexcept {
    detail::packet_body& body = bodies_[index];
    if (const captured_packet* const from = origins_[index]; from != nullptr) {
        body.octets = packet::plain_packet(from->link, from->frame);
        body.time = from->time;
        body.total_length = static_cast<std::uint32_t>(body.octets.size());
        body.note = 0;
        body.wire_length = from->wire_length;
        origins_[index] = nullptr;
    }
    return body;
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
