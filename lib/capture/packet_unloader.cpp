// SPDX-License-Identifier: Apache-2.0
#include "packet_unloader.hpp"

#include <algorithm>

#include <flowtap/core/bytes.hpp>

namespace flowtap::capture::detail {

namespace {

/// Room for the pieces of one batch. The pages are touched as they are used.
constexpr std::size_t arena_size = std::size_t{1} << 20;

/// Numbers of the virtio specification (section 5.1.6), for which the system's own header is none
/// for C++.
constexpr std::uint8_t needs_checksum = 1;
constexpr std::uint8_t segmentation_none = 0;
constexpr std::uint8_t segmentation_tcp_ipv4 = 1;
constexpr std::uint8_t segmentation_tcp_ipv6 = 4;
constexpr std::uint8_t segmentation_udp = 5;
constexpr std::uint8_t with_cwr = 0x80;

constexpr std::size_t addresses_size = 12;
constexpr std::size_t tag_size = 4;

/// Puts a VLAN tag back between the addresses and the type of an Ethernet frame, which grows to the
/// front.
void put_tag_back(ring_packet& packet) noexcept {
    static_assert(frame_headroom >= tag_size);
    std::byte* const begin = packet.frame.data() - tag_size;
    std::copy_n(packet.frame.data(), addresses_size, begin);
    packet.frame = {begin, packet.frame.size() + tag_size};
    store_big_endian(packet.frame.subspan(addresses_size, 2), packet.tag_protocol);
    store_big_endian(packet.frame.subspan(addresses_size + 2, 2), packet.tag);
    packet.wire_length += tag_size;
    packet.offload.checksum_start =
        static_cast<std::uint16_t>(packet.offload.checksum_start + tag_size);
}

std::optional<packet::super_packet> kind_of(std::uint8_t segmentation) noexcept {
    switch (segmentation & ~with_cwr) {
    case segmentation_tcp_ipv4:
        return packet::super_packet::tcp_ipv4;
    case segmentation_tcp_ipv6:
        return packet::super_packet::tcp_ipv6;
    case segmentation_udp:
        return packet::super_packet::udp;
    default:
        return std::nullopt;
    }
}

} // namespace

packet_unloader::packet_unloader()
    : arena_(std::make_unique_for_overwrite<std::byte[]>(arena_size)) {}

void packet_unloader::begin(port_id port, packet::link_type link) noexcept {
    port_ = port;
    link_ = link;
    pieces_.reset();
}

std::size_t packet_unloader::read(packet_ring& from,
                                  std::span<path::captured_packet> packets) noexcept {
    from.give_back(pieces_ ? packet_ring::last_packet::kept : packet_ring::last_packet::done);
    batch_ = packets;
    count_ = 0;
    used_ = 0;
    ring_packet packet;
    while (count_ < batch_.size()) {
        if (pieces_) {
            if (!split())
                break;
            continue;
        }
        if (!from.next(packet))
            break;
        take(packet);
    }
    if (count_ != 0)
        show_counters();
    return count_;
}

void packet_unloader::take(ring_packet& packet) noexcept {
    ++counted_.frames;
    const bool is_ordinary = !packet.has_tag && (packet.offload.flags & needs_checksum) == 0 &&
                             packet.offload.segmentation == segmentation_none &&
                             !packet.is_hardware_time;
    if (!is_ordinary && !finish(packet))
        return;
    batch_[count_++] = describe(packet);
}

bool packet_unloader::finish(ring_packet& packet) noexcept {
    if (packet.is_hardware_time)
        ++counted_.hardware_times;
    if (packet.has_tag && link_ == packet::link_type::ethernet &&
        packet.frame.size() >= addresses_size)
        put_tag_back(packet);
    // Of a packet that is cut short nothing can be said but that.
    if (packet.frame.size() < packet.wire_length)
        return true;
    if (packet.offload.segmentation != segmentation_none) {
        if (begin_splitting(packet))
            return false;
        ++counted_.unsplit;
    }
    if ((packet.offload.flags & needs_checksum) != 0 &&
        packet::complete_checksum(packet.frame, packet.offload.checksum_start,
                                  packet.offload.checksum_offset))
        ++counted_.completed_checksums;
    return true;
}

bool packet_unloader::begin_splitting(const ring_packet& packet) noexcept {
    const auto what = kind_of(packet.offload.segmentation);
    if (!what)
        return false;
    packet::segmentation how;
    how.what = *what;
    how.payload = packet.offload.segment_payload;
    how.cwr_in_first_only = (packet.offload.segmentation & with_cwr) != 0;
    how.checksum_is_partial = (packet.offload.flags & needs_checksum) != 0;
    pieces_ = packet::segmenter::make(link_, packet.frame, how);
    if (!pieces_)
        return false;
    whole_ = describe(packet);
    ++counted_.super_packets;
    return true;
}

bool packet_unloader::split() noexcept {
    while (pieces_->next_size() != 0) {
        if (count_ == batch_.size())
            return true;
        const std::span<std::byte> room(arena_.get() + used_, arena_size - used_);
        const std::size_t size = pieces_->next(room);
        if (size == 0)
            return false;
        used_ += size;
        path::captured_packet& piece = batch_[count_++];
        piece = whole_;
        piece.frame = room.first(size);
        piece.wire_length = static_cast<std::uint32_t>(size);
        ++counted_.segments;
    }
    pieces_.reset();
    return true;
}

path::captured_packet packet_unloader::describe(const ring_packet& packet) const noexcept {
    path::captured_packet made;
    made.frame = packet.frame;
    made.wire_length = packet.wire_length;
    made.link = link_;
    made.port = port_;
    made.way = packet.is_outgoing ? direction::egress : direction::ingress;
    made.time = packet.time;
    return made;
}

void packet_unloader::show_counters() noexcept {
    const std::array now{counted_.frames,  counted_.super_packets,       counted_.segments,
                         counted_.unsplit, counted_.completed_checksums, counted_.hardware_times};
    static_assert(std::tuple_size_v<decltype(now)> == std::tuple_size_v<decltype(shown_)>);
    for (std::size_t i = 0; i < now.size(); ++i)
        shown_[i].store(now[i], std::memory_order_relaxed);
}

ring_counters packet_unloader::counters() const noexcept {
    const auto shown = [this](std::size_t i) { return shown_[i].load(std::memory_order_relaxed); };
    return {shown(0), shown(1), shown(2), shown(3), shown(4), shown(5)};
}

} // namespace flowtap::capture::detail
