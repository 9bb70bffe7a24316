// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "corpus.hpp"

namespace flowtap::test {

namespace {

const std::string v4 = "192.0.2.1 198.51.100.2 ";
const std::string v6 = "2001:db8::1 2001:db8:ffff::2 ";

packet_sample whole(std::string name, family of_family, octets packet, std::string expected) {
    const std::size_t size = packet.size();
    return {std::move(name), of_family, std::move(packet), std::move(expected), size, size, false};
}

packet_sample v4_sample(std::string name, octets packet, std::string expected) {
    return whole(std::move(name), family::inet, std::move(packet), std::move(expected));
}

packet_sample v6_sample(std::string name, octets packet, std::string expected) {
    return whole(std::move(name), family::inet6, std::move(packet), std::move(expected));
}

/// The first `captured` octets of a sample; its total length stays.
packet_sample cut(packet_sample sample, std::size_t captured, std::string expected) {
    sample.name += ", " + std::to_string(captured) + " octets captured";
    sample.captured = captured;
    sample.expected = std::move(expected);
    return sample;
}

packet_sample taking_all(packet_sample sample) {
    sample.takes_all_of_the_link = true;
    return sample;
}

using samples = std::vector<packet_sample>;

void add_ipv4_transports(samples& out) {
    const octets data = counting(12);
    out.push_back(v4_sample("IPv4 UDP", ipv4({}, udp(1000, 53000, data)),
                            "ip " + v4 + "17 1000 53000 - - 0"));
    out.push_back(v4_sample("IPv4 TCP", ipv4({.protocol = 6}, tcp(65535, 8, data)),
                            "ip " + v4 + "6 65535 8 - - 0"));
    out.push_back(
        v4_sample("IPv4 ICMP", ipv4({.protocol = 1}, icmp(3, 13)), "ip " + v4 + "1 - - 3 13 0"));
    out.push_back(v4_sample("IPv4 ICMPv6 has no ICMP type", ipv4({.protocol = 58}, icmp(128, 0)),
                            "ip " + v4 + "58 - - - - 0"));
    out.push_back(v4_sample("IPv4 SCTP has no ports", ipv4({.protocol = 132}, udp(7, 8, data)),
                            "ip " + v4 + "132 - - - - 0"));
    out.push_back(v4_sample("IPv4 UDP-Lite has no ports", ipv4({.protocol = 136}, udp(7, 8, data)),
                            "ip " + v4 + "136 - - - - 0"));
    out.push_back(v4_sample("IPv4 AH hides the ports",
                            ipv4({.protocol = 51}, hex("1104 0000 00000001 00000001 "
                                                       "000000000000000000000000") +
                                                       udp(7, 8, data)),
                            "ip " + v4 + "51 - - - - 0"));
    out.push_back(v4_sample("IPv4 in IPv4, the outer one counts",
                            ipv4({.protocol = 4}, ipv4({.source = "10.0.0.1"}, udp(7, 8, data))),
                            "ip " + v4 + "4 - - - - 0"));
    out.push_back(v4_sample("IPv6 in IPv4, the outer one counts",
                            ipv4({.protocol = 41}, ipv6({}, udp(7, 8, data))),
                            "ip " + v4 + "41 - - - - 0"));
    out.push_back(
        v4_sample("IPv4 without payload", ipv4({.protocol = 6}, {}), "ip " + v4 + "6 - - - - 0"));
    out.push_back(v4_sample("IPv4 UDP of three octets", ipv4({}, hex("03e8cf")),
                            "ip " + v4 + "17 - - - - 0"));
    out.push_back(v4_sample("IPv4 UDP of four octets", ipv4({}, hex("03e8cf08")),
                            "ip " + v4 + "17 1000 53000 - - 0"));
    out.push_back(v4_sample("IPv4 ICMP of one octet", ipv4({.protocol = 1}, hex("08")),
                            "ip " + v4 + "1 - - - - 0"));
    out.push_back(v4_sample("IPv4 ICMP of two octets", ipv4({.protocol = 1}, hex("0800")),
                            "ip " + v4 + "1 - - 8 0 0"));
}

void add_ipv4_headers(samples& out) {
    const octets datagram = udp(1000, 53000, counting(12));
    const std::string found = v4 + "17 1000 53000 - - 0";
    out.push_back(v4_sample("IPv4 with options",
                            ipv4({.options = hex("07070400000000 01")}, datagram), "ip " + found));
    out.push_back(v4_sample("IPv4 with 40 octets of options",
                            ipv4({.options = octets(40, std::byte{1})}, datagram), "ip " + found));
    out.push_back(
        v4_sample("IPv4 first fragment", ipv4({.fragment = 0x2000}, datagram), "ip " + found));
    out.push_back(
        v4_sample("IPv4 do not fragment", ipv4({.fragment = 0x4000}, datagram), "ip " + found));
    out.push_back(
        v4_sample("IPv4 reserved flag", ipv4({.fragment = 0x8000}, datagram), "ip " + found));
    out.push_back(v4_sample("IPv4 middle fragment", ipv4({.fragment = 0x2001}, datagram),
                            "later_fragment " + v4 + "17 - - - - 8"));
    out.push_back(v4_sample("IPv4 last fragment", ipv4({.fragment = 0x1FFF}, datagram),
                            "later_fragment " + v4 + "17 - - - - 65528"));

    const std::string tcp_found = v4 + "6 1000 80 - - 0";
    out.push_back(taking_all(v4_sample(
        "IPv4 TCP with total length 0 (segmentation offload)",
        ipv4({.protocol = 6, .total_length = 0}, tcp(1000, 80, counting(40))), "ip " + tcp_found)));
    out.push_back(v4_sample("IPv4 UDP with total length 0", ipv4({.total_length = 0}, datagram),
                            "malformed"));
    out.push_back(v4_sample("IPv4 total length below the header",
                            ipv4({.total_length = 19}, datagram), "malformed"));
    out.push_back(v4_sample(
        "IPv4 total length within the options",
        ipv4({.options = octets(8, std::byte{1}), .total_length = 24}, datagram), "malformed"));
    out.push_back(v4_sample("IPv4 total length beyond the frame",
                            ipv4({.total_length = 1000}, datagram), "malformed"));
    out.push_back(
        v4_sample("IPv4 header size 4", ipv4({.version_and_size = 0x44}, datagram), "malformed"));
    out.push_back(
        v4_sample("IPv4 version 5", ipv4({.version_and_size = 0x55}, datagram), "malformed"));
}

void add_ipv4_cuts(samples& out) {
    const auto udp_packet = v4_sample("IPv4 UDP", ipv4({}, udp(1000, 53000, counting(12))), "");
    out.push_back(cut(udp_packet, 39, "cut_short " + v4 + "17 1000 53000 - - 0"));
    out.push_back(cut(udp_packet, 24, "cut_short " + v4 + "17 1000 53000 - - 0"));
    out.push_back(cut(udp_packet, 23, "cut_short " + v4 + "17 - - - - 0"));
    out.push_back(cut(udp_packet, 20, "cut_short " + v4 + "17 - - - - 0"));
    out.push_back(cut(udp_packet, 19, "cut_short"));
    out.push_back(cut(udp_packet, 1, "cut_short"));
    const auto later =
        v4_sample("IPv4 fragment", ipv4({.fragment = 0x2001}, udp(1000, 53000, counting(12))), "");
    out.push_back(cut(later, 30, "later_fragment " + v4 + "17 - - - - 8"));
    const auto with_options =
        v4_sample("IPv4 with options",
                  ipv4({.options = octets(8, std::byte{1})}, udp(1000, 53000, counting(12))), "");
    out.push_back(cut(with_options, 22, "cut_short " + v4 + "17 - - - - 0"));
    out.push_back(cut(with_options, 32, "cut_short " + v4 + "17 1000 53000 - - 0"));
}

void add_ipv6_transports(samples& out) {
    const octets data = counting(12);
    out.push_back(v6_sample("IPv6 UDP", ipv6({}, udp(1000, 53000, data)),
                            "ip " + v6 + "17 1000 53000 - - 0"));
    out.push_back(v6_sample("IPv6 TCP", ipv6({.next_header = 6}, tcp(65535, 8, data)),
                            "ip " + v6 + "6 65535 8 - - 0"));
    out.push_back(v6_sample("IPv6 ICMPv6", ipv6({.next_header = 58}, icmp(1, 4)),
                            "ip " + v6 + "58 - - 1 4 0"));
    out.push_back(v6_sample("IPv6 ICMP has no ICMP type", ipv6({.next_header = 1}, icmp(8, 0)),
                            "ip " + v6 + "1 - - - - 0"));
    out.push_back(v6_sample("IPv6 without payload", ipv6({.next_header = 59}, {}),
                            "ip " + v6 + "59 - - - - 0"));
    out.push_back(v6_sample("IPv6 no next header, with octets", ipv6({.next_header = 59}, data),
                            "ip " + v6 + "59 - - - - 0"));
    out.push_back(v6_sample("IPv6 ESP", ipv6({.next_header = 50}, counting(24)),
                            "ip " + v6 + "50 - - - - 0"));
    out.push_back(v6_sample("IPv4 in IPv6, the outer one counts",
                            ipv6({.next_header = 4}, ipv4({}, udp(7, 8, data))),
                            "ip " + v6 + "4 - - - - 0"));
    out.push_back(v6_sample("IPv6 TCP of three octets", ipv6({.next_header = 6}, hex("010203")),
                            "ip " + v6 + "6 - - - - 0"));
    out.push_back(v6_sample(
        "IPv6 version 4", ipv6({.version_and_class = 0x40}, udp(1000, 53000, data)), "malformed"));
    out.push_back(v6_sample("IPv6 payload beyond the frame",
                            ipv6({.payload_length = 1000}, udp(1000, 53000, data)), "malformed"));
}

void add_ipv6_extensions(samples& out) {
    const octets datagram = udp(1000, 53000, counting(12));
    const std::string found = "ip " + v6 + "17 1000 53000 - - 0";
    const octets alert = hex("05020000");
    const octets binding = hex("0000 0000 0000");
    const auto add = [&](std::string name, std::uint8_t first, const octets& payload,
                         const std::string& expected) {
        out.push_back(v6_sample("IPv6 " + name, ipv6({.next_header = first}, payload), expected));
    };
    add("hop-by-hop", 0, extension(17, alert) + datagram, found);
    add("hop-by-hop and no next header", 0, extension(59, alert), "ip " + v6 + "59 - - - - 0");
    add("destination options", 60, extension(17, {}) + datagram, found);
    add("routing", 43, extension(17, hex("FD00 00000000") + octets(16)) + datagram, found);
    add("atomic fragment", 44, fragment_header(17, 0) + datagram, found);
    add("first fragment", 44, fragment_header(17, 1) + datagram, found);
    add("middle fragment", 44, fragment_header(17, 8 | 1) + datagram,
        "later_fragment " + v6 + "17 - - - - 8");
    add("last fragment", 44, fragment_header(60, 0xFFF8) + datagram,
        "later_fragment " + v6 + "60 - - - - 65528");
    add("AH", 51, hex("1104 0000 00000001 00000001 000000000000000000000000") + datagram, found);
    add("mobility alone", 135, extension(59, binding), "ip " + v6 + "135 - - - - 0");
    add("mobility with octets behind it", 135, extension(17, binding) + datagram,
        "ip " + v6 + "135 - - - - 0");
    add("host identity alone", 139, extension(59, hex("0121 0000 0000") + octets(32)),
        "ip " + v6 + "139 - - - - 0");
    add("shim6 control message", 140, extension(59, hex("4000 0000 0000") + octets(16)),
        "ip " + v6 + "140 - - - - 0");
    add("shim6 payload", 140, extension(17, hex("8000 00000000")) + datagram, found);
    add("all of them in a row", 0,
        extension(60, alert) + extension(43, {}) + extension(44, hex("FD00 00000000")) +
            fragment_header(60, 1) + extension(17, {}) + datagram,
        found);
    add("later fragment behind options", 0,
        extension(44, alert) + fragment_header(17, 80) + datagram,
        "later_fragment " + v6 + "17 - - - - 80");
    add("extension header that does not fit", 60, hex("110a") + octets(10),
        "ip " + v6 + "60 - - - - 0");
    add("extension header of seven octets", 60, hex("1100 0104 000000"),
        "ip " + v6 + "60 - - - - 0");
    add("upper layer that does not fit", 0, extension(6, alert) + hex("0102"),
        "ip " + v6 + "6 - - - - 0");
    octets chain;
    for (int i = 0; i < 64; ++i)
        chain = chain + extension(60, {});
    add("65 destination options", 60, chain + extension(17, {}) + datagram, found);
}

void add_jumbograms(samples& out) {
    const octets jumbo_start = ipv6({.next_header = 0, .payload_length = 0},
                                    extension(17, hex("C204 000186A8")) + udp(1000, 53000));
    // 100,008 octets of payload, of which 8 + 8 are there.
    const octets jumbo = jumbo_start + octets(100'008 - 16);
    out.push_back(v6_sample("IPv6 jumbogram", jumbo, "ip " + v6 + "17 1000 53000 - - 0"));
    const auto sample = out.back();
    out.push_back(cut(sample, 200, "cut_short " + v6 + "17 1000 53000 - - 0"));
    // The option is not there; the packet is as long as the link says.
    out.push_back(taking_all(cut(sample, 46, "cut_short " + v6 + "0 - - - - 0")));
    out.push_back(v6_sample("IPv6 jumbogram beyond the frame", jumbo_start, "malformed"));
    out.push_back(v6_sample("IPv6 jumbogram that needs to be none",
                            ipv6({.next_header = 0, .payload_length = 0},
                                 extension(17, hex("C204 00000010")) + udp(1000, 53000)),
                            "malformed"));
    // Without the option, or with one that does not fit, there is nothing behind the header.
    for (const char* options : {"0502 0000", "00 00 C2 05 00 00 00", "00 C2 04 00 01 00"}) {
        auto empty = v6_sample(std::string("IPv6 payload length 0 with options ") + options,
                               ipv6({.next_header = 0, .payload_length = 0},
                                    extension(17, hex(options)) + udp(1000, 53000)),
                               "ip " + v6 + "0 - - - - 0");
        empty.total_length = 40;
        out.push_back(std::move(empty));
    }
    auto bare = v6_sample("IPv6 payload length 0 and half a header behind it",
                          ipv6({.next_header = 0, .payload_length = 0}, hex("1105 0000")),
                          "ip " + v6 + "0 - - - - 0");
    bare.total_length = 40;
    bare.takes_all_of_the_link = true;
    out.push_back(std::move(bare));
    auto no_tcp = v6_sample("IPv6 TCP with payload length 0",
                            ipv6({.next_header = 6, .payload_length = 0}, tcp(1000, 80)),
                            "ip " + v6 + "6 - - - - 0");
    no_tcp.total_length = 40;
    out.push_back(std::move(no_tcp));
}

void add_ipv6_cuts(samples& out) {
    const auto udp_packet = v6_sample("IPv6 UDP", ipv6({}, udp(1000, 53000, counting(12))), "");
    out.push_back(cut(udp_packet, 59, "cut_short " + v6 + "17 1000 53000 - - 0"));
    out.push_back(cut(udp_packet, 43, "cut_short " + v6 + "17 - - - - 0"));
    out.push_back(cut(udp_packet, 40, "cut_short " + v6 + "17 - - - - 0"));
    out.push_back(cut(udp_packet, 39, "cut_short"));
    const auto extended = v6_sample(
        "IPv6 hop-by-hop",
        ipv6({.next_header = 0}, extension(17, hex("05020000")) + udp(1000, 53000, counting(12))),
        "");
    out.push_back(cut(extended, 47, "cut_short " + v6 + "0 - - - - 0"));
    out.push_back(cut(extended, 48, "cut_short " + v6 + "17 - - - - 0"));
    const auto later = v6_sample(
        "IPv6 fragment", ipv6({.next_header = 44}, fragment_header(17, 80) + counting(40)), "");
    out.push_back(cut(later, 60, "later_fragment " + v6 + "17 - - - - 80"));
}

} // namespace

std::vector<packet_sample> packet_samples() {
    samples out;
    add_ipv4_transports(out);
    add_ipv4_headers(out);
    add_ipv4_cuts(out);
    add_ipv6_transports(out);
    add_ipv6_extensions(out);
    add_jumbograms(out);
    add_ipv6_cuts(out);
    return out;
}

} // namespace flowtap::test
