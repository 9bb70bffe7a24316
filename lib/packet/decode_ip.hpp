// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/packet/view.hpp>

#include "frame_cursor.hpp"
#include "protocol_numbers.hpp"

/// The network and transport layers. In a header so that decode.cpp sees all of a packet's way in
/// one unit: a call per layer would cost more than the work.
namespace flowtap::packet::detail {

inline void conclude(verdict what, packet_view& out) noexcept {
    out.what = what;
}

/// The packet's outermost IP header is not consistent: nothing of it may be matched.
inline void reject(packet_view& out) noexcept {
    const std::int16_t vlan = out.vlan;
    out = packet_view{};
    out.vlan = vlan;
    out.what = verdict::malformed;
}

/// Not even the fixed IP header was captured: cut short if the capture is why, with nothing to look
/// at.
inline void reject_short_header(std::size_t header_size, frame_cursor rest,
                                packet_view& out) noexcept {
    if (rest.wire_length() < header_size)
        return reject(out);
    out.total_length = static_cast<std::uint32_t>(rest.wire_length());
    conclude(verdict::cut_short, out);
}

/// Sets the packet's extent, and whether it is all there.
inline void set_extent(byte_view captured, std::size_t total_length, packet_view& out) noexcept {
    out.total_length = static_cast<std::uint32_t>(total_length);
    const bool whole = total_length <= captured.size();
    out.ip = whole ? captured.first(total_length) : captured;
    out.what = whole ? verdict::ip : verdict::cut_short;
}

/// Reads what of the transport header a filter can look at. The octets are those of the packet, so
/// that link padding is never taken for ports.
inline void decode_transport(byte_view transport, packet_key& key) noexcept {
    if (key.protocol == ip_protocol::tcp || key.protocol == ip_protocol::udp) {
        if (transport.size() < 4)
            return;
        key.source_port = load_u16(transport, 0);
        key.destination_port = load_u16(transport, 2);
        key.has_ports = true;
        return;
    }
    const std::uint8_t icmp =
        key.of_family == family::inet ? ip_protocol::icmp : ip_protocol::icmpv6;
    if (key.protocol == icmp && transport.size() >= 2) {
        key.icmp_type = load_u8(transport, 0);
        key.icmp_code = load_u8(transport, 1);
        key.has_icmp = true;
    }
}

/// The total length of an IPv4 packet. Zero is left there by TCP segmentation offload: the packet
/// is what the link carried.
inline std::size_t ipv4_total_length(byte_view header, frame_cursor rest) noexcept {
    const std::size_t total_length = load_u16(header, 2);
    if (total_length == 0 && load_u8(header, 9) == ip_protocol::tcp)
        return rest.wire_length();
    return total_length;
}

inline void decode_ipv4(frame_cursor rest, packet_view& out) noexcept {
    const byte_view header = rest.octets();
    if (!header.empty() && (load_u8(header, 0) >> 4) != 4)
        return reject(out);
    if (header.size() < ipv4_header_size)
        return reject_short_header(ipv4_header_size, rest, out);

    const std::size_t header_size = (load_u8(header, 0) & 0x0FU) * 4U;
    const std::size_t total_length = ipv4_total_length(header, rest);
    if (header_size < ipv4_header_size || total_length < header_size ||
        total_length > rest.wire_length())
        return reject(out);

    out.key.of_family = family::inet;
    out.key.protocol = load_u8(header, 9);
    out.key.source = {0, load_u32(header, 12)};
    out.key.destination = {0, load_u32(header, 16)};
    set_extent(header, total_length, out);

    const std::uint16_t fragment = load_u16(header, 6);
    out.more_fragments = (fragment & 0x2000U) != 0;
    out.fragment_offset = (fragment & 0x1FFFU) * 8U;
    if (out.fragment_offset != 0)
        return conclude(verdict::later_fragment, out);
    if (header_size <= out.ip.size())
        decode_transport(out.ip.subspan(header_size), out.key);
}

struct jumbo_search {
    bool present = false;
    std::uint32_t length = 0;
};

/// Finds the jumbo payload option (RFC 2675) in a hop-by-hop header, `options` being what follows
/// its two first octets.
inline jumbo_search find_jumbo_option(byte_view options) noexcept {
    constexpr std::uint8_t pad1 = 0;
    constexpr std::uint8_t jumbo = 0xC2;
    while (options.size() >= 2) {
        const std::uint8_t type = load_u8(options, 0);
        const std::size_t size = type == pad1 ? 1 : 2U + load_u8(options, 1);
        if (size > options.size())
            break;
        if (type == jumbo && size == 6)
            return {true, load_u32(options, 2)};
        options = options.subspan(size);
    }
    return {};
}

/// The total length of an IPv6 packet whose payload length is zero. With a hop-by-hop header that
/// is a jumbogram; zero when the option that must tell its length tells one that needs no
/// jumbogram.
inline std::size_t jumbogram_total_length(frame_cursor rest) noexcept {
    const byte_view packet = rest.octets();
    const byte_view options = packet.subspan(ipv6_header_size);
    const std::size_t size = options.size() < 8 ? 8 : (load_u8(options, 1) + 1U) * 8U;
    if (size > options.size()) {
        const bool was_cut = packet.size() < rest.wire_length();
        return was_cut ? rest.wire_length() : ipv6_header_size;
    }
    const jumbo_search found = find_jumbo_option(options.subspan(2, size - 2));
    if (!found.present)
        return ipv6_header_size;
    return found.length > 0xFFFFU ? ipv6_header_size + std::size_t{found.length} : 0;
}

/// The total length of an IPv6 packet, its header included.
inline std::size_t ipv6_total_length(frame_cursor rest) noexcept {
    const std::size_t payload = load_u16(rest.octets(), 4);
    if (payload == 0 && load_u8(rest.octets(), 6) == ip_protocol::hop_by_hop)
        return jumbogram_total_length(rest);
    return ipv6_header_size + payload;
}

/// How an IPv6 extension header goes on.
struct extension {
    std::uint8_t next_header = ip_protocol::no_next;
    std::size_t size = 0;
};

/// Reads the extension header `type` at the start of `rest`. A size of zero: `type` is no extension
/// header, or the header does not fit, and with it the chain ends.
inline extension read_extension(std::uint8_t type, byte_view rest) noexcept {
    if (rest.size() < 8)
        return {};
    extension found{load_u8(rest, 0), 0};
    switch (type) {
    case ip_protocol::hop_by_hop:
    case ip_protocol::routing:
    case ip_protocol::destination_options:
        found.size = (load_u8(rest, 1) + 1U) * 8U;
        break;
    case ip_protocol::fragment:
        found.size = ipv6_fragment_header_size;
        break;
    case ip_protocol::authentication:
        found.size = (load_u8(rest, 1) + 2U) * 4U;
        break;
    case ip_protocol::shim6:
        // With nothing behind it, it is what the packet is about: a control message.
        if (found.next_header == ip_protocol::no_next)
            return {};
        found.size = (load_u8(rest, 1) + 1U) * 8U;
        break;
    default:
        return {};
    }
    return found.size <= rest.size() ? found : extension{};
}

/// Walks the extension headers. Each one takes eight octets or more, so that the walk ends.
inline void decode_ipv6_payload(byte_view rest, packet_view& out) noexcept {
    for (;;) {
        const std::uint8_t type = out.key.protocol;
        const extension header = read_extension(type, rest);
        if (header.size == 0)
            return decode_transport(rest, out.key);
        out.key.protocol = header.next_header;
        if (type == ip_protocol::fragment) {
            const std::uint16_t fragment = load_u16(rest, 2);
            out.more_fragments = out.more_fragments || (fragment & 1U) != 0;
            out.fragment_offset = fragment & 0xFFF8U;
            if (out.fragment_offset != 0)
                return conclude(verdict::later_fragment, out);
        }
        rest = rest.subspan(header.size);
    }
}

inline void decode_ipv6(frame_cursor rest, packet_view& out) noexcept {
    const byte_view header = rest.octets();
    if (!header.empty() && (load_u8(header, 0) >> 4) != 6)
        return reject(out);
    if (header.size() < ipv6_header_size)
        return reject_short_header(ipv6_header_size, rest, out);

    const std::size_t total_length = ipv6_total_length(rest);
    if (total_length == 0 || total_length > rest.wire_length())
        return reject(out);

    out.key.of_family = family::inet6;
    out.key.protocol = load_u8(header, 6);
    out.key.source = {load_u64(header, 8), load_u64(header, 16)};
    out.key.destination = {load_u64(header, 24), load_u64(header, 32)};
    set_extent(header, total_length, out);
    decode_ipv6_payload(out.ip.subspan(ipv6_header_size), out);
}

/// By the version in the first octet, for links that carry nothing but IP.
inline void decode_ip(frame_cursor rest, packet_view& out) noexcept {
    if (rest.octets().empty())
        return reject_short_header(1, rest, out);
    if ((load_u8(rest.octets(), 0) >> 4) == 4)
        return decode_ipv4(rest, out);
    decode_ipv6(rest, out);
}

} // namespace flowtap::packet::detail
