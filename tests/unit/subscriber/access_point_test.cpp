// SPDX-License-Identifier: Apache-2.0
// Subscribers behind an access point: from DTCP and RADIUS to the copies.
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/path/drop_policy.hpp>

#include "rig.hpp"
#include "subscriber_rig.hpp"
#include "traffic.hpp"

using namespace flowtap;
using namespace std::chrono_literals;
using subscriber::li_action;
using subscriber::mirroring;
using subscriber::mirroring_settings;
using subscriber::session_record;
using subscriber::test::by_radius;
using subscriber::test::session;
using tap::test::status_of_answer;
using tap::test::value_of;

namespace {

using packet_octets = std::vector<std::byte>;

packet_octets packet_between(std::uint32_t source, std::uint32_t destination) {
    packet_octets made = tap::test::udp_packet(1);
    store_big_endian(std::span(made).subspan(12), source);
    store_big_endian(std::span(made).subspan(16), destination);
    return made;
}

packet_octets inet6_packet(std::uint64_t source, std::uint64_t destination) {
    packet_octets made(60);
    const std::span<std::byte> out(made);
    store_big_endian<std::uint8_t>(out, 0x60);
    store_big_endian<std::uint16_t>(out.subspan(4), 20);
    store_big_endian<std::uint8_t>(out.subspan(6), 59);
    store_big_endian<std::uint64_t>(out.subspan(8), source);
    store_big_endian<std::uint64_t>(out.subspan(24), destination);
    return made;
}

constexpr std::uint32_t peer = 0x08080808;
constexpr std::uint32_t bob = 0x0A000001;
constexpr std::uint64_t bob6 = 0x20010DB800010000;
constexpr std::uint64_t peer6 = 0x20010DB8FFFF0000;

/// DNS of IPv4 subscribers.
std::shared_ptr<const path::drop_policy> no_dns() {
    filter_spec term;
    term.families = family::inet;
    term.protocols.entries.push_back({{17, 17}, false});
    term.destination_ports.entries.push_back({{53, 53}, false});
    return path::drop_policy::make(std::span(&term, 1)).value();
}

mirroring_settings usual_settings() {
    mirroring_settings with = subscriber::test::usual_settings();
    with.drop_policies["no-dns"] = no_dns();
    return with;
}

/// An access point that knows subscribers, and a wire that it looks at.
struct access_network {
    explicit access_network(mirroring_settings with = usual_settings())
        : all(std::move(with), events),
          at(tap::test::usual_settings(), nullptr, nullptr, nullptr, &all), on(at.path),
          lea1(at.open("lea1")) {
        all.attach(at.point.mirrors());
    }

    void put(session_record what) {
        REQUIRE(all.put_session(std::move(what), at.now));
        at.turn();
    }
    std::string ask(std::string_view lines) { return at.ask(lea1, "lea1", lines); }
    std::string add(std::string_view lines) {
        return ask("ADD DTCP/0.8\nX-JTap-Cdest-Dest-Address: 192.0.2.5\n"
                   "X-JTap-Cdest-Dest-Port: 6502\nFlags: STATIC\n" +
                   std::string(lines));
    }
    /// Copies of a packet to and one from an address.
    std::size_t pass(std::uint32_t address) {
        return on.pass(packet_between(address, peer)) + on.pass(packet_between(peer, address));
    }

    subscriber::test::event_lines events;
    mirroring all;
    tap::test::rig at;
    tap::test::wire on;
    tap::session_id lea1;
};

/// A dual-stack session.
session_record bobs_session() {
    session_record made = session("77", "bob", "10.0.0.1");
    made.addresses.push_back(parse_ip_prefix("2001:db8:1::/48").value());
    return made;
}

} // namespace

