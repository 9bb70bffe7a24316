// SPDX-License-Identifier: Apache-2.0
#include <flowtap/path/data_path.hpp>

#include <doctest/doctest.h>

#include "fragment_fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;

namespace {

filter_spec frames_in(std::uint32_t interface) {
    filter_spec spec;
    spec.families = family::ccc;
    spec.scope = input_scope{{interface_id(interface)}};
    return spec;
}

/// An Ethernet frame of some type with `size` octets behind it.
octets frame_of_type(std::uint16_t type, std::size_t size = 46) {
    octets made(14 + size, std::byte{0x5A});
    store_big_endian(std::span(made).subspan(12, 2), type);
    return made;
}

/// A laboratory for Ethernet on port 1, whose unit 0 is interface 1 and whose VLAN 100 is 2.
struct frame_lab : fragment_lab {
    explicit frame_lab(worker_options options = {}) : fragment_lab({}, options) {
        taps.fragments = fragment_policy::first;
        auto interfaces = std::make_shared<interface_map>();
        interfaces->bind(port_id(1), {interface_id(1), vrf_id(0)});
        interfaces->bind(port_id(1), 100, {interface_id(2), vrf_id(0)});
        taps.interfaces = interfaces;
        source->shape.link = packet::link_type::ethernet;
        source->shape.port = port_id(1);
    }

    /// Packets went where the counters say.
    bool adds_up() const {
        const path_counters all = work->counters();
        return closes(all) && all.tapped <= all.seen && all.frames_alone <= all.tapped;
    }
};

octets padded(octets frame, std::size_t size = 60) {
    frame.resize(std::max(frame.size(), size), std::byte{0xEE});
    return frame;
}

} // namespace

TEST_CASE("family ccc copies every frame of its interfaces, whole") {
    const octets ip = udp_packet(2);
    const octets ipv6 = fragment({.of_family = family::inet6}, 0, false, udp_payload({}, 16));
    octets ipv6_frame = frame_of_type(0x86DD, 0);
    ipv6_frame.insert(ipv6_frame.end(), ipv6.begin(), ipv6.end());
    octets broken = ethernet(ip);
    broken[14] = std::byte{0x65};
    const std::vector<octets> frames{
        padded(ethernet(ip)),        // with link padding
        ethernet(udp_packet(3), 7),  // a VLAN that no unit claims
        ipv6_frame,                  //
        frame_of_type(0x0806),       // ARP
        frame_of_type(0x88CC),       // LLDP
        frame_of_type(0x8847),       // MPLS
        frame_of_type(0x0026, 0x26), // 802.3 with LLC
        ethernet(train({}, 2)[1]),   // a later fragment
        broken,                      // malformed
        frame_of_type(0x0800, 3),    // not even an IP header
        octets(14),                  // a header and nothing else
        octets(5),                   // not even that
        octets(1),
    };
    for (const bool in_one_batch : {true, false}) {
        frame_lab lab;
        const slot_id slot = lab.taps.add(frames_in(1), {3});
        lab.taps.publish();
        if (in_one_batch)
            lab.run(frames);
        else
            lab.run_one_by_one(frames);
        CHECK(lab.got == deliveries{{3, frames}});
        std::size_t octets_of_all = 0;
        for (const octets& each : frames)
            octets_of_all += each.size();
        CHECK(lab.path.counters(slot).packets == frames.size());
        CHECK(lab.path.counters(slot).octets == octets_of_all);
        CHECK(lab.work->counters().tapped == frames.size());
        CHECK(lab.work->counters().frames_alone == frames.size());
        CHECK(lab.adds_up());
    }
}

TEST_CASE("frames are those of the interface and the direction that are named") {
    frame_lab lab;
    filter_spec out;
    out.families = family::ccc;
    out.scope = output_scope{{interface_id(1)}};
    lab.taps.add(frames_in(1), {1});
    lab.taps.add(frames_in(2), {2});
    lab.taps.add(out, {3});
    lab.taps.publish();
    const octets untagged = frame_of_type(0x0806);
    const octets tagged = ethernet(udp_packet(2), 100);
    lab.run({untagged, tagged});
    lab.source->shape.way = direction::egress;
    lab.run({untagged, tagged});
    lab.source->shape.port = port_id(9);
    lab.source->shape.way = direction::ingress;
    lab.run({untagged, tagged});
    CHECK(lab.got == deliveries{{1, {untagged}}, {2, {tagged}}, {3, {untagged}}});
}

TEST_CASE("criteria for IP packets and for frames see a packet independently, and it counts once") {
    struct row {
        const char* what;
        bool of_packets, of_frames;
        std::uint64_t tapped, alone;
    };
    const row rows[] = {{"packets", true, false, 2, 0},
                        {"frames", false, true, 4, 4},
                        {"both", true, true, 4, 2},
                        {"neither", false, false, 0, 0}};
    const octets packet = udp_packet(2);
    const octets other = udp_packet(3);
    const octets frame = padded(ethernet(packet));
    const octets other_frame = padded(ethernet(other));
    const octets arp = frame_of_type(0x0806);
    for (const std::size_t batch : {1, 4}) {
        for (const row& each : rows) {
            CAPTURE(each.what);
            frame_lab lab;
            if (each.of_packets)
                lab.taps.add(to_host(2), {1});
            if (each.of_frames)
                lab.taps.add(frames_in(1), {2});
            lab.taps.publish();
            const std::vector<octets> frames{frame, other_frame, arp, frame};
            if (batch == 1)
                lab.run_one_by_one(frames);
            else
                lab.run(frames);
            deliveries expected;
            if (each.of_packets)
                expected[1] = {packet, packet};
            if (each.of_frames)
                expected[2] = frames;
            CHECK(lab.got == expected);
            CHECK(lab.work->counters().tapped == each.tapped);
            CHECK(lab.work->counters().frames_alone == each.alone);
            CHECK(lab.adds_up());
        }
    }
}

