// SPDX-License-Identifier: Apache-2.0
#include <flowtap/core/bytes.hpp>
#include <flowtap/packet/view.hpp>

#include "decode_ip.hpp"
#include "frame_cursor.hpp"
#include "protocol_numbers.hpp"

namespace flowtap::packet {

namespace {

using namespace detail;

/// Reads an LLC header and, with SNAP, what follows it. Returns the EtherType of what comes next.
std::uint16_t read_llc(frame_cursor& rest) noexcept {
    constexpr std::uint32_t unnumbered_snap = 0xAAAA03;
    constexpr std::uint32_t unnumbered_ip = 0x060603;
    const byte_view llc = rest.take(3);
    if (llc.empty())
        return ether_type::none;
    const std::uint32_t service =
        static_cast<std::uint32_t>(load_u16(llc, 0)) << 8 | load_u8(llc, 2);
    if (service == unnumbered_ip)
        return ether_type::ipv4;
    if (service != unnumbered_snap)
        return ether_type::none;

    const byte_view snap = rest.take(5);
    if (snap.empty())
        return ether_type::none;
    // RFC 1042 and IEEE 802.1H: an EtherType follows. Other organizations number by themselves.
    const std::uint32_t organization =
        static_cast<std::uint32_t>(load_u16(snap, 0)) << 8 | load_u8(snap, 2);
    const std::uint16_t type = load_u16(snap, 3);
    const bool is_ether_type = organization == 0x000000 || organization == 0x0000F8;
    return is_ether_type && type > ether_type::longest_length ? type : ether_type::none;
}

/// PPP's protocol field, one octet or two (RFC 1661, section 6.5), and the packet in it.
void decode_ppp_protocol(frame_cursor rest, packet_view& out) noexcept {
    constexpr std::uint16_t ppp_ipv4 = 0x0021;
    constexpr std::uint16_t ppp_ipv6 = 0x0057;
    if (rest.octets().empty())
        return;
    const bool compressed = (load_u8(rest.octets(), 0) & 1U) != 0;
    const byte_view field = rest.take(compressed ? 1 : 2);
    if (field.empty())
        return;
    const std::uint16_t protocol = compressed ? load_u8(field, 0) : load_u16(field, 0);
    if (protocol == ppp_ipv4)
        decode_ipv4(rest, out);
    else if (protocol == ppp_ipv6)
        decode_ipv6(rest, out);
}

/// From the PPPoE header on (RFC 2516): version and type 1, code 0 for session data.
void decode_pppoe(frame_cursor rest, packet_view& out) noexcept {
    const byte_view header = rest.take(6);
    if (header.empty() || load_u16(header, 0) != 0x1100)
        return;
    rest.limit(load_u16(header, 4));
    decode_ppp_protocol(rest, out);
}

/// From behind an EtherType on; `type` may also be the length of an 802.3 frame. Walks any stack of
/// VLAN tags without recursion.
void decode_ether_type(std::uint16_t type, frame_cursor rest, packet_view& out) noexcept {
    for (;;) {
        switch (type) {
        case ether_type::ipv4:
            return decode_ipv4(rest, out);
        case ether_type::ipv6:
            return decode_ipv6(rest, out);
        case ether_type::customer_vlan:
        case ether_type::service_vlan:
        case ether_type::stacked_vlan_9100:
        case ether_type::stacked_vlan_9200:
        case ether_type::stacked_vlan_9300: {
            const byte_view tag = rest.take(4);
            if (tag.empty())
                return;
            if (out.vlan < 0)
                out.vlan = static_cast<std::int16_t>(load_u16(tag, 0) & 0x0FFFU);
            type = load_u16(tag, 2);
            break;
        }
        case ether_type::pppoe_session:
            return decode_pppoe(rest, out);
        default:
            if (type > ether_type::longest_length)
                return;
            rest.limit(type);
            type = read_llc(rest);
        }
    }
}

void decode_ethernet(frame_cursor rest, packet_view& out) noexcept {
    const byte_view header = rest.take(14);
    if (!header.empty())
        decode_ether_type(load_u16(header, 12), rest, out);
}

/// The protocol field of a Linux cooked header: an EtherType, or a number of Linux' own below it.
void decode_cooked_protocol(std::uint16_t protocol, frame_cursor rest, packet_view& out) noexcept {
    constexpr std::uint16_t linux_llc = 0x0004;
    if (protocol == linux_llc)
        protocol = read_llc(rest);
    if (protocol > ether_type::longest_length)
        decode_ether_type(protocol, rest, out);
}

void decode_cooked(frame_cursor rest, packet_view& out) noexcept {
    const byte_view header = rest.take(16);
    if (!header.empty())
        decode_cooked_protocol(load_u16(header, 14), rest, out);
}

void decode_cooked_v2(frame_cursor rest, packet_view& out) noexcept {
    const byte_view header = rest.take(20);
    if (!header.empty())
        decode_cooked_protocol(load_u16(header, 0), rest, out);
}

/// Address, control and an EtherType.
void decode_cisco_hdlc(frame_cursor rest, packet_view& out) noexcept {
    const byte_view header = rest.take(4);
    if (header.empty())
        return;
    const std::uint16_t type = load_u16(header, 2);
    if (type > ether_type::longest_length)
        decode_ether_type(type, rest, out);
}

/// PPP with or without HDLC's address and control; Cisco's HDLC shows by its address.
void decode_ppp(frame_cursor rest, packet_view& out) noexcept {
    const byte_view octets = rest.octets();
    const std::uint16_t start = octets.size() < 2 ? 0 : load_u16(octets, 0);
    if (start == 0x0F00 || start == 0x8F00)
        return decode_cisco_hdlc(rest, out);
    if (start == 0xFF03)
        rest.take(2);
    decode_ppp_protocol(rest, out);
}

void decode_ppp_with_direction(frame_cursor rest, packet_view& out) noexcept {
    if (!rest.take(1).empty())
        decode_ppp(rest, out);
}

/// BSD loopback: the address family, in the byte order of a machine that is not known.
void decode_loopback(frame_cursor rest, packet_view& out) noexcept {
    const byte_view header = rest.take(4);
    if (header.empty())
        return;
    std::uint32_t address_family = load_u32(header, 0);
    if (address_family > 0xFFFFU)
        address_family = __builtin_bswap32(address_family);
    switch (address_family) {
    case 2:
        return decode_ipv4(rest, out);
    case 10: // Linux
    case 24: // NetBSD, OpenBSD
    case 28: // FreeBSD
    case 30: // Darwin
        return decode_ipv6(rest, out);
    default:
        return;
    }
}

/// As assigning an empty view, but member by member: for the whole of it the compiler writes a loop
/// that costs more than decoding.
void reset(packet_view& out) noexcept {
    out.what = verdict::not_ip;
    out.vlan = -1;
    out.ip = {};
    out.total_length = 0;
    out.fragment_offset = 0;
    out.more_fragments = false;
    packet_key& key = out.key;
    key.source = {};
    key.destination = {};
    key.interface = {};
    key.vrf = {};
    key.source_port = 0;
    key.destination_port = 0;
    key.protocol = 0;
    key.icmp_type = 0;
    key.icmp_code = 0;
    key.of_family = family::inet;
    key.way = direction::ingress;
    key.has_ports = false;
    key.has_icmp = false;
}

} // namespace

void decode(link_type link, byte_view frame, std::size_t wire_length, packet_view& out) noexcept {
    reset(out);
    const frame_cursor start(frame, wire_length);
    switch (link) {
    case link_type::ethernet:
        return decode_ethernet(start, out);
    case link_type::raw:
    case link_type::raw_bsd:
    case link_type::raw_openbsd:
        return decode_ip(start, out);
    case link_type::ipv4:
        return decode_ipv4(start, out);
    case link_type::ipv6:
        return decode_ipv6(start, out);
    case link_type::linux_cooked:
        return decode_cooked(start, out);
    case link_type::linux_cooked_v2:
        return decode_cooked_v2(start, out);
    case link_type::null:
    case link_type::loop:
        return decode_loopback(start, out);
    case link_type::ppp:
    case link_type::ppp_hdlc:
        return decode_ppp(start, out);
    case link_type::ppp_with_direction:
        return decode_ppp_with_direction(start, out);
    case link_type::ppp_ether:
        return decode_pppoe(start, out);
    case link_type::cisco_hdlc:
        return decode_cisco_hdlc(start, out);
    }
    out.what = verdict::unsupported_link;
}

} // namespace flowtap::packet
