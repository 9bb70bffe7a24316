// SPDX-License-Identifier: Apache-2.0
// From the request to the copy.
#include <doctest/doctest.h>

#include "rig.hpp"
#include "traffic.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

std::string add_to_port(std::string_view filter, int port) {
    return "ADD DTCP/0.7\nFlags: STATIC\nCdest-ID: cd1\n"
           "X-JTap-Cdest-Dest-Address: 192.0.2.5\nX-JTap-Cdest-Dest-Port: " +
           std::to_string(port) +
           "\nX-JTap-Cdest-Source-Address: 198.51.100.9\nX-JTap-Cdest-Source-Port: 4000\n" +
           std::string(filter);
}

} // namespace

TEST_CASE("a criterion copies what it matches, in the encapsulation that was asked for") {
    rig at;
    wire on(at.path);
    const tap::session_id session = at.open("lea1");
    CHECK(on.pass(udp_packet(1)) == 0);
    at.ask(session, "lea1", add_to_port("Dest-Address: 10.0.0.1\nX-JTap-Cdest-TTL: 7\n", 2300));
    CHECK(on.pass(udp_packet(2)) == 0);
    REQUIRE(on.pass(udp_packet(1)) == 1);
    const auto& copy = on.sink->delivered.back();
    CHECK(to_string(copy.around.source) == "198.51.100.9:4000");
    CHECK(to_string(copy.around.destination) == "192.0.2.5:2300");
    CHECK(copy.around.ttl == 7);
    CHECK(copy.packet == udp_packet(1));
}

TEST_CASE("a control source gets one copy of a packet at each of its content destinations") {
    rig at;
    wire on(at.path);
    const tap::session_id one = at.open("lea1");
    const tap::session_id other = at.open("lea3");
    at.ask(one, "lea1", add_to_port("Dest-Address: 10.0.0.1\n", 1));
    at.ask(one, "lea1", add_to_port("Dest-Address: 10.0.0.0/24\nX-JTap-Cdest-TTL: 9\n", 1));
    at.ask(one, "lea1", add_to_port("Protocol: 17\n", 2));
    at.ask(other, "lea3", add_to_port("Dest-Address: 10.0.0.1\n", 1));
    CHECK(on.pass(udp_packet(1)) == 3);
    CHECK(on.pass(udp_packet(2)) == 2);

    const std::string listed = at.ask(one, "lea1", "LIST DTCP/0.7\nFlags: Stats\n");
    CHECK(value_of(listed, "MATCHING-PACKETS") == "1");
    CHECK(value_of(listed.substr(listed.find("CRITERIA-ID: 2")), "MATCHING-PACKETS") == "2");
    CHECK(value_of(listed.substr(listed.find("CRITERIA-ID: 2")), "MATCHING-BYTES") == "200");
}

TEST_CASE("an ADD to two destinations copies to both") {
    rig at;
    wire on(at.path);
    at.ask(at.open("lea1"), "lea1",
           "ADD DTCP/0.7\nFlags: STATIC\nCdest-ID: a,b\n"
           "X-JTap-Cdest-Dest-Address: 192.0.2.5,192.0.2.6\nX-JTap-Cdest-Dest-Port: 1,2\n"
           "X-JTap-Cdest-Source-Address: 198.51.100.9\nX-JTap-Cdest-Source-Port: 4000\n");
    CHECK(on.pass(udp_packet(1)) == 2);
}

TEST_CASE("scopes look at their interfaces in their direction") {
    rig at;
    wire on(at.path);
    const tap::session_id session = at.open("lea1");
    at.ask(session, "lea1", add_to_port("", 1));
    at.ask(session, "lea1", add_to_port("X-JTap-Input-Interface: ge-0/0/1\n", 2));
    at.ask(session, "lea1", add_to_port("X-JTap-Output-Interface: ge-0/0/1\n", 3));
    at.ask(session, "lea1", add_to_port("X-JTap-VRF-Name: cust-a\n", 4));
    CHECK(on.pass(udp_packet(1)) == 1);
    on.source->port = port_id{1};
    CHECK(on.pass(udp_packet(1)) == 2);
    on.source->way = direction::egress;
    REQUIRE(on.pass(udp_packet(1)) == 1);
    CHECK(on.sink->delivered.back().around.destination.port == 3);
}