TEST_CASE("a stream gets at most one copy of a frame") {
    frame_lab lab;
    const slot_id one = lab.taps.add(frames_in(1), {1, 2});
    const slot_id two = lab.taps.add(frames_in(1), {2, 3});
    lab.taps.publish();
    const octets arp = frame_of_type(0x0806);
    lab.run({arp, arp});
    CHECK(lab.got == deliveries{{1, {arp, arp}}, {2, {arp, arp}}, {3, {arp, arp}}});
    CHECK(lab.path.counters(one).packets == 2);
    CHECK(lab.path.counters(two).packets == 2);
    CHECK(lab.work->counters().tapped == 2);
    CHECK(lab.work->counters().copies == 6);
}

TEST_CASE("frames of which the capture holds a part are sent only where that is asked for") {
    for (const cut_short_packets policy : {cut_short_packets::count, cut_short_packets::send}) {
        frame_lab lab({.cut_short = policy});
        const slot_id slot = lab.taps.add(frames_in(1), {1});
        lab.taps.publish();
        const octets arp = frame_of_type(0x0806);
        lab.source->cut_off = 10;
        lab.run({arp});
        const bool is_sent = policy == cut_short_packets::send;
        CHECK(lab.got == (is_sent ? deliveries{{1, {arp}}} : deliveries{}));
        CHECK(lab.path.counters(slot).octets == (is_sent ? arp.size() + 10 : 0));
    }
}

TEST_CASE("links without a layer-2 header have no frames, others have them as they were captured") {
    const octets ip = udp_packet(2);
    for (const packet::link_type link :
         {packet::link_type::raw, packet::link_type::raw_bsd, packet::link_type::raw_openbsd,
          packet::link_type::ipv4, packet::link_type::ipv6}) {
        frame_lab lab;
        lab.taps.add(frames_in(1), {1});
        lab.taps.publish();
        lab.source->shape.link = link;
        lab.run({ip});
        CHECK(lab.got.empty());
    }
    for (const packet::link_type link : {packet::link_type::linux_cooked, packet::link_type::ppp,
                                         packet::link_type::null, packet::link_type(9999)}) {
        frame_lab lab;
        lab.taps.add(frames_in(1), {1});
        lab.taps.publish();
        lab.source->shape.link = link;
        lab.run({ip});
        CHECK(lab.got == deliveries{{1, {ip}}});
    }
}

TEST_CASE("frames with the access point's own traffic are left out") {
    frame_lab lab;
    auto own = std::make_shared<own_traffic>();
    own->add(17, {ip_address::v4(0x0A000002), 53});
    lab.taps.own = own;
    lab.taps.add(frames_in(1), {1});
    lab.taps.publish();
    const octets other_port = ethernet(udp_packet(2, 54));
    const octets other_host = ethernet(udp_packet(3, 53));
    // Whether a later fragment is a part of it, nobody knows.
    const octets fragment_to_other = ethernet(train({.to = 3}, 2)[1]);
    lab.run({ethernet(udp_packet(2, 53)), other_port, ethernet(udp_packet(2, 53), 7), other_host,
             ethernet(train({.to = 2}, 2)[1]), fragment_to_other});
    CHECK(lab.got == deliveries{{1, {other_port, other_host, fragment_to_other}}});
    CHECK(lab.work->counters().own == 2);
    CHECK(lab.adds_up());
}

TEST_CASE("budgets, limits and fragments hold beside frames") {
    frame_lab lab;
    lab.taps.fragments = fragment_policy::all;
    const slot_id frames = lab.taps.add(frames_in(1), {1});
    lab.path.grant(frames, {4, {}});
    lab.taps.add(to_port(53), {2});
    lab.taps.publish();
    const std::vector<octets> packets = train({}, 3);
    std::vector<octets> sent;
    for (const std::size_t each : {1, 0, 2})
        sent.push_back(padded(ethernet(packets[each])));
    const octets arp = frame_of_type(0x0806);
    lab.run({sent[0], sent[1], arp, sent[2], arp});
    CHECK(lab.got == deliveries{{1, {sent[0], sent[1], arp, sent[2]}},
                                {2, {packets[0], packets[1], packets[2]}}});
    CHECK(lab.path.next_exhausted() == frames);
    CHECK(lab.counted().followed == 2);
    CHECK(lab.adds_up());
}

TEST_CASE("criteria for frames come and go with snapshots") {
    frame_lab lab;
    const octets arp = frame_of_type(0x0806);
    lab.taps.publish();
    lab.run({arp});
    const slot_id slot = lab.taps.add(frames_in(1), {1});
    lab.taps.publish();
    lab.run({arp});
    lab.taps.remove(slot);
    lab.taps.publish();
    lab.run({arp});
    CHECK(lab.got == deliveries{{1, {arp}}});
}

TEST_CASE("a worker that has to stop counts IP packets as abandoned, not their frames") {
    frame_lab lab;
    lab.taps.add(frames_in(1), {1});
    lab.taps.publish();
    lab.work->request_stop();
    lab.run({ethernet(udp_packet(2)), frame_of_type(0x0806)});
    CHECK(lab.got.empty());
    CHECK(lab.work->counters().abandoned == 1);
}
