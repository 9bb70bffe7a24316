// SPDX-License-Identifier: Apache-2.0
#include "route_messages.hpp"

#include <bit>

#include <doctest/doctest.h>

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "hex.hpp"

// What begins with a length and goes on with 1800, 1000 or 1c00 was recorded from Linux 6.18 on a
// little-endian machine; the same messages look different on others.

using namespace flowtap;
using namespace flowtap::deliver::detail;
using namespace flowtap::deliver::test;

namespace {

ip_address address(const char* text) {
    return parse_ip_address(text).value();
}

netlink_message message_in(const octets& from) {
    netlink_message made;
    netlink_walk walk(from);
    REQUIRE(walk.next(made));
    return made;
}

bool has_recordings() {
    return std::endian::native == std::endian::little;
}

const char* const via_gateway =
    "7c0000001800000007000000ff6f0000 02200000fe00000100020000 08000f00fe000000 08000100c6336405"
    "0800040003000000 08000700c0000201 08000500c0000209 0c000800 0800020078050000 0800190000000000"
    "24000c00 0200000000000000000000000000000000000000000000000000000000000000";
const char* const on_link =
    "680000001800000007000000ff6f0000 02200000fe00000100020000 08000f00fe000000 08000100c0000207"
    "0800040003000000 08000700c0000201 0800190000000000"
    "24000c00 0200000000000000000000000000000000000000000000000000000000000000";
const char* const over_ipv6 =
    "b00000001800000007000000ff6f0000 0a808000fe03000100000000 08000f00fe000000"
    "1400010020010db8000100000000000000000005 1400020000000000000000000000000000000000"
    "1400070020010db8000000000000000000000001 0800060000040000"
    "1400050020010db8000000000000000000000009 0800040003000000"
    "24000c00 0000000000000000000000000000000000000000000000000000000000000000 0500140000000000";
const char* const to_itself =
    "680000001800000007000000ff6f0000 02200000fe00000200020080 08000f00fe000000 080001007f000001"
    "0800040001000000 080007007f000001 0800190000000000"
    "24000c00 0200000000000000000000000000000000000000000000000000000000000000";
const char* const refused =
    "380000000200000007000000ff6f0000 eaffffff 240000001a000100070000000000000002200000000000000000"
    "0000 08000100cb007101";
const char* const ethernet_link =
    "500000001000000007000000ff6f0000 0000010003000000 4310010000000000 0700030076300000"
    "08000d00e8030000 08000400dc050000 0a00010002000000000100 00 0a000200ffffffffffff0000";
const char* const loopback_link =
    "500000001000000007000000ff6f0000 0000040301000000 4900010000000000 070003006c6f0000"
    "08000d00e8030000 0800040000000100 0a00010000000000000000 00 0a0002000000000000000000";
const char* const neighbour =
    "4c0000001c00000007000000ff6f0000 020000000300000002000001 08000100c0000209"
    "0a00020002000000000900 00 0800040000000000 140003000100000001000000010000000200 0000";

} // namespace

TEST_CASE("the system's answers about routes are read as they were recorded") {
    if (!has_recordings())
        return;
    const route_state gateway =
        read_route(message_in(from_hex(via_gateway)), address("198.51.100.5"));
    CHECK(gateway.what == route_state::kind::unicast);
    CHECK(gateway.device == 3);
    CHECK(gateway.next_hop == address("192.0.2.9"));
    CHECK(gateway.source == address("192.0.2.1"));
    CHECK(gateway.mtu == 1400);
    const route_state link = read_route(message_in(from_hex(on_link)), address("192.0.2.7"));
    CHECK(link.what == route_state::kind::unicast);
    CHECK(link.next_hop == address("192.0.2.7"));
    CHECK(link.mtu == 0);
    const route_state ipv6 = read_route(message_in(from_hex(over_ipv6)), address("2001:db8:1::5"));
    CHECK(ipv6.what == route_state::kind::unicast);
    CHECK(ipv6.next_hop == address("2001:db8::9"));
    CHECK(ipv6.source == address("2001:db8::1"));
    CHECK(read_route(message_in(from_hex(to_itself)), address("127.0.0.1")).what ==
          route_state::kind::other);
    CHECK(read_route(message_in(from_hex(refused)), address("203.0.113.1")).what ==
          route_state::kind::none);
}

TEST_CASE("the system's answers about devices and neighbours are read as they were recorded") {
    if (!has_recordings())
        return;
    const mac_address mac{std::byte{2}, {}, {}, {}, {}, std::byte{1}};
    const link_state link = read_link(message_in(from_hex(ethernet_link)));
    CHECK(link == link_state{3, true, true, true, mac, 1500});
    const link_state loopback = read_link(message_in(from_hex(loopback_link)));
    CHECK(loopback.index == 1);
    CHECK_FALSE(loopback.is_ethernet);
    const neighbour_state known = read_neighbour(message_in(from_hex(neighbour)));
    CHECK(known.what == neighbour_state::kind::confirmed);
    CHECK(known.address.back() == std::byte{9});
    const network_event event = read_event(message_in(from_hex(neighbour)));
    CHECK(event.what == network_event::kind::neighbour);
    CHECK(event.device == 3);
    CHECK(event.address == address("192.0.2.9"));
    CHECK(event.neighbour == known);
}