TEST_CASE("the access point's own services are never tapped") {
    tap::settings with = usual_settings();
    with.own_services = {{17, {parse_ip_address("10.0.0.1").value(), 53}}};
    rig at(with);
    wire on(at.path);
    at.ask(at.open("lea1"), "lea1", add_to_port("", 1));
    CHECK(on.pass(udp_packet(1)) == 0);
    CHECK(on.pass(udp_packet(2)) == 1);
}

namespace {

std::string add_frames(std::string_view interface, int port) {
    std::string request = add_to_port("X-JTap-Filter-Family: ccc\n", port);
    request += std::string(interface);
    return request.replace(request.find("0.7"), 3, "0.8");
}

std::vector<std::byte> in_ethernet(const std::vector<std::byte>& packet, std::uint16_t type) {
    constexpr std::size_t header = 14;
    std::vector<std::byte> made(header + packet.size());
    store_big_endian(std::span(made).subspan(12, 2), type);
    std::ranges::copy(packet, std::span(made).subspan(header).begin());
    return made;
}

} // namespace

TEST_CASE("whole frames of named interfaces are copied where that was asked for") {
    tap::settings with = usual_settings();
    with.families.insert(family::ccc);
    rig at(with);
    wire on(at.path);
    on.source->link = packet::link_type::ethernet;
    const tap::session_id session = at.open("lea1");
    at.ask(session, "lea1", add_frames("X-JTap-Input-Interface: ge-0/0/1\n", 1));
    const auto arp = in_ethernet(std::vector<std::byte>(46), 0x0806);
    const auto ip = in_ethernet(udp_packet(1), 0x0800);
    CHECK(on.pass(arp) == 0);
    on.source->port = port_id{1};
    REQUIRE(on.pass(arp) == 1);
    CHECK(on.sink->delivered.back().packet == arp);
    CHECK(on.sink->delivered.back().around.dscp == 0);
    // A frame and the packet in it are two things, at one content destination too.
    at.ask(session, "lea1", add_to_port("Dest-Address: 10.0.0.1\n", 1));
    CHECK(at.point.state().content_destinations == 2);
    REQUIRE(on.pass(ip) == 2);
    CHECK(on.sink->delivered.end()[-2].packet == ip);
    CHECK(on.sink->delivered.back().packet == udp_packet(1));

    const std::string listed = at.ask(session, "lea1", "LIST DTCP/0.8\n");
    CHECK(value_of(listed, "X-JTAP-FILTER-FAMILY") == "ccc");
    CHECK(value_of(listed, "X-JTAP-INPUT-INTERFACE") == "ge-0/0/1");
    CHECK(value_of(listed, "MATCHING-PACKETS") == "2");
    CHECK(value_of(listed, "MATCHING-BYTES") == std::to_string(arp.size() + ip.size()));
    at.ask(session, "lea1", "DELETE DTCP/0.8\nCriteria-ID: 1\nFlags: STATIC\n");
    CHECK(on.pass(arp) == 0);
    CHECK(on.pass(ip) == 1);
}

TEST_CASE("later fragments are copied where the settings say so") {
    for (const path::fragment_policy policy :
         {path::fragment_policy::first, path::fragment_policy::all}) {
        tap::settings with = usual_settings();
        with.fragments = policy;
        rig at(with);
        wire on(at.path);
        at.ask(at.open("lea1"), "lea1", add_to_port("Dest-Port: 53\n", 1));
        std::vector<std::byte> first = udp_packet(1);
        store_big_endian<std::uint16_t>(std::span(first).subspan(6, 2), 0x2000);
        std::vector<std::byte> last = udp_packet(1);
        store_big_endian<std::uint16_t>(std::span(last).subspan(6, 2), 10);
        CHECK(on.pass(first) == 1);
        CHECK(on.pass(last) == (policy == path::fragment_policy::all ? 1 : 0));
    }
}
