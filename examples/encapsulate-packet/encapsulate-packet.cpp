// SPDX-License-Identifier: Apache-2.0
//
// Decodes a frame, shows what a filter could see of it, and wraps its packet as a copy for a
// content destination, in IP, UDP and a mirror header. Then takes the copy apart as its receiver
// would.
#include <algorithm>
#include <cstdio>
#include <string_view>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/packet/decapsulation.hpp>
#include <flowtap/packet/encapsulation.hpp>
#include <flowtap/packet/view.hpp>

namespace packet = flowtap::packet;

namespace {

/// Ethernet, VLAN 5, IPv4 from 192.0.2.1 to 198.51.100.2, UDP from port 1000 to 53.
constexpr unsigned char frame[] = {
    0x02, 0,    0, 0,  0, 2,  0x02, 0, 0,   0,   0,    1,    0x81, 0, 0, 5, 0x08, 0, // Ethernet
    0x45, 0,    0, 32, 0, 1,  0,    0, 64,  17,  0x8E, 0xA6, 192,  0, 2, 1, 198,  51,
    100,  2,                                                // IPv4
    0x03, 0xE8, 0, 53, 0, 12, 0,    0, 'd', 'a', 't',  'a', // UDP
    0,    0,    0, 0,  0, 0,  0,    0, 0,   0,              // padding
};

void show(const char* what, flowtap::byte_view octets) {
    std::printf("%-9s", what);
    for (const std::byte octet : octets)
        std::printf(" %02x", std::to_integer<unsigned>(octet));
    std::printf("\n");
}

flowtap::endpoint at(std::string_view address, std::uint16_t port) {
    return {flowtap::parse_ip_address(address).value(), port};
}

} // namespace

int main() {
    packet::packet_view view;
    packet::decode(packet::link_type::ethernet, std::as_bytes(std::span(frame)), sizeof frame,
                   view);
    if (view.what != packet::verdict::ip)
        return 1;
    const flowtap::packet_key& key = view.key;
    std::printf("VLAN %d, %s -> %s, protocol %d, ports %d -> %d, %zu octets\n", view.vlan,
                to_string(flowtap::ip_address(key.of_family, key.source)).c_str(),
                to_string(flowtap::ip_address(key.of_family, key.destination)).c_str(),
                key.protocol, key.source_port, key.destination_port, view.ip.size());

    // Made once for each content destination.
    const auto header =
        packet::header_template::make({.kind = packet::encapsulation_kind::udp_mirror,
                                       .source = at("203.0.113.1", 6502),
                                       .destination = at("203.0.113.9", 6502),
                                       .mirror = {.intercept_id = 2, .session_id = 0x0010F447}});
    if (!header) {
        std::printf("%s\n", header.error().message().c_str());
        return 1;
    }
    // Once for each packet; a data path would hand header and packet on without joining them.
    std::vector<std::byte> copy(header->size());
    if (!header->write(view.ip, 1, copy))
        return 1;
    show("header", copy);
    show("packet", view.ip);
    copy.insert(copy.end(), view.ip.begin(), view.ip.end());

    const auto found = packet::decapsulate(packet::encapsulation_kind::udp_mirror, copy);
    if (!found) {
        std::printf("%s\n", found.error().message().c_str());
        return 1;
    }
    std::printf("received from %s: intercept %u, session %u, TTL %u\n",
                to_string(found->source).c_str(), found->mirror.intercept_id,
                found->mirror.session_id, unsigned{found->ttl});
    return std::ranges::equal(found->inner, view.ip) ? 0 : 1;
}
