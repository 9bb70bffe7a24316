// SPDX-License-Identifier: Apache-2.0
#include <flowtap/packet/segmentation.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "builder.hpp"

using namespace flowtap;
using namespace flowtap::packet;
using namespace flowtap::test;

namespace {

constexpr std::uint8_t fin = 0x01;
constexpr std::uint8_t psh = 0x08;
constexpr std::uint8_t ack = 0x10;
constexpr std::uint8_t ece = 0x40;
constexpr std::uint8_t cwr = 0x80;

constexpr std::uint32_t first_sequence = 0xFFFF'FF00;

enum class checksum { right, partial, none };

/// What stands in front of an IP packet.
octets link_header(int tags, bool is_ipv4) {
    octets made = hex("020000000001 020000000002");
    for (int i = 0; i < tags; ++i)
        made = made + (i == 0 ? hex("88a8 0065") : hex("8100 2066"));
    return made + (is_ipv4 ? hex("0800") : hex("86dd"));
}

octets addresses(bool is_ipv4) {
    return is_ipv4 ? hex("c0000201 c6336402")
                   : hex("20010db8000000000000000000000001 20010db8ffff00000000000000000002");
}

/// The sum of a pseudo-header, not complemented.
std::uint16_t pseudo_sum(bool is_ipv4, std::uint8_t protocol, std::size_t length) {
    const octets header =
        addresses(is_ipv4) + u32(static_cast<std::uint32_t>(length)) + u32(protocol);
    return static_cast<std::uint16_t>(~plain_checksum(header));
}

void put_checksum(octets& segment, std::size_t at, bool is_ipv4, std::uint8_t protocol,
                  checksum how) {
    if (how == checksum::none)
        return;
    std::uint16_t value = pseudo_sum(is_ipv4, protocol, segment.size());
    if (how == checksum::right)
        value = plain_checksum(u16(value) + segment);
    const octets field = u16(value == 0 && protocol == 17 ? std::uint16_t{0xFFFF} : value);
    std::ranges::copy(field, segment.begin() + static_cast<std::ptrdiff_t>(at));
}

octets tcp_segment(bool is_ipv4, std::uint32_t sequence, std::uint8_t flags, const octets& payload,
                   checksum how) {
    octets made = u16(1000) + u16(2000) + u32(sequence) + u32(77) + u8(0x80) + u8(flags) +
                  u16(500) + u16(0) + u16(0) + hex("0101080a 00000001 00000002") + payload;
    put_checksum(made, 16, is_ipv4, 6, how);
    return made;
}

octets udp_segment(bool is_ipv4, const octets& payload, checksum how) {
    octets made = u16(1000) + u16(2000) + u16(static_cast<std::uint16_t>(8 + payload.size())) +
                  u16(0) + payload;
    put_checksum(made, 6, is_ipv4, 17, how);
    return made;
}

octets network(bool is_ipv4, std::uint8_t protocol, std::uint16_t identification,
               const octets& payload) {
    if (is_ipv4)
        return ipv4({.protocol = protocol,
                     .type_of_service = 0x02,
                     .identification = identification,
                     .fragment = 0x4000},
                    payload);
    return ipv6({.next_header = protocol}, payload);
}

octets part(const octets& whole, std::size_t at, std::size_t size) {
    const auto begin = whole.begin() + static_cast<std::ptrdiff_t>(at);
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

struct scenario {
    const char* name;
    bool is_ipv4;
    bool is_tcp;
    int tags; ///< -1: raw IP
    std::size_t payload;
    std::uint16_t step;
    std::uint8_t flags = ack;
    bool cwr_in_first_only = false;
    std::uint16_t identification = 100;
    checksum how = checksum::partial;
};

octets packet_of(const scenario& s, std::size_t at, std::size_t size, std::size_t index,
                 std::uint8_t flags, checksum how) {
    const octets all = counting(s.payload);
    const octets payload = part(all, at, size);
    const octets transport =
        s.is_tcp ? tcp_segment(s.is_ipv4, static_cast<std::uint32_t>(first_sequence + at), flags,
                               payload, how)
                 : udp_segment(s.is_ipv4, payload, how);
    const auto identification = static_cast<std::uint16_t>(s.identification + index);
    const octets ip = network(s.is_ipv4, s.is_tcp ? 6 : 17, identification, transport);
    return s.tags < 0 ? ip : link_header(s.tags, s.is_ipv4) + ip;
}

/// What the receiving host is to see.
std::vector<octets> expected(const scenario& s) {
    std::vector<octets> made;
    const checksum how = s.how == checksum::none ? checksum::none : checksum::right;
    for (std::size_t at = 0; at < s.payload; at += s.step) {
        const std::size_t size = std::min<std::size_t>(s.step, s.payload - at);
        std::uint8_t flags = s.flags;
        if (at + size < s.payload)
            flags &= static_cast<std::uint8_t>(~(fin | psh));
        if (at != 0 && s.cwr_in_first_only)
            flags &= static_cast<std::uint8_t>(~cwr);
        made.push_back(packet_of(s, at, size, made.size(), flags, how));
    }
    return made;
}

segmentation how_of(const scenario& s) {
    segmentation how;
    how.what = !s.is_tcp ? super_packet::udp
                         : (s.is_ipv4 ? super_packet::tcp_ipv4 : super_packet::tcp_ipv6);
    how.payload = s.step;
    how.cwr_in_first_only = s.cwr_in_first_only;
    how.checksum_is_partial = s.how == checksum::partial;
    return how;
}

octets super_packet_of(const scenario& s) {
    return packet_of(s, 0, s.payload, 0, s.flags, s.how);
}

link_type link_of(const scenario& s) {
    return s.tags < 0 ? link_type::raw : link_type::ethernet;
}

std::vector<octets> take_apart(link_type link, const octets& frame, const segmentation& how) {
    auto pieces = segmenter::make(link, frame, how);
    REQUIRE(pieces);
    std::vector<octets> made;
    while (pieces->next_size() != 0) {
        octets piece(pieces->next_size());
        REQUIRE(pieces->next(std::span(piece).first(piece.size() - 1)) == 0);
        REQUIRE(pieces->next(piece) == piece.size());
        made.push_back(piece);
    }
    octets none(70'000);
    CHECK(pieces->next(none) == 0);
    return made;
}

const std::vector<scenario> scenarios{
    {"TCP over IPv4", true, true, 0, 4000, 1448},
    {"TCP over IPv6", false, true, 0, 4000, 1428},
    {"UDP over IPv4", true, false, 0, 4000, 1200},
    {"UDP over IPv6", false, false, 0, 4000, 1200},
    {"one tag", true, true, 1, 4000, 1448},
    {"two tags", false, true, 2, 4000, 1428},
    {"UDP behind a tag", true, false, 1, 2401, 1200},
    {"raw IPv4", true, true, -1, 4000, 1000},
    {"raw IPv6", false, false, -1, 4000, 1000},
    {"no remainder", true, true, 0, 3000, 1000},
    {"one octet remains", true, true, 0, 3001, 1000},
    {"odd payloads", true, true, 0, 4000, 999},
    {"one packet", true, true, 0, 500, 1448, ack | psh | fin},
    {"FIN and PSH", true, true, 0, 4000, 1448, ack | psh | fin},
    {"CWR once", true, true, 0, 4000, 1448, ack | psh | cwr, true},
    {"CWR in all", true, true, 0, 4000, 1448, ack | psh | cwr | ece, false},
    {"identifications wrap", true, true, 0, 4000, 1000, ack, false, 0xFFFE},
    {"a checksum that is there", true, true, 0, 4000, 1448, ack, false, 100, checksum::right},
    {"a checksum of UDP that is there", false, false, 0, 4000, 1200, ack, false, 100,
     checksum::right},
    {"no checksum", true, false, 0, 4000, 1200, ack, false, 100, checksum::none},
    {"as long as can be", true, true, 0, 65'535 - 52, 1448},
    {"one octet each", true, true, 0, 300, 1},
};

} // namespace

TEST_CASE("a super-packet becomes the packets that the receiving host sees") {
    for (const scenario& each : scenarios) {
        CAPTURE(each.name);
        const auto got = take_apart(link_of(each), super_packet_of(each), how_of(each));
        const auto wanted = expected(each);
        REQUIRE(got.size() == wanted.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
            CAPTURE(i);
            CHECK(to_hex(got[i]) == to_hex(wanted[i]));
        }
    }
}

TEST_CASE("checksums whose sum comes to zero are written as Linux has them") {
    // Every checksum there is, by way of the last two octets of the payload.
    int zeros = 0;
    for (const bool is_tcp : {true, false}) {
        const scenario s{"", true, is_tcp, 0, 8, 8};
        octets frame = super_packet_of(s);
        for (std::uint32_t value = 0; value <= 0xFFFF; ++value) {
            const octets last = u16(static_cast<std::uint16_t>(value));
            std::ranges::copy(last, frame.end() - 2);
            auto pieces = segmenter::make(link_type::ethernet, frame, how_of(s));
            octets piece(pieces->next_size());
            pieces->next(piece);
            const std::size_t at = 14 + 20 + (is_tcp ? 16 : 6);
            const octets field = part(piece, at, 2);
            if (is_tcp)
                zeros += field == u16(0);
            else
                REQUIRE(field != u16(0));
        }
    }
    // Both words that stand for zero in one's complement.
    CHECK(zeros >= 1);
}

TEST_CASE("super-packets of more than 64 KiB say no length, or in a jumbo payload option") {
    constexpr std::size_t size = 150'000;
    constexpr std::uint16_t step = 1428;
    for (const int kind : {0, 1, 2}) {
        CAPTURE(kind);
        const scenario s{"", kind == 0, true, 1, size, step, ack | psh};
        const octets transport =
            tcp_segment(s.is_ipv4, first_sequence, s.flags, counting(size), checksum::partial);
        octets ip;
        if (kind == 0)
            ip = ipv4({.protocol = 6,
                       .type_of_service = 0x02,
                       .identification = s.identification,
                       .fragment = 0x4000,
                       .total_length = 0},
                      transport);
        else if (kind == 1)
            ip = ipv6({.next_header = 6, .payload_length = 0}, transport);
        else
            ip = ipv6({.next_header = 0, .payload_length = 0},
                      hex("0600 c204") + u32(static_cast<std::uint32_t>(8 + transport.size())) +
                          transport);
        const auto got = take_apart(link_type::ethernet, link_header(1, s.is_ipv4) + ip, how_of(s));
        CHECK(got == expected(s));
    }
}

TEST_CASE("extension headers are repeated in each packet") {
    const octets options = extension(6, hex("01020000"));
    const octets payload = counting(3000);
    const auto packet = [&](std::uint32_t at, std::size_t size, std::uint8_t flags, checksum how) {
        return link_header(0, false) +
               ipv6({.next_header = 60}, options + tcp_segment(false, first_sequence + at, flags,
                                                               part(payload, at, size), how));
    };
    segmentation how{super_packet::tcp_ipv6, 1400, false, true};
    for (const auto sum : {checksum::partial, checksum::right}) {
        how.checksum_is_partial = sum == checksum::partial;
        const auto got = take_apart(link_type::ethernet, packet(0, 3000, ack | psh, sum), how);
        CHECK(got == std::vector{packet(0, 1400, ack, checksum::right),
                                 packet(1400, 1400, ack, checksum::right),
                                 packet(2800, 200, ack | psh, checksum::right)});
    }
}

TEST_CASE("what is no such super-packet is not split") {
    const scenario tcp4{"", true, true, 0, 3000, 1000};
    const octets frame = super_packet_of(tcp4);
    const segmentation how = how_of(tcp4);
    REQUIRE(segmenter::make(link_type::ethernet, frame, how));

    struct change {
        const char* name;
        std::size_t at;
        const char* octets;
    };
    for (const change& each :
         {change{"another protocol", 23, "11"}, change{"IP in IP", 23, "04"},
          change{"ARP", 12, "0806"}, change{"the type of IPv6", 12, "86dd"},
          change{"version 6", 14, "65"}, change{"a header of 16 octets", 14, "44"},
          change{"more fragments", 20, "2000"}, change{"a later fragment", 20, "0001"},
          change{"a wrong total length", 16, "0bff"}, change{"no total length", 16, "0000"},
          change{"a TCP header of 16 octets", 46, "40"}}) {
        CAPTURE(each.name);
        octets changed = frame;
        std::ranges::copy(hex(each.octets), changed.begin() + static_cast<std::ptrdiff_t>(each.at));
        CHECK_FALSE(segmenter::make(link_type::ethernet, changed, how));
    }
    segmentation other = how;
    other.what = super_packet::tcp_ipv6;
    CHECK_FALSE(segmenter::make(link_type::ethernet, frame, other));
    other.what = super_packet::udp;
    CHECK_FALSE(segmenter::make(link_type::ethernet, frame, other));
    other = how;
    other.payload = 0;
    CHECK_FALSE(segmenter::make(link_type::ethernet, frame, other));
    CHECK_FALSE(segmenter::make(link_type::linux_cooked, frame, how));
    CHECK_FALSE(segmenter::make(link_type::raw, {}, how));
}

TEST_CASE("frames that end early are not split") {
    for (const scenario& each : scenarios) {
        CAPTURE(each.name);
        const octets frame = super_packet_of(each);
        const std::size_t headers = std::min<std::size_t>(frame.size(), 120);
        for (std::size_t size = 0; size < headers; ++size) {
            const octets cut = part(frame, 0, size);
            CHECK_FALSE(segmenter::make(link_of(each), cut, how_of(each)));
        }
    }
}

TEST_CASE(
    "a UDP length that is not the packet's, and IPv6 headers that hide the protocol, are refused") {
    const scenario udp4{"", true, false, 0, 3000, 1000};
    octets frame = super_packet_of(udp4);
    frame[14 + 20 + 5] ^= std::byte{1};
    CHECK_FALSE(segmenter::make(link_type::ethernet, frame, how_of(udp4)));

    const segmentation how{super_packet::tcp_ipv6, 1000, false, true};
    const octets segment = tcp_segment(false, 1, ack, counting(1500), checksum::partial);
    const auto behind = [&](std::uint8_t type, const octets& header) {
        return link_header(0, false) + ipv6({.next_header = type}, header + segment);
    };
    CHECK(segmenter::make(link_type::ethernet, behind(60, extension(6, {})), how));
    CHECK(segmenter::make(link_type::ethernet, behind(43, extension(6, {})), how));
    CHECK_FALSE(segmenter::make(link_type::ethernet, behind(44, fragment_header(6, 1)), how));
    CHECK_FALSE(segmenter::make(link_type::ethernet, behind(51, extension(6, {})), how));
    CHECK_FALSE(segmenter::make(link_type::ethernet, behind(60, hex("06ff000000000000")), how));
    // Whose destination is in the pseudo-header cannot be told.
    segmentation computed = how;
    computed.checksum_is_partial = false;
    CHECK_FALSE(segmenter::make(link_type::ethernet, behind(43, extension(6, {})), computed));
}

TEST_CASE("a checksum that was left to the hardware is completed") {
    for (const bool is_tcp : {true, false}) {
        for (const bool is_ipv4 : {true, false}) {
            const scenario s{"", is_ipv4, is_tcp, 0, 101, 1000};
            octets frame = super_packet_of(s);
            const std::size_t start = is_ipv4 ? 34 : 54;
            CHECK(complete_checksum(frame, start, is_tcp ? 16 : 6));
            CHECK(to_hex(frame) == to_hex(expected(s).front()));
        }
    }
    octets zero = hex("0000 ffff 0000");
    CHECK(complete_checksum(zero, 0, 4));
    CHECK(zero == hex("0000 ffff ffff"));
}

TEST_CASE("a checksum outside the frame is not completed") {
    octets frame(20);
    const octets before = frame;
    for (const auto& [start, offset] :
         std::vector<std::pair<std::size_t, std::size_t>>{{0, 19},
                                                          {19, 0},
                                                          {20, 0},
                                                          {21, 0},
                                                          {0, 20},
                                                          {10, 9},
                                                          {0xFFFF, 0xFFFF},
                                                          {0, SIZE_MAX}}) {
        CAPTURE(start);
        CAPTURE(offset);
        CHECK_FALSE(complete_checksum(frame, start, offset));
    }
    CHECK(frame == before);
    CHECK(complete_checksum(frame, 18, 0));
}
