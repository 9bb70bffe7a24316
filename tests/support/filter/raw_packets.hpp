// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/packet_key.hpp>

namespace flowtap::filter::testing {

/// `key` with what a decoder would not read back from `raw_packet(key)` changed: the protocol is
/// one that has the ports or ICMP that are there, and no IPv6 extension header.
inline packet_key as_decoded(packet_key key) {
    key.way = direction::ingress;
    if (key.has_ports) {
        key.has_icmp = false;
        if (key.protocol != 6)
            key.protocol = 17;
    } else {
        key.source_port = key.destination_port = 0;
    }
    if (key.has_icmp)
        key.protocol = key.of_family == family::inet ? 1 : 58;
    else
        key.icmp_type = key.icmp_code = 0;
    constexpr std::array<std::uint8_t, 8> extension_headers = {0, 43, 44, 51, 60, 135, 139, 140};
    if (key.of_family == family::inet6 && std::ranges::count(extension_headers, key.protocol) != 0)
        key.protocol = 47;
    return key;
}

/// The smallest raw IP packet that has `key`: an IP header (with `option_words` words of options,
/// for IPv4) and as much of a transport header as ports or ICMP need.
inline std::vector<std::byte> raw_packet(const packet_key& key, std::size_t option_words = 0) {
    const ip_address source(key.of_family, key.source);
    const ip_address destination(key.of_family, key.destination);
    const bool is_inet = key.of_family == family::inet;
    const std::size_t header = is_inet ? 20 + 4 * option_words : 40;
    const std::size_t payload = key.has_ports || key.has_icmp ? 20 : 0;
    std::vector<std::byte> packet(header + payload);
    const std::span<std::byte> all(packet);
    const auto put = [&](std::size_t at, const ip_address& address) {
        const auto octets = address.bytes();
        std::copy_n(octets.begin(), address.size(), all.begin() + static_cast<std::ptrdiff_t>(at));
    };
    if (is_inet) {
        packet[0] = static_cast<std::byte>(0x40 + header / 4);
        store_big_endian(all.subspan(2), static_cast<std::uint16_t>(packet.size()));
        packet[8] = std::byte{64};
        packet[9] = std::byte{key.protocol};
        put(12, source);
        put(16, destination);
    } else {
        packet[0] = std::byte{0x60};
        store_big_endian(all.subspan(4), static_cast<std::uint16_t>(payload));
        packet[6] = std::byte{key.protocol};
        packet[7] = std::byte{64};
        put(8, source);
        put(24, destination);
    }
    if (key.has_ports) {
        store_big_endian(all.subspan(header), key.source_port);
        store_big_endian(all.subspan(header + 2), key.destination_port);
    }
    if (key.has_icmp) {
        packet[header] = std::byte{key.icmp_type};
        packet[header + 1] = std::byte{key.icmp_code};
    }
    return packet;
}

} // namespace flowtap::filter::testing