TEST_CASE("messages cut short at any octet are read as far as they go and never further") {
    for (const char* each : {via_gateway, on_link, over_ipv6, to_itself, refused, ethernet_link,
                             loopback_link, neighbour}) {
        const octets whole = from_hex(each);
        for (std::size_t size = 0; size <= whole.size(); ++size) {
            // The header's length says what is there; attributes are cut off.
            octets cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
            if (size >= sizeof(nlmsghdr)) {
                const auto length = static_cast<std::uint32_t>(size);
                std::memcpy(cut.data(), &length, sizeof length);
            }
            netlink_walk walk(cut);
            netlink_message message;
            CHECK(walk.next(message) == (size >= sizeof(nlmsghdr)));
            read_event(message);
            read_route(message, address("192.0.2.1"));
            read_link(message);
            read_neighbour(message);
            // The header's length says more than is there.
            if (size < whole.size()) {
                const octets lying(whole.begin(),
                                   whole.begin() + static_cast<std::ptrdiff_t>(size));
                netlink_walk over(lying);
                CHECK_FALSE(over.next(message));
                CHECK(over.good() == (size == 0));
            }
        }
    }
}

TEST_CASE("changes of routes name the destinations they concern") {
    const auto event_of = [](std::uint16_t type, std::uint8_t of, std::uint8_t length,
                             std::optional<ip_address> prefix, std::uint32_t flags = 0) {
        rtmsg body{};
        body.rtm_family = of;
        body.rtm_dst_len = length;
        body.rtm_flags = flags;
        netlink_request made(type, 1, body);
        if (prefix) {
            const auto octets = prefix->bytes();
            made.add(RTA_DST, std::span(octets).first(prefix->size()));
        }
        netlink_message message;
        netlink_walk walk(made.octets());
        REQUIRE(walk.next(message));
        return read_event(message);
    };
    const network_event one = event_of(RTM_NEWROUTE, AF_INET, 24, address("192.0.2.0"));
    CHECK(one.what == network_event::kind::routes);
    CHECK(one.prefix == ip_prefix{address("192.0.2.0"), 24});
    const network_event all = event_of(RTM_DELROUTE, AF_INET6, 0, {});
    CHECK(all.prefix == ip_prefix{address("::"), 0});
    // A length that no address has, and an address of the other family, stand for everything.
    CHECK(event_of(RTM_NEWROUTE, AF_INET, 33, address("192.0.2.0")).prefix.length == 0);
    CHECK(event_of(RTM_NEWROUTE, AF_INET, 24, address("2001:db8::")).prefix.length == 0);
    CHECK(event_of(RTM_NEWROUTE, AF_INET, 32, address("192.0.2.0"), RTM_F_CLONED).what ==
          network_event::kind::nothing);
    CHECK(event_of(RTM_NEWROUTE, AF_BRIDGE, 0, {}).what == network_event::kind::nothing);
    CHECK(event_of(RTM_NEWRULE, AF_INET, 0, {}).what == network_event::kind::anything);
    CHECK(event_of(RTM_NEWADDR, AF_INET, 0, {}).what == network_event::kind::anything);
    CHECK(event_of(RTM_NEWQDISC, AF_INET, 0, {}).what == network_event::kind::nothing);
}

TEST_CASE("only the states in which the system would use a neighbour's address make it known") {
    const auto state_of = [](std::uint16_t state, std::size_t octets = 6) {
        ndmsg body{};
        body.ndm_family = AF_INET;
        body.ndm_ifindex = 3;
        body.ndm_state = state;
        netlink_request made(RTM_NEWNEIGH, 1, body);
        const std::array<std::byte, 20> address{std::byte{2}};
        made.add(NDA_LLADDR, std::span(address).first(octets));
        netlink_message message;
        netlink_walk walk(made.octets());
        REQUIRE(walk.next(message));
        return read_neighbour(message).what;
    };
    using kind = neighbour_state::kind;
    CHECK(state_of(NUD_PERMANENT) == kind::fixed);
    CHECK(state_of(NUD_NOARP) == kind::fixed);
    CHECK(state_of(NUD_REACHABLE) == kind::confirmed);
    for (const int state : {NUD_STALE, NUD_DELAY, NUD_PROBE})
        CHECK(state_of(static_cast<std::uint16_t>(state)) == kind::uncertain);
    for (const int state : {NUD_NONE, NUD_INCOMPLETE, NUD_FAILED})
        CHECK(state_of(static_cast<std::uint16_t>(state)) == kind::unknown);
    // An InfiniBand address is none that fits into an Ethernet header.
    CHECK(state_of(NUD_REACHABLE, 20) == kind::unknown);
}

TEST_CASE("requests have the form that the system reads") {
    const netlink_request made = ask_for_route(address("2001:db8::5"), 0x42, 7, 9);
    netlink_message message;
    netlink_walk walk(made.octets());
    REQUIRE(walk.next(message));
    CHECK(walk.good());
    CHECK(message.type == RTM_GETROUTE);
    CHECK(message.sequence == 9);
    const auto body = load_native<rtmsg>(message.body);
    CHECK(body.rtm_family == AF_INET6);
    CHECK(body.rtm_dst_len == 128);
    attribute_walk each(message.body.subspan(sizeof body));
    attribute_walk::attribute one;
    REQUIRE(each.next(one));
    CHECK(one.type == RTA_DST);
    CHECK(ip_address::from_bytes(one.value) == address("2001:db8::5"));
    REQUIRE(each.next(one));
    CHECK(one.type == RTA_MARK);
    CHECK(one.number() == 0x42);
    REQUIRE(each.next(one));
    CHECK(one.type == RTA_OIF);
    CHECK(one.number() == 7);
    CHECK_FALSE(each.next(one));
}