TEST_CASE("an ADD mirrors both directions of the subscriber's packets, and nobody else's") {
    access_network to;
    CHECK(status_of_answer(to.add("X-MD-Intercept-Id: 40000007\nX-UserName: bob\n")) == 200);
    CHECK(to.pass(bob) == 0);
    to.put(bobs_session());
    to.put(session("78", "carol", "10.0.0.2"));
    CHECK(to.pass(bob) == 2);
    CHECK(to.pass(bob + 1) == 0);
    CHECK(to.on.pass(inet6_packet(bob6, peer6)) == 1);
    CHECK(to.on.pass(inet6_packet(peer6, bob6 + 5)) == 1);
    CHECK(to.on.pass(inet6_packet(peer6, peer6)) == 0);
    for (const auto& copy : to.on.sink->delivered) {
        CHECK(copy.around.kind == packet::encapsulation_kind::udp_mirror);
        CHECK(copy.around.mirror == packet::mirror_header{7, 77});
        CHECK(to_string(copy.around.source) == "198.51.100.9:6502");
        CHECK(to_string(copy.around.destination) == "192.0.2.5:6502");
        CHECK_FALSE(copy.around.dscp.has_value());
    }
    CHECK(to.on.sink->delivered[0].packet == packet_between(bob, peer));
    to.all.end_session({"192.0.2.1", "77"}, to.at.now);
    to.at.turn();
    CHECK(to.pass(bob) == 0);
}

TEST_CASE("a packet from a subscriber to itself, and one between two, are copied once a session") {
    access_network to;
    to.put(bobs_session());
    to.put(session("78", "bob", "10.0.0.2"));
    CHECK(status_of_answer(to.add("X-MD-Intercept-Id: 40000007\nX-UserName: bob\n")) == 200);
    CHECK(to.on.pass(packet_between(bob, bob)) == 1);
    CHECK(to.on.pass(packet_between(bob, bob + 1)) == 2);
}

TEST_CASE("the form of eight octets gives the Session-ID, X-JTap the outer header") {
    access_network to;
    to.put(bobs_session());
    CHECK(status_of_answer(to.add("X-MD-Intercept-Id: 0x0000000700001234\nX-IP-Addr: 10.0.0.1\n"
                                  "X-JTap-Cdest-Source-Address: 203.0.113.1\n"
                                  "X-JTap-Cdest-Source-Port: 9\nX-JTap-Cdest-TTL: 3\n"
                                  "X-JTap-IP-Version: ipv4\n")) == 200);
    CHECK(to.pass(bob) == 2);
    CHECK(to.on.pass(inet6_packet(bob6, peer6)) == 0);
    const packet::encapsulation& around = to.on.sink->delivered.back().around;
    CHECK(around.mirror == packet::mirror_header{7, 0x1234});
    CHECK(to_string(around.source) == "203.0.113.1:9");
    CHECK(around.ttl == 3);
}

TEST_CASE("two content destinations get a copy each") {
    access_network to;
    to.put(bobs_session());
    const std::string answer =
        to.ask("ADD DTCP/0.8\nX-JTap-Cdest-Dest-Address: 192.0.2.5,192.0.2.6\n"
               "X-JTap-Cdest-Dest-Port: 1,2\nFlags: STATIC\nX-MD-Intercept-Id: 40000007\n"
               "X-UserName: bob\n");
    CHECK(status_of_answer(answer) == 200);
    CHECK(to.pass(bob) == 4);
}

TEST_CASE(
    "a session is mirrored in its routing instance alone, and without addresses by interface") {
    access_network to;
    session_record in_vrf = session("77", "bob", "10.0.0.1");
    in_vrf.routing_instance = "cust-a";
    to.put(in_vrf);
    session_record at_interface = session("78", "dan");
    at_interface.interface = "ge-0/0/1.0";
    to.put(at_interface);
    CHECK(status_of_answer(to.add("X-MD-Intercept-Id: 40000007\nX-UserName: bob\n"
                                  "X-Router-Instance: cust-a\n")) == 200);
    CHECK(status_of_answer(to.add("X-MD-Intercept-Id: 40000008\nX-Interface-Id: ge-0/0/1\n")) ==
          200);
    CHECK(to.pass(bob) == 0);
    to.on.source->port = port_id{1};
    CHECK(to.pass(bob + 4) == 2);
    to.on.source->way = direction::egress;
    CHECK(to.pass(bob + 4) == 2);
    CHECK(to.on.sink->delivered.back().around.mirror == packet::mirror_header{8, 78});
}

