// SPDX-License-Identifier: Apache-2.0
#include <flowtap/packet/checksum.hpp>
#include <flowtap/packet/decapsulation.hpp>
#include <flowtap/packet/error.hpp>

#include "decode_ip.hpp"
#include "frame_cursor.hpp"
#include "protocol_numbers.hpp"

namespace flowtap::packet {

namespace {

using namespace detail;

/// What stands behind the outer IP header and its extension headers.
byte_view transport_of(byte_view ip) noexcept {
    if ((load_u8(ip, 0) >> 4) == 4)
        return ip.subspan((load_u8(ip, 0) & 0x0FU) * 4U);
    std::uint8_t type = load_u8(ip, 6);
    byte_view rest = ip.subspan(ipv6_header_size);
    for (extension header = read_extension(type, rest); header.size != 0;
         header = read_extension(type, rest)) {
        type = header.next_header;
        rest = rest.subspan(header.size);
    }
    return rest;
}

decapsulated read_outer_header(byte_view ip, const packet_key& key) noexcept {
    decapsulated found;
    found.source.address = {key.of_family, key.source};
    found.destination.address = {key.of_family, key.destination};
    if (key.of_family == family::inet) {
        const std::size_t size = (load_u8(ip, 0) & 0x0FU) * 4U;
        found.dscp = load_u8(ip, 1) >> 2;
        found.identification = load_u16(ip, 4);
        found.ttl = load_u8(ip, 8);
        const bool good = internet_checksum().add(ip.first(size)).value() == 0;
        found.ip_checksum = good ? checksum_state::good : checksum_state::bad;
    } else {
        found.dscp = load_u16(ip, 0) >> 6 & 0x3FU;
        found.ttl = load_u8(ip, 7);
    }
    return found;
}

checksum_state check_udp(byte_view ip, byte_view datagram) noexcept {
    if (load_u16(datagram, 6) == 0)
        return checksum_state::absent;
    const bool is_ipv4 = (load_u8(ip, 0) >> 4) == 4;
    internet_checksum sum;
    sum.add(is_ipv4 ? ip.subspan(12, 8) : ip.subspan(8, 32));
    sum.add(std::uint16_t{ip_protocol::udp}).add(static_cast<std::uint16_t>(datagram.size()));
    return sum.add(datagram).value() == 0 ? checksum_state::good : checksum_state::bad;
}

result<decapsulated> open_udp(encapsulation_kind expected, const packet_view& packet) {
    byte_view datagram = transport_of(packet.ip);
    if (packet.key.protocol != ip_protocol::udp || datagram.size() < udp_header_size)
        return fail(errc::not_encapsulated);
    const std::size_t length = load_u16(datagram, 4);
    if (length < udp_header_size || length > datagram.size())
        return fail(errc::not_encapsulated);
    datagram = datagram.first(length);

    decapsulated found = read_outer_header(packet.ip, packet.key);
    found.kind = expected;
    found.source.port = packet.key.source_port;
    found.destination.port = packet.key.destination_port;
    found.udp_checksum = check_udp(packet.ip, datagram);
    found.inner = datagram.subspan(udp_header_size);
    if (expected != encapsulation_kind::udp_mirror)
        return found;

    const auto mirror = read_mirror_header(found.inner);
    if (!mirror)
        return fail(mirror.error());
    found.mirror = mirror->header;
    found.inner = mirror->inner;
    return found;
}

result<decapsulated> open_ip_in_ip(const packet_view& packet) {
    const byte_view inner = transport_of(packet.ip);
    const unsigned version = inner.empty() ? 0U : load_u8(inner, 0) >> 4;
    const bool is_ipv4 = packet.key.protocol == ip_protocol::ipv4 && version == 4;
    const bool is_ipv6 = packet.key.protocol == ip_protocol::ipv6 && version == 6;
    if (!is_ipv4 && !is_ipv6)
        return fail(errc::not_encapsulated);
    decapsulated found = read_outer_header(packet.ip, packet.key);
    found.kind = encapsulation_kind::ip_in_ip;
    found.inner = inner;
    return found;
}

} // namespace

result<decapsulated> decapsulate(encapsulation_kind expected, const packet_view& packet) {
    switch (packet.what) {
    case verdict::ip:
        break;
    case verdict::later_fragment:
        return fail(errc::fragment);
    case verdict::cut_short:
        return fail(errc::cut_short);
    case verdict::malformed:
        return fail(errc::malformed);
    case verdict::not_ip:
    case verdict::unsupported_link:
        return fail(errc::not_ip);
    }
    if (packet.more_fragments)
        return fail(errc::fragment);
    if (expected == encapsulation_kind::ip_in_ip)
        return open_ip_in_ip(packet);
    return open_udp(expected, packet);
}

result<decapsulated> decapsulate(encapsulation_kind expected, byte_view packet) {
    packet_view view;
    decode(link_type::raw, packet, packet.size(), view);
    return decapsulate(expected, view);
}

result<mirrored> read_mirror_header(byte_view payload) {
    if (payload.size() < mirror_header_size || load_u8(payload, 0) >> 6 != 0)
        return fail(errc::not_encapsulated);
    return mirrored{{load_u32(payload, 0), load_u32(payload, 4)},
                    payload.subspan(mirror_header_size)};
}

} // namespace flowtap::packet
