// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/packet/view.hpp>

/// The packets that most traffic consists of, decoded as `decode` does, without a call. They are
/// *plain*: TCP and UDP in IPv4 without options, whole and in one piece, right behind an Ethernet
/// header or on a link of IP alone.
namespace flowtap::packet {

namespace detail {

/// Where the IP header stands in a frame of one of the links that have plain packets.
constexpr std::size_t plain_offset(link_type link) noexcept {
    return link == link_type::ethernet ? 14 : 0;
}

} // namespace detail

/// The packet in a frame, from its IP header on and without what pads the frame, if it is plain;
/// nothing if it is not, or not known to be: that is for `decode`. Reads nothing outside `frame`,
/// allocates nothing, takes constant time.
inline byte_view find_plain(link_type link, byte_view frame) noexcept {
    constexpr std::size_t header = 20;
    constexpr std::size_t ports = 4;
    constexpr std::uint16_t ethernet_ipv4 = 0x0800;
    constexpr std::uint8_t version_and_size = 0x45;
    // More fragments, and the offset.
    constexpr std::uint16_t fragment_bits = 0x3FFF;
    // A bit for each: which of them it is changes from packet to packet, and a branch would be
    // mispredicted.
    constexpr std::uint32_t tcp_or_udp = 1U << 6 | 1U << 17;

    const bool has_ethernet = link == link_type::ethernet;
    if (!has_ethernet && link != link_type::raw)
        return {};
    const std::size_t begin = detail::plain_offset(link);
    if (frame.size() < begin + header + ports)
        return {};
    if (has_ethernet && load_big_endian<std::uint16_t>(frame.subspan(12)) != ethernet_ipv4)
        return {};
    const byte_view packet = frame.subspan(begin);
    if (load_big_endian<std::uint8_t>(packet) != version_and_size ||
        (load_big_endian<std::uint16_t>(packet.subspan(6)) & fragment_bits) != 0)
        return {};
    const std::uint32_t length = load_big_endian<std::uint16_t>(packet.subspan(2));
    if (length < header + ports || length > packet.size())
        return {};
    const auto protocol = load_big_endian<std::uint8_t>(packet.subspan(9));
    if (protocol >= 32 || (tcp_or_udp >> protocol & 1U) == 0)
        return {};
    return packet.first(length);
}

/// The same packet again, of a frame of which `find_plain` gave one.
inline byte_view plain_packet(link_type link, byte_view frame) noexcept {
    const byte_view packet = frame.subspan(detail::plain_offset(link));
    return packet.first(load_big_endian<std::uint16_t>(packet.subspan(2)));
}

/// Where a packet was seen.
struct packet_place {
    interface_id interface;
    vrf_id vrf;
    direction way = direction::ingress;
};

/// Sets every member of the key of a packet that `find_plain` has found.
inline void put_plain_key(byte_view packet, const packet_place& place, packet_key& key) noexcept {
    key.source = {0, load_big_endian<std::uint32_t>(packet.subspan(12))};
    key.destination = {0, load_big_endian<std::uint32_t>(packet.subspan(16))};
    key.interface = place.interface;
    key.vrf = place.vrf;
    key.source_port = load_big_endian<std::uint16_t>(packet.subspan(20));
    key.destination_port = load_big_endian<std::uint16_t>(packet.subspan(22));
    key.protocol = load_big_endian<std::uint8_t>(packet.subspan(9));
    key.icmp_type = 0;
    key.icmp_code = 0;
    key.of_family = family::inet;
    key.way = place.way;
    key.has_ports = true;
    key.has_icmp = false;
}

} // namespace flowtap::packet