TEST_CASE("a drop policy is switched by ENABLE and DISABLE") {
    access_network to;
    to.put(bobs_session());
    CHECK(status_of_answer(to.add("X-MD-Intercept-Id: 40000007\nX-UserName: bob\n"
                                  "X-Drop-Policy: no-dns\n")) == 200);
    CHECK(to.pass(bob) == 0);
    CHECK(to.on.pass(inet6_packet(bob6, peer6)) == 1);
    const auto switch_it = [&](std::string_view method, std::string_view policy,
                               std::string_view rest) {
        const std::string answer =
            to.ask(std::string(method) + " DTCP/0.8\nCriteria-ID: 1\n" +
                   "X-Drop-Policy: " + std::string(policy) + "\n" + std::string(rest));
        return std::to_string(status_of_answer(answer)) + " " + value_of(answer, "CRITERIA-COUNT");
    };
    CHECK(switch_it("DISABLE", "no-dns", "") == "200 0");
    CHECK(to.pass(bob) == 0);
    CHECK(switch_it("DISABLE", "no-dns", "Flags: STATIC\n") == "200 1");
    CHECK(to.pass(bob) == 2);
    CHECK(switch_it("DISABLE", "no-dns", "Flags: STATIC\n") == "200 0");
    CHECK(switch_it("ENABLE", "no-dns", "Flags: STATIC\n") == "200 1");
    CHECK(to.pass(bob) == 0);
    CHECK(switch_it("ENABLE", "another", "Flags: STATIC\n") == "400 none");
    CHECK(to.at.audit.count(tap::audit_event::enable) == 2);
    CHECK(to.at.audit.count(tap::audit_event::disable) == 3);
}

TEST_CASE("LIST shows triggers to their owner, and nothing of sessions and of RADIUS") {
    access_network to;
    to.put(bobs_session());
    to.put(session("78", "bob", "10.0.0.2"));
    to.put(session("79", "carol", "10.0.0.3"));
    CHECK(status_of_answer(to.add("X-MD-Intercept-Id: 40000007\nX-UserName: bob\n")) == 200);
    CHECK(to.all.authorize(*to.all.sessions().find({"192.0.2.1", "79"}), li_action::on, by_radius(),
                           to.at.now));
    to.at.turn();
    CHECK(to.pass(bob) == 2);
    CHECK(to.pass(bob + 1) == 2);
    CHECK(to.pass(bob + 2) == 2);
    CHECK(to.on.sink->delivered.back().around.mirror == packet::mirror_header{99, 79});
    const std::string listed = to.ask("LIST DTCP/0.8\n");
    CHECK(value_of(listed, "X-USERNAME") == "bob");
    CHECK(value_of(listed, "X-MD-INTERCEPT-ID") == "40000007");
    CHECK(value_of(listed, "CRITERIA-COUNT") == "1");
    CHECK(value_of(listed, "MATCHING-PACKETS") == "4");
    CHECK(value_of(listed, "MATCHING-BYTES") == "400");
    CHECK(listed.find("10.0.0.") == std::string::npos);
    const std::string others = to.at.ask(to.at.open("lea3"), "lea3", "LIST DTCP/0.8\n");
    CHECK(value_of(others, "CRITERIA-ID") == "none");
    CHECK(to.at.point.state().criteria == 1);
    CHECK(to.at.point.state().mirrors == 3);
    CHECK(to.at.point.state().mirrored_packets == 6);
    CHECK(to.at.point.state().content_destinations == 0);

    // What a session has matched stays when it ends.
    to.all.end_session({"192.0.2.1", "77"}, to.at.now);
    to.at.turn();
    CHECK(value_of(to.ask("LIST DTCP/0.8\n"), "MATCHING-PACKETS") == "4");
}

TEST_CASE("nothing of a subscriber criterion is copied after DELETE is answered") {
    access_network to;
    to.put(bobs_session());
    CHECK(status_of_answer(to.add("X-MD-Intercept-Id: 40000007\nX-UserName: bob\n")) == 200);
    std::string answer;
    to.on.sink->on_copies = [&] {
        answer = to.ask("DELETE DTCP/0.8\nCriteria-ID: 1\nFlags: STATIC\n");
    };
    // The worker is in the middle of its batch: the answer waits for its end.
    CHECK(to.on.pass(packet_between(bob, peer)) == 1);
    CHECK(answer.empty());
    to.on.sink->on_copies = nullptr;
    CHECK(to.pass(bob) == 0);
    to.at.turn();
    CHECK(status_of_answer(tap::test::verified(to.at.read(to.lea1))) == 200);
    CHECK(to.at.point.state().mirrors == 0);
    CHECK(to.at.point.state().criteria == 0);
}

