// SPDX-License-Identifier: Apache-2.0
//
// What a worker makes of packets that come in runs, held against what each packet is by itself.
#include <algorithm>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include <flowtap/filter/criterion.hpp>
#include <flowtap/packet/view.hpp>
#include <flowtap/path/data_path.hpp>

#include "fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;

namespace {

constexpr std::uint16_t own_port = 32001;
/// 64 ports away: it looks like the other at first.
constexpr std::uint16_t like_own_port = own_port - 64;

/// Packets of every kind that ends a run, or does not, and where they came in.
class mixture {
public:
    mixture(std::size_t count, unsigned seed) : random_(seed) {
        for (std::size_t i = 0; i < count; ++i) {
            frames_.push_back(frame());
            const auto link = last_is_raw_ ? packet::link_type::raw : packet::link_type::ethernet;
            captured_packet made = captured(frames_.back(), link);
            made.port = port_id(below(100) < 97 ? 0 : 1);
            made.way = below(2) == 0 ? direction::ingress : direction::egress;
            packets.push_back(made);
        }
    }

    std::vector<captured_packet> packets;

private:
    unsigned below(unsigned bound) {
        return std::uniform_int_distribution<unsigned>(0, bound - 1)(random_);
    }

    octets frame() {
        const unsigned kind = below(100);
        const auto host = static_cast<std::uint8_t>(below(250));
        const std::uint16_t port = kind < 4 ? own_port : kind < 8 ? like_own_port : 53;
        octets packet = udp_packet(host, port, below(40));
        if (below(2) == 0)
            packet[9] = std::byte{6};
        if (kind == 8)
            packet[6] = std::byte{0x20}; // the first fragment of several
        if (kind == 9)
            packet[0] = std::byte{0x46}; // with an option, of which it is made
        last_is_raw_ = kind == 10;
        if (last_is_raw_)
            return packet;
        octets made = ethernet(packet, kind == 11 ? 5 : -1);
        if (kind == 12)
            made.resize(made.size() - 1); // less than it says
        if (kind >= 13 && kind < 50)
            made.resize(made.size() + below(20)); // more, as short frames have
        return made;
    }

    std::mt19937 random_;
    std::deque<octets> frames_;
    bool last_is_raw_ = false;
};

std::shared_ptr<const interface_map> three_interfaces() {
    auto made = std::make_shared<interface_map>();
    made->bind(port_id(0), {interface_id(1), vrf_id(1)});
    made->bind(port_id(0), 5, {interface_id(2), vrf_id(0)});
    made->bind(port_id(1), {interface_id(3), vrf_id(2)});
    return made;
}

/// Hosts, and hosts at one interface only, one routing instance, or one direction.
std::vector<filter_spec> filters() {
    std::vector<filter_spec> made;
    for (std::uint8_t host = 0; host < 40; ++host) {
        made.push_back(to_host(static_cast<std::uint8_t>(6 * host)));
        if (host % 4 == 1)
            made.back().scope = input_scope{{interface_id(host % 3 + 1)}};
        if (host % 4 == 2)
            made.back().scope = vrf_scope{vrf_id(host % 3)};
        if (host % 4 == 3)
            made.back().protocols.entries.push_back({{6, 6}, false});
    }
    return made;
}

/// What is expected of each packet by itself.
struct expectation {
    expectation(const mixture& of, const std::vector<filter_spec>& filters,
                const interface_map& interfaces, const own_traffic& own) {
        for (const captured_packet& each : of.packets) {
            packet::packet_view view;
            packet::decode(each.link, each.frame, each.wire_length, view);
            if (view.what != packet::verdict::ip)
                continue;
            const interface_binding place = interfaces.find(each.port, view.vlan);
            view.key.interface = place.interface;
            view.key.vrf = place.vrf;
            view.key.way = each.way;
            if (own.contains(view.key)) {
                ++owned;
                continue;
            }
            bool matched = false;
            for (std::uint32_t i = 0; i < filters.size(); ++i) {
                if (!filter::matches(filters[i], view.key))
                    continue;
                matched = true;
                copies[i].emplace_back(view.ip.begin(), view.ip.end());
            }
            ++(matched ? tapped : untapped);
        }
    }

    deliveries copies;
    std::uint64_t tapped = 0;
    std::uint64_t untapped = 0;
    std::uint64_t owned = 0;
};

} // namespace

TEST_CASE("packets in runs are each treated as they are by themselves") {
    const mixture all(5000, 20261130);
    const auto wanted = filters();
    const auto interfaces = three_interfaces();
    own_traffic services;
    services.add(17, {ip_address::v4(0), own_port});
    for (const bool has_own : {false, true}) {
        const own_traffic none;
        const expectation expected(all, wanted, *interfaces, has_own ? services : none);
        REQUIRE(expected.tapped > 100);
        REQUIRE(expected.untapped > 3000);
        REQUIRE((expected.owned > 50) == has_own);
        for (const std::size_t batch : {1U, 2U, 7U, 63U, 64U, 65U, 128U, 256U, 5000U}) {
            INFO("batches of " << batch << ", own services: " << has_own);
            deliveries got;
            data_path path;
            worker_options how;
            how.batch = batch;
            worker& work = path.add_worker(std::make_unique<listed_source>(all.packets),
                                           std::make_unique<collecting_sink>(got), how);
            tapping taps{path};
            taps.interfaces = interfaces;
            if (has_own)
                taps.own = std::make_shared<own_traffic>(services);
            for (std::uint32_t i = 0; i < wanted.size(); ++i)
                taps.add(wanted[i], {i});
            taps.publish();
            CHECK(work.run() == worker::outcome::finished);
            CHECK(got == expected.copies);
            const path_counters counters = work.counters();
            CHECK(counters.tapped == expected.tapped);
            CHECK(counters.untapped == expected.untapped);
            CHECK(counters.own == expected.owned);
            CHECK(closes(counters));
        }
    }
}
