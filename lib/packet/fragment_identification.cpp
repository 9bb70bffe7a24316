// SPDX-License-Identifier: Apache-2.0
#include <flowtap/packet/view.hpp>

#include "decode_ip.hpp"
#include "frame_cursor.hpp"
#include "protocol_numbers.hpp"

namespace flowtap::packet {

using namespace detail;

namespace {

/// Of the outermost fragment header that is no formality (RFC 6946), as a receiver would use it.
std::optional<std::uint32_t> ipv6_identification(byte_view packet) noexcept {
    std::uint8_t type = load_u8(packet, 6);
    byte_view rest = packet.subspan(ipv6_header_size);
    for (;;) {
        const extension header = read_extension(type, rest);
        if (header.size == 0)
            return std::nullopt;
        if (type == ip_protocol::fragment && (load_u16(rest, 2) & 0xFFF9U) != 0)
            return load_u32(rest, 4);
        type = header.next_header;
        rest = rest.subspan(header.size);
    }
}

} // namespace

std::optional<std::uint32_t> fragment_identification(const packet_view& packet) noexcept {
    if (packet.fragment_offset == 0 && !packet.more_fragments)
        return std::nullopt;
    const bool is_ipv4 = packet.key.of_family == family::inet;
    if (packet.ip.size() < (is_ipv4 ? ipv4_header_size : ipv6_header_size))
        return std::nullopt;
    return is_ipv4 ? load_u16(packet.ip, 4) : ipv6_identification(packet.ip);
}

} // namespace flowtap::packet