TEST_CASE("what is wrong with a subscriber ADD is said as dtcp.md says it") {
    access_network to;
    struct row {
        const char* lines;
        int status;
        const char* line;
    };
    const row rows[] = {
        {"X-MD-Intercept-Id: 0007\nX-UserName: bob\n", 400, "X-MD-Intercept-Id: 0007"},
        {"X-MD-Intercept-Id: 40000007\n", 400, ""},
        {"X-MD-Intercept-Id: 40000007\nX-UserName: bob\nX-IP-Addr: 10.0.0.1\n", 400,
         "X-IP-Addr: 10.0.0.1"},
        {"X-MD-Intercept-Id: 40000007\nX-UserName: bob\nX-Drop-Policy: p\n", 400,
         "X-Drop-Policy: p"},
        {"X-MD-Intercept-Id: 40000007\nX-UserName: bob\nSource-Address: 10.0.0.1\n", 432,
         "Source-Address: 10.0.0.1"},
        {"X-MD-Intercept-Id: 40000007\nX-UserName: bob\nProtocol: 17\n", 432, "Protocol: 17"},
        {"X-MD-Intercept-Id: 40000007\nX-UserName: bob\nX-JTap-VRF-Name: cust-a\n", 432,
         "X-JTap-VRF-Name: cust-a"},
        {"X-MD-Intercept-Id: 40000007\nX-UserName: bob\nAction: Block\n", 501, "Action: Block"},
        {"X-MD-Intercept-Id: 40000007\nX-UserName: bob\nProtocol: *\n", 200, ""},
    };
    for (const row& one : rows) {
        CAPTURE(one.lines);
        const std::string answer = to.add(one.lines);
        CHECK(status_of_answer(answer) == one.status);
        if (*one.line != '\0')
            CHECK(answer.find(one.line) != std::string::npos);
    }
    const std::string budget =
        to.ask("ADD DTCP/0.8\nX-JTap-Cdest-Dest-Address: 192.0.2.5\nX-JTap-Cdest-Dest-Port: 6502\n"
               "Timeout-Packets: 5\nX-MD-Intercept-Id: 40000007\nX-UserName: bob\n");
    CHECK(status_of_answer(budget) == 433);
    const std::string nowhere =
        to.ask("ADD DTCP/0.8\nFlags: STATIC\nX-MD-Intercept-Id: 40000007\nX-UserName: bob\n");
    CHECK(status_of_answer(nowhere) == 901);
    const std::string forbidden =
        to.ask("ADD DTCP/0.8\nX-JTap-Cdest-Dest-Address: 127.0.0.1\nX-JTap-Cdest-Dest-Port: 6502\n"
               "Flags: STATIC\nX-MD-Intercept-Id: 40000007\nX-UserName: bob\n");
    CHECK(status_of_answer(forbidden) == 901);
}

TEST_CASE("without a source address for the copies an ADD must name one") {
    mirroring_settings with;
    access_network to(with);
    CHECK(status_of_answer(to.add("X-MD-Intercept-Id: 40000007\nX-UserName: bob\n")) == 901);
    CHECK(status_of_answer(to.add("X-MD-Intercept-Id: 40000007\nX-UserName: bob\n"
                                  "X-JTap-Cdest-Source-Address: 203.0.113.1\n")) == 200);
}

TEST_CASE("550 is the answer when more sessions would be mirrored than may be") {
    mirroring_settings with = usual_settings();
    with.mirrored = 1;
    access_network to(with);
    to.put(bobs_session());
    to.put(session("78", "bob", "10.0.0.2"));
    CHECK(status_of_answer(to.add("X-MD-Intercept-Id: 40000007\nX-UserName: bob\n")) == 550);
    CHECK(status_of_answer(to.add("X-MD-Intercept-Id: 40000007\nX-IP-Addr: 10.0.0.2\n")) == 200);
    CHECK(to.pass(bob + 1) == 2);
    CHECK(to.at.point.state().criteria == 1);
}

