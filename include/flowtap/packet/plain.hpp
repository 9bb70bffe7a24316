// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/packet/view.hpp>

namespace flowtap::packet {

/// What `decode_plain` finds beside the key: as in a `packet_view`.
struct plain_packet {
    byte_view ip;
    std::uint32_t total_length = 0;
};

/// Decodes the packets that most traffic consists of, as `decode` does, without a call: TCP and UDP
/// in IPv4 without options, whole and in one piece, right behind an Ethernet header or on a link
/// of IP alone. Returns false, with nothing said by `key` and `out`, for everything else, which is
/// for `decode`. Sets every member of `key` and `out`. Reads nothing outside `frame`, allocates
/// nothing, takes constant time.
inline bool decode_plain(link_type link, byte_view frame, packet_key& key,
                         plain_packet& out) noexcept {
    constexpr std::size_t ethernet_header = 14;
    constexpr std::size_t header = 20;
    constexpr std::size_t ports = 4;
    constexpr std::uint16_t ethernet_ipv4 = 0x0800;
    // Of the first eight octets: version and size of the header, and what says of fragments.
    constexpr std::uint64_t asked = 0xFF00'0000'0000'3FFF;
    constexpr std::uint64_t plain = 0x4500'0000'0000'0000;

    const bool has_ethernet = link == link_type::ethernet;
    if (!has_ethernet && link != link_type::raw)
        return false;
    const std::size_t begin = has_ethernet ? ethernet_header : 0;
    if (frame.size() < begin + header + ports)
        return false;
    if (has_ethernet && load_big_endian<std::uint16_t>(frame.subspan(12)) != ethernet_ipv4)
        return false;
    const byte_view packet = frame.subspan(begin);
    const auto first = load_big_endian<std::uint64_t>(packet);
    const auto second = load_big_endian<std::uint64_t>(packet.subspan(8));
    const std::size_t length = (first >> 32) & 0xFFFF;
    const auto protocol = static_cast<std::uint8_t>(second >> 48);
    // Without short cuts: which of these holds does not differ from packet to packet, but TCP and
    // UDP take turns.
    const bool is_plain =
        static_cast<unsigned>((first & asked) == plain) &
        static_cast<unsigned>(length >= header + ports) &
        static_cast<unsigned>(length <= packet.size()) &
        (static_cast<unsigned>(protocol == 6) | static_cast<unsigned>(protocol == 17));
    if (!is_plain)
        return false;

    // The other address, and the ports behind the header.
    const auto third = load_big_endian<std::uint64_t>(packet.subspan(16));
    key.source = {0, second & 0xFFFF'FFFFU};
    key.destination = {0, third >> 32};
    key.interface = {};
    key.vrf = {};
    key.source_port = static_cast<std::uint16_t>(third >> 16);
    key.destination_port = static_cast<std::uint16_t>(third);
    key.protocol = protocol;
    key.icmp_type = 0;
    key.icmp_code = 0;
    key.of_family = family::inet;
    key.way = direction::ingress;
    key.has_ports = true;
    key.has_icmp = false;
    out.ip = packet.first(length);
    out.total_length = static_cast<std::uint32_t>(length);
    return true;
}

} // namespace flowtap::packet
