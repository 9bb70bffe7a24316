// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "corpus.hpp"

namespace flowtap::test {

namespace {

using packet::link_type;

octets ethernet(std::uint16_t type) {
    return hex("020000000002 020000000001") + u16(type);
}

octets tag(std::uint16_t id, std::uint16_t type) {
    return u16(static_cast<std::uint16_t>(0x6000 | id)) + u16(type);
}

std::uint16_t ether_type(family of_family) {
    return of_family == family::inet ? 0x0800 : 0x86DD;
}

octets ppp(family of_family) {
    return of_family == family::inet ? hex("0021") : hex("0057");
}

octets short_ppp(family of_family) {
    return of_family == family::inet ? hex("21") : hex("57");
}

octets pppoe(const octets& payload) {
    return hex("1100 1234") + u16(static_cast<std::uint16_t>(payload.size())) + payload;
}

octets snap(family of_family) {
    return hex("AAAA03 000000") + u16(ether_type(of_family));
}

octets cooked(std::uint16_t protocol) {
    return hex("0000 0001 0006 020000000001 0000") + u16(protocol);
}

octets cooked_v2(std::uint16_t protocol) {
    return u16(protocol) + hex("0000 00000002 0001 00 06 020000000001 0000");
}

octets in_802_3(const octets& payload) {
    return ethernet(static_cast<std::uint16_t>(payload.size())) + payload;
}

using wrapper = octets (*)(family, const octets&);

link_sample link(std::string name, link_type type, wrapper wrap, std::int16_t vlan = -1) {
    return {std::move(name), type, wrap, vlan, true, true, false};
}

link_sample padded(link_sample sample) {
    sample.pads = true;
    return sample;
}

link_sample ipv4_only(link_sample sample) {
    sample.carries_ipv6 = false;
    return sample;
}

link_sample ipv6_only(link_sample sample) {
    sample.carries_ipv4 = false;
    return sample;
}

using links = std::vector<link_sample>;

void add_ethernet(links& out) {
    constexpr auto type = link_type::ethernet;
    out.push_back(link("Ethernet", type,
                       [](family f, const octets& p) { return ethernet(ether_type(f)) + p; }));
    out.push_back(padded(link("Ethernet with padding", type, [](family f, const octets& p) {
        return ethernet(ether_type(f)) + p + octets(18, std::byte{0});
    })));
    out.push_back(link(
        "VLAN 5", type,
        [](family f, const octets& p) { return ethernet(0x8100) + tag(5, ether_type(f)) + p; }, 5));
    out.push_back(link(
        "VLAN 0", type,
        [](family f, const octets& p) { return ethernet(0x8100) + tag(0, ether_type(f)) + p; }, 0));
    out.push_back(link(
        "VLAN 4095 (802.1ad) and VLAN 7", type,
        [](family f, const octets& p) {
            return ethernet(0x88A8) + tag(4095, 0x8100) + tag(7, ether_type(f)) + p;
        },
        4095));
    out.push_back(link(
        "VLAN 9 (9100) and four more", type,
        [](family f, const octets& p) {
            return ethernet(0x9100) + tag(9, 0x9100) + tag(8, 0x88A8) + tag(7, 0x8100) +
                   tag(6, 0x8100) + tag(5, ether_type(f)) + p;
        },
        9));
    out.push_back(link(
        "VLAN 1 (9200) and VLAN 2 (9300)", type,
        [](family f, const octets& p) {
            return ethernet(0x9200) + tag(1, 0x9300) + tag(2, ether_type(f)) + p;
        },
        1));
}

void add_802_3(links& out) {
    constexpr auto type = link_type::ethernet;
    out.push_back(
        padded(ipv4_only(link("802.3 with SNAP and padding", type, [](family f, const octets& p) {
            return in_802_3(snap(f) + p) + octets(9);
        }))));
    out.push_back(ipv4_only(link("802.3 with LLC alone", type, [](family, const octets& p) {
        return in_802_3(hex("060603") + p);
    })));
    out.push_back(ipv4_only(link(
        "VLAN 3 around 802.3 with 802.1H", type,
        [](family f, const octets& p) {
            const octets inner = hex("AAAA03 0000F8") + u16(ether_type(f)) + p;
            return ethernet(0x8100) + tag(3, static_cast<std::uint16_t>(inner.size())) + inner;
        },
        3)));
}

void add_ppp(links& out) {
    out.push_back(ipv4_only(link("PPPoE", link_type::ethernet, [](family f, const octets& p) {
        return ethernet(0x8864) + pppoe(ppp(f) + p);
    })));
    out.push_back(padded(ipv4_only(link(
        "PPPoE in VLAN 100 with padding", link_type::ethernet,
        [](family f, const octets& p) {
            return ethernet(0x8100) + tag(100, 0x8864) + pppoe(short_ppp(f) + p) + octets(4);
        },
        100))));
    out.push_back(ipv4_only(link("PPPoE alone", link_type::ppp_ether,
                                 [](family f, const octets& p) { return pppoe(ppp(f) + p); })));
    out.push_back(
        link("PPP", link_type::ppp, [](family f, const octets& p) { return ppp(f) + p; }));
    out.push_back(link("PPP, short protocol", link_type::ppp,
                       [](family f, const octets& p) { return short_ppp(f) + p; }));
    out.push_back(link("PPP, address and control", link_type::ppp,
                       [](family f, const octets& p) { return hex("FF03") + ppp(f) + p; }));
    out.push_back(link("PPP in HDLC", link_type::ppp_hdlc,
                       [](family f, const octets& p) { return hex("FF03") + ppp(f) + p; }));
    out.push_back(link("PPP in HDLC, short protocol", link_type::ppp_hdlc,
                       [](family f, const octets& p) { return hex("FF03") + short_ppp(f) + p; }));
    out.push_back(
        link("Cisco HDLC in PPP's link type", link_type::ppp_hdlc,
             [](family f, const octets& p) { return hex("8F00") + u16(ether_type(f)) + p; }));
    out.push_back(link("Cisco HDLC", link_type::cisco_hdlc, [](family f, const octets& p) {
        return hex("0F00") + u16(ether_type(f)) + p;
    }));
    out.push_back(link("PPP with direction", link_type::ppp_with_direction,
                       [](family f, const octets& p) { return hex("01FF03") + ppp(f) + p; }));
}

void add_cooked(links& out) {
    out.push_back(link("Linux cooked", link_type::linux_cooked,
                       [](family f, const octets& p) { return cooked(ether_type(f)) + p; }));
    out.push_back(link(
        "Linux cooked, VLAN 12", link_type::linux_cooked,
        [](family f, const octets& p) { return cooked(0x8100) + tag(12, ether_type(f)) + p; }, 12));
    out.push_back(link("Linux cooked, LLC", link_type::linux_cooked,
                       [](family f, const octets& p) { return cooked(4) + snap(f) + p; }));
    out.push_back(link("Linux cooked v2", link_type::linux_cooked_v2,
                       [](family f, const octets& p) { return cooked_v2(ether_type(f)) + p; }));
    out.push_back(link(
        "Linux cooked v2, VLAN 13", link_type::linux_cooked_v2,
        [](family f, const octets& p) { return cooked_v2(0x88A8) + tag(13, ether_type(f)) + p; },
        13));
}

void add_loopback(links& out) {
    const auto v4 = [](const char* name, link_type type, wrapper wrap) {
        return ipv4_only(link(name, type, wrap));
    };
    const auto v6 = [](const char* name, link_type type, wrapper wrap) {
        return ipv6_only(link(name, type, wrap));
    };
    out.push_back(v4("null, little endian", link_type::null,
                     [](family, const octets& p) { return hex("02000000") + p; }));
    out.push_back(v4("null, big endian", link_type::null,
                     [](family, const octets& p) { return hex("00000002") + p; }));
    out.push_back(
        v4("loop", link_type::loop, [](family, const octets& p) { return hex("00000002") + p; }));
    out.push_back(v6("null, Linux", link_type::null,
                     [](family, const octets& p) { return hex("0A000000") + p; }));
    out.push_back(v6("null, NetBSD", link_type::null,
                     [](family, const octets& p) { return hex("18000000") + p; }));
    out.push_back(v6("null, FreeBSD, big endian", link_type::null,
                     [](family, const octets& p) { return hex("0000001C") + p; }));
    out.push_back(v6("null, Darwin", link_type::null,
                     [](family, const octets& p) { return hex("1E000000") + p; }));
    out.push_back(v6("loop, OpenBSD", link_type::loop,
                     [](family, const octets& p) { return hex("00000018") + p; }));
}

void add_raw(links& out) {
    const auto bare = [](family, const octets& p) { return p; };
    out.push_back(link("raw", link_type::raw, bare));
    out.push_back(link("raw (12)", link_type::raw_bsd, bare));
    out.push_back(link("raw (14)", link_type::raw_openbsd, bare));
    out.push_back(ipv4_only(link("IPv4 link", link_type::ipv4, bare)));
    out.push_back(ipv6_only(link("IPv6 link", link_type::ipv6, bare)));
}

frame_sample other(std::string name, link_type link, octets frame, std::string expected,
                   std::int16_t vlan = -1) {
    const std::size_t size = frame.size();
    return {std::move(name), link, std::move(frame), size, std::move(expected), vlan, {}, 0};
}

} // namespace

std::vector<link_sample> link_samples() {
    links out;
    add_ethernet(out);
    add_802_3(out);
    add_ppp(out);
    add_cooked(out);
    add_loopback(out);
    add_raw(out);
    return out;
}

std::vector<frame_sample> other_frames() {
    const octets packet = ipv4({}, udp(1, 2, counting(20)));
    constexpr auto ether = link_type::ethernet;
    return {
        other("no octet", ether, {}, "not_ip"),
        other("Ethernet header cut", ether, hex("020000000002 020000000001 08"), "not_ip"),
        other("ARP", ether, ethernet(0x0806) + octets(28), "not_ip"),
        other("MPLS", ether, ethernet(0x8847) + hex("00010140") + packet, "not_ip"),
        other("MPLS multicast", ether, ethernet(0x8848) + hex("00010140") + packet, "not_ip"),
        other("PPPoE discovery", ether, ethernet(0x8863) + hex("1109 0000 0000") + octets(40),
              "not_ip"),
        other("LLDP in VLAN 4", ether, ethernet(0x8100) + tag(4, 0x88CC) + octets(40), "not_ip", 4),
        other("VLAN tag cut", ether, ethernet(0x8100) + hex("0005"), "not_ip"),
        other("type between length and EtherType", ether, ethernet(1501) + packet, "not_ip"),
        other("spanning tree", ether, in_802_3(hex("424203") + octets(35)), "not_ip"),
        other("LLC cut", ether, in_802_3(hex("AAAA")), "not_ip"),
        other("SNAP cut", ether, in_802_3(hex("AAAA03 00000008")), "not_ip"),
        other("SNAP of another organization", ether,
              in_802_3(hex("AAAA03 00000C 2000") + octets(20)), "not_ip"),
        other("SNAP with a length", ether, in_802_3(hex("AAAA03 000000 0028") + packet), "not_ip"),
        other("IPX in raw 802.3", ether, in_802_3(hex("FFFF") + octets(40)), "not_ip"),
        other("PPPoE with a code", ether, ethernet(0x8864) + hex("11A7 0001 0000") + octets(40),
              "not_ip"),
        other("PPPoE version 2", ether, ethernet(0x8864) + hex("2100 0001 0028 0021") + packet,
              "not_ip"),
        other("PPPoE header cut", ether, ethernet(0x8864) + hex("1100 0001"), "not_ip"),
        other("PPPoE without payload", ether, ethernet(0x8864) + hex("1100 0001 0000"), "not_ip"),
        other("PPPoE with half a protocol", ether, ethernet(0x8864) + hex("1100 0001 0001 00"),
              "not_ip"),
        other("PPPoE LCP", ether, ethernet(0x8864) + hex("1100 0001 000A C021 09010008 00000000"),
              "not_ip"),
        other("PPPoE shorter than its packet", ether,
              ethernet(0x8864) + hex("1100 0001 0014 0021") + packet, "malformed"),
        other("802.3 shorter than its packet", ether,
              ethernet(30) + hex("AAAA03 000000 0800") + packet, "malformed"),
        other("IPv6 in the EtherType of IPv4", ether, ethernet(0x0800) + ipv6({}, udp(1, 2)),
              "malformed"),
        other("IPv4 in the EtherType of IPv6", ether, ethernet(0x86DD) + packet, "malformed"),
        other("IPv4 EtherType and nothing", ether, ethernet(0x0800), "malformed"),
        other("IPv6 EtherType and nothing", ether, ethernet(0x86DD), "malformed"),
        other("IPv4 header of 19 octets", ether,
              ethernet(0x0800) + octets(packet.begin(), packet.begin() + 19), "malformed"),
        other("PPP LCP", link_type::ppp, hex("FF03 C021 0101000a") + octets(6), "not_ip"),
        other("PPP of one octet", link_type::ppp, hex("21"), "malformed"),
        other("PPP address and control alone", link_type::ppp, hex("FF03"), "not_ip"),
        other("PPP with half a protocol", link_type::ppp_hdlc, hex("FF0300"), "not_ip"),
        other("PPP with direction alone", link_type::ppp_with_direction, {}, "not_ip"),
        other("Cisco SLARP", link_type::cisco_hdlc, hex("8F00 8035") + octets(18), "not_ip"),
        other("Cisco HDLC with a length", link_type::cisco_hdlc, hex("0F00 0028") + packet,
              "not_ip"),
        other("Cisco HDLC cut", link_type::cisco_hdlc, hex("0F0008"), "not_ip"),
        other("Linux cooked ARP", link_type::linux_cooked, cooked(0x0806) + octets(28), "not_ip"),
        other("Linux cooked, Linux' own protocol", link_type::linux_cooked,
              cooked(0x000C) + octets(16), "not_ip"),
        other("Linux cooked, LLC of spanning tree", link_type::linux_cooked,
              cooked(4) + hex("424203") + octets(35), "not_ip"),
        other("Linux cooked header cut", link_type::linux_cooked, octets(15), "not_ip"),
        other("Linux cooked v2 ARP", link_type::linux_cooked_v2, cooked_v2(0x0806) + octets(28),
              "not_ip"),
        other("Linux cooked v2 header cut", link_type::linux_cooked_v2, octets(19), "not_ip"),
        other("null, AppleTalk", link_type::null, hex("10000000") + octets(20), "not_ip"),
        other("null cut", link_type::null, hex("020000"), "not_ip"),
        other("raw, nothing", link_type::raw, {}, "malformed"),
        other("raw, version 0", link_type::raw, octets(40), "malformed"),
        other("IPv4 link with IPv6", link_type::ipv4, ipv6({}, udp(1, 2)), "malformed"),
        other("IPv6 link with IPv4", link_type::ipv6, packet, "malformed"),
        other("802.11", static_cast<link_type>(105), octets(60), "unsupported_link"),
    };
}

} // namespace flowtap::test