TEST_CASE("subscriber criteria count towards no limit on filters") {
    tap::settings few = tap::test::usual_settings();
    few.criteria_limit = 1;
    access_network to;
    to.at.point.apply(
        few, [](std::string_view) { return true; }, to.at.now);
    CHECK(status_of_answer(to.add("X-MD-Intercept-Id: 40000007\nX-UserName: bob\n")) == 200);
    CHECK(status_of_answer(to.add("X-MD-Intercept-Id: 40000008\nX-UserName: dan\n")) == 200);
    CHECK(status_of_answer(to.ask(tap::test::add("Dest-Address: 10.0.0.9\n"))) == 200);
    CHECK(status_of_answer(to.ask(tap::test::add("Dest-Address: 10.0.0.8\n"))) == 550);
    to.ask("DELETE DTCP/0.8\nCriteria-ID: 1-2\nFlags: STATIC\n");
    CHECK(status_of_answer(to.ask(tap::test::add("Dest-Address: 10.0.0.8\n"))) == 550);
    to.ask("DELETE DTCP/0.8\nCriteria-ID: 3\nFlags: STATIC\n");
    CHECK(status_of_answer(to.ask(tap::test::add("Dest-Address: 10.0.0.8\n"))) == 200);
}

TEST_CASE("an idle timeout looks at all sessions of a subscriber criterion") {
    access_network to;
    to.put(bobs_session());
    CHECK(status_of_answer(to.ask(
              "ADD DTCP/0.8\nX-JTap-Cdest-Dest-Address: 192.0.2.5\nX-JTap-Cdest-Dest-Port: 6502\n"
              "Timeout-Idle: 10\nX-MD-Intercept-Id: 40000007\nX-UserName: bob\n")) == 200);
    to.at.pass(9s);
    CHECK(to.pass(bob) == 2);
    to.at.pass(9s);
    to.at.turn();
    CHECK(to.pass(bob) == 2);
    CHECK(status_of_answer(to.ask("REFRESH DTCP/0.8\nCriteria-ID: 1\nTimeout-Bytes: 9\n")) == 433);
    to.at.pass(10s);
    to.at.turn();
    CHECK(to.pass(bob) == 0);
    CHECK(to.at.point.state().criteria == 0);
    CHECK(to.at.audit.count(tap::audit_event::expiry) == 1);
}

TEST_CASE("who may not tap any more has no mirrors, and RADIUS keeps its own") {
    access_network to;
    to.put(bobs_session());
    to.put(session("79", "carol", "10.0.0.3"));
    CHECK(status_of_answer(to.add("X-MD-Intercept-Id: 40000007\nX-UserName: bob\n")) == 200);
    CHECK(to.all.authorize(*to.all.sessions().find({"192.0.2.1", "79"}), li_action::on, by_radius(),
                           to.at.now));
    to.at.point.apply(
        tap::test::usual_settings(), [](std::string_view) { return false; }, to.at.now);
    to.at.turn();
    CHECK(to.pass(bob) == 0);
    CHECK(to.pass(bob + 2) == 2);
}

TEST_CASE("a member that goes under traffic costs no copy and makes none twice") {
    mirroring_settings with = usual_settings();
    for (std::uint32_t i = 1; i <= 4; ++i) {
        with.pool.emplace_back();
        with.pool.back().name = "vt-0/0/" + std::to_string(i);
        with.pool.back().egress = path::egress_id{i};
    }
    access_network to(with);
    constexpr std::uint32_t sessions = 2048;
    for (std::uint32_t i = 1; i <= sessions; ++i) {
        session_record one = session(std::to_string(i), "bob");
        one.addresses.push_back({ip_address::v4(bob + i), 32});
        REQUIRE(to.all.put_session(std::move(one), to.at.now));
    }
    CHECK(status_of_answer(to.add("X-MD-Intercept-Id: 40000007\nX-UserName: bob\n")) == 200);
    CHECK(to.all.state().members == std::vector<std::size_t>{512, 512, 512, 512});
    const auto all_pass = [&] {
        std::size_t copies = 0;
        for (std::uint32_t i = 1; i <= sessions; i += 31)
            copies += to.pass(bob + i) == 2;
        return copies;
    };
    const std::size_t all = all_pass();
    CHECK(all == 67);
    to.all.set_member("vt-0/0/2", false, to.at.now);
    // Before it is published, and after.
    CHECK(all_pass() == all);
    to.at.turn();
    CHECK(all_pass() == all);
    to.all.set_member("vt-0/0/2", true, to.at.now);
    to.at.turn();
    CHECK(all_pass() == all);
    CHECK(to.all.state().mirrored == sessions);
}

TEST_CASE("without somebody who knows subscribers a subscriber ADD is not implemented") {
    tap::test::rig at;
    const std::string answer = at.ask(
        at.open("lea1"), "lea1", tap::test::add("X-MD-Intercept-Id: 40000007\nX-UserName: bob\n"));
    CHECK(status_of_answer(answer) == 501);
}
