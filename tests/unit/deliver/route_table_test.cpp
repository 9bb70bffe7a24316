// SPDX-License-Identifier: Apache-2.0
#include "route_table.hpp"

#include <map>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "copies.hpp"

using namespace flowtap;
using namespace flowtap::deliver::detail;
using namespace flowtap::deliver::test;
using std::chrono::milliseconds;
using std::chrono::seconds;
using way = egress_plan::way;

namespace {

ip_address address(const char* text) {
    return parse_ip_address(text).value();
}

mac_address mac(std::uint8_t last) {
    return {std::byte{2}, {}, {}, {}, {}, std::byte{last}};
}

/// A network as the table is told of it.
class fake_network final : public network_view {
public:
    route_state route_to(const ip_address& to) noexcept override {
        ++questions;
        return routes.contains(to) ? routes[to] : route_state{};
    }
    link_state link(unsigned index) noexcept override {
        return links.contains(index) ? links[index] : link_state{};
    }
    neighbour_state neighbour(unsigned device, const ip_address& next) noexcept override {
        return neighbours.contains({device, next}) ? neighbours[{device, next}] : neighbour_state{};
    }
    std::size_t socket_mtu(const ip_address& to) noexcept override {
        return mtus.contains(to) ? mtus[to] : 1500;
    }
    void send(unsigned device, const solicitation& frame) noexcept override {
        sent.emplace_back(device, octets(frame.octets().begin(), frame.octets().end()));
    }

    bool sent_to_everybody() const { return sent.back().second[0] == std::byte{0xFF}; }

    std::map<ip_address, route_state> routes;
    std::map<unsigned, link_state> links;
    std::map<std::pair<unsigned, ip_address>, neighbour_state> neighbours;
    std::map<ip_address, std::size_t> mtus;
    std::vector<std::pair<unsigned, octets>> sent;
    int questions = 0;
};

const ip_address sink = address("198.51.100.5");
const ip_address gateway = address("192.0.2.9");

/// One destination behind a gateway on device 3.
struct bench {
    bench() {
        network.links[3] = {3, true, true, true, mac(1), 1500};
        network.routes[sink] = {route_state::kind::unicast, 3, gateway, address("192.0.2.1"), 0};
    }

    egress_plan plan() { return table.look_up(sink, now); }
    void know(neighbour_state::kind what, std::uint8_t last) {
        network.neighbours[{3, gateway}] = {what, mac(last)};
    }
    void tell(neighbour_state::kind what, std::uint8_t last = 0) {
        network_event event;
        event.what = network_event::kind::neighbour;
        event.device = 3;
        event.address = gateway;
        event.neighbour = {what, mac(last)};
        know(what, last);
        table.on_event(event, now);
    }
    void tell(const link_state& link) {
        network_event event;
        event.what = network_event::kind::link;
        event.link = link;
        network.links[link.index] = link;
        table.on_event(event, now);
    }
    void tell_routes(const char* prefix) {
        network_event event;
        event.what = network_event::kind::routes;
        event.prefix = parse_ip_prefix(prefix).value();
        table.on_event(event, now);
    }
    /// Lets time pass as it does when copies are sent all the time.
    void pass(std::chrono::milliseconds time) {
        for (milliseconds done{0}; done < time; done += milliseconds(10)) {
            now += milliseconds(10);
            table.tick(now);
            table.look_up(sink, now);
        }
    }

    fake_network network;
    route_table table{network};
    steady_time now = steady_time(seconds(1000));
};

std::byte last_of_destination(const egress_plan& plan) {
    return plan.ethernet[5];
}

} // namespace

TEST_CASE("a destination whose next hop is known gets a frame's header") {
    bench all;
    all.know(neighbour_state::kind::confirmed, 9);
    const egress_plan plan = all.plan();
    CHECK(plan.how == way::frame);
    CHECK(plan.device == 3);
    CHECK(plan.mtu == 1500);
    CHECK(plan.ethernet == ethernet_header(mac(9), mac(1), family::inet));
    CHECK(all.network.sent.empty());
    // It is not asked for again while nothing changes.
    for (int i = 0; i < 100; ++i)
        all.plan();
    CHECK(all.network.questions == 1);
}

TEST_CASE("what frames cannot carry is left to the system, what has no way is unreachable") {
    bench all;
    all.know(neighbour_state::kind::confirmed, 9);
    SUBCASE("this host itself") {
        all.network.routes[sink].what = route_state::kind::other;
        CHECK(all.plan().how == way::system);
    }
    SUBCASE("a tunnel") {
        all.network.links[3].is_ethernet = false;
        CHECK(all.plan().how == way::system);
    }
    SUBCASE("IPsec makes packets shorter than the device takes") {
        all.network.mtus[sink] = 1438;
        CHECK(all.plan().how == way::system);
    }
    SUBCASE("a socket may not send at all, IPsec has no keys yet") {
        all.network.mtus[sink] = 0;
        CHECK(all.plan().how == way::system);
    }
    SUBCASE("no route") {
        all.network.routes.clear();
        CHECK(all.plan().how == way::unreachable);
    }
    SUBCASE("the link is down") {
        all.network.links[3].is_up = false;
        CHECK(all.plan().how == way::unreachable);
    }
    CHECK(all.network.sent.empty());
}

TEST_CASE("the smaller MTU counts, of the device and of the route") {
    bench all;
    all.know(neighbour_state::kind::confirmed, 9);
    all.network.routes[sink].mtu = 1400;
    all.network.mtus[sink] = 1400;
    CHECK(all.plan().mtu == 1400);
    CHECK(all.plan().how == way::frame);
}

TEST_CASE("a next hop that is not known is asked, and known once it has answered") {
    bench all;
    CHECK(all.plan().how == way::resolving);
    REQUIRE(all.network.sent.size() == 1);
    CHECK(all.network.sent[0].first == 3);
    CHECK(all.network.sent_to_everybody());
    CHECK(all.table.is_asking(family::inet));
    CHECK_FALSE(all.table.is_asking(family::inet6));
    all.pass(milliseconds(900));
    CHECK(all.network.sent.size() == 1);
    all.pass(milliseconds(200));
    CHECK(all.network.sent.size() == 2);
    const std::uint64_t before = all.table.version();
    all.table.on_advertisement(3, {gateway, mac(9)}, all.now);
    CHECK(all.table.version() != before);
    CHECK(all.plan().how == way::frame);
    CHECK(last_of_destination(all.plan()) == std::byte{9});
    all.pass(milliseconds(10));
    CHECK_FALSE(all.table.is_asking(family::inet));
}

TEST_CASE("a next hop that does not answer for three seconds is unreachable until it does") {
    bench all;
    all.plan();
    all.pass(milliseconds(2990));
    CHECK(all.plan().how == way::resolving);
    const std::uint64_t before = all.table.version();
    all.pass(milliseconds(10));
    CHECK(all.plan().how == way::unreachable);
    CHECK(all.table.version() != before);
    CHECK(all.network.sent.size() == 4);
    // It is still asked, once a second, as long as somebody wants to send.
    all.pass(seconds(5));
    CHECK(all.network.sent.size() == 9);
    all.table.on_advertisement(3, {gateway, mac(9)}, all.now);
    CHECK(all.plan().how == way::frame);
}

TEST_CASE("nobody is asked for destinations that are not in use") {
    bench all;
    all.plan();
    for (int i = 0; i < 100; ++i) {
        all.now += seconds(1);
        all.table.tick(all.now);
    }
    CHECK(all.network.sent.size() <= 10);
    CHECK_FALSE(all.table.is_asking(family::inet));
}

TEST_CASE("only who was asked is listened to") {
    bench all;
    all.know(neighbour_state::kind::confirmed, 9);
    all.plan();
    all.table.on_advertisement(3, {gateway, mac(66)}, all.now);
    CHECK(last_of_destination(all.plan()) == std::byte{9});
    all.table.on_advertisement(3, {address("192.0.2.77"), mac(66)}, all.now);
    bench other;
    other.plan();
    other.table.on_advertisement(4, {gateway, mac(66)}, other.now);
    CHECK(other.plan().how == way::resolving);
}

TEST_CASE("what the system learns of a next hop is followed") {
    bench all;
    all.plan();
    CHECK(all.plan().how == way::resolving);
    all.tell(neighbour_state::kind::confirmed, 9);
    CHECK(last_of_destination(all.plan()) == std::byte{9});
    CHECK(all.table.changes() == 0);
    // A gratuitous ARP of a host that has taken over.
    all.tell(neighbour_state::kind::uncertain, 10);
    CHECK(all.plan().how == way::frame);
    CHECK(last_of_destination(all.plan()) == std::byte{10});
    CHECK(all.table.changes() == 1);
    // Which is confirmed at once, by asking it alone.
    all.pass(milliseconds(10));
    REQUIRE(all.network.sent.size() == 2);
    CHECK(all.network.sent.back().second[5] == std::byte{10});
    // The system gives it up: it is resolved anew.
    all.tell(neighbour_state::kind::unknown);
    CHECK(all.plan().how == way::resolving);
    CHECK(all.network.sent_to_everybody());
}

TEST_CASE("an address that nobody confirms is confirmed, and given up when it does not answer") {
    bench all;
    all.plan();
    all.table.on_advertisement(3, {gateway, mac(9)}, all.now);
    all.pass(milliseconds(29'990));
    CHECK(all.network.sent.size() == 1);
    all.pass(milliseconds(10));
    REQUIRE(all.network.sent.size() == 2);
    CHECK_FALSE(all.network.sent_to_everybody());
    SUBCASE("it answers") {
        all.table.on_advertisement(3, {gateway, mac(9)}, all.now);
        all.pass(seconds(29));
        CHECK(all.network.sent.size() == 2);
        CHECK(all.table.changes() == 0);
    }
    SUBCASE("another one answers") {
        all.table.on_advertisement(3, {gateway, mac(10)}, all.now);
        CHECK(last_of_destination(all.plan()) == std::byte{10});
        CHECK(all.table.changes() == 1);
    }
    SUBCASE("nobody does") {
        all.pass(seconds(3));
        CHECK(all.plan().how == way::frame);
        CHECK(all.network.sent_to_everybody());
        all.pass(seconds(3));
        CHECK(all.plan().how == way::unreachable);
        CHECK(all.table.changes() == 1);
    }
}

TEST_CASE("what the system confirms, or an administrator has set, is not asked for") {
    bench all;
    SUBCASE("fixed") {
        all.know(neighbour_state::kind::fixed, 9);
    }
    SUBCASE("confirmed") {
        all.know(neighbour_state::kind::confirmed, 9);
    }
    all.plan();
    all.pass(seconds(100));
    CHECK(all.network.sent.empty());
    CHECK(all.plan().how == way::frame);
}

TEST_CASE("changes of routes make those destinations be asked for that they concern") {
    bench all;
    all.know(neighbour_state::kind::confirmed, 9);
    all.plan();
    const std::uint64_t before = all.table.version();
    all.tell_routes("203.0.113.0/24");
    CHECK(all.table.version() == before);
    CHECK(all.network.questions == 1);
    all.network.routes[sink].device = 4;
    all.network.links[4] = {4, true, true, true, mac(2), 9000};
    all.network.mtus[sink] = 9000;
    all.network.neighbours[{4, gateway}] = {neighbour_state::kind::confirmed, mac(20)};
    all.tell_routes("198.51.0.0/16");
    CHECK(all.table.version() != before);
    const egress_plan plan = all.plan();
    CHECK(plan.device == 4);
    CHECK(last_of_destination(plan) == std::byte{20});
    network_event rule;
    rule.what = network_event::kind::anything;
    all.table.on_event(rule, all.now);
    all.plan();
    CHECK(all.network.questions == 3);
}

TEST_CASE("a link that goes down, comes back or changes is followed") {
    bench all;
    all.know(neighbour_state::kind::confirmed, 9);
    all.plan();
    link_state link = all.network.links[3];
    SUBCASE("down and up: the next hop counts anew") {
        link.is_up = false;
        all.tell(link);
        CHECK(all.plan().how == way::unreachable);
        all.know(neighbour_state::kind::unknown, 0);
        link.is_up = true;
        all.tell(link);
        CHECK(all.plan().how == way::resolving);
    }
    SUBCASE("another MTU") {
        link.mtu = 1400;
        all.network.mtus[sink] = 1400;
        all.tell(link);
        CHECK(all.plan().mtu == 1400);
        CHECK(all.plan().how == way::frame);
    }
    SUBCASE("another address of our own") {
        link.address = mac(3);
        all.tell(link);
        CHECK(all.plan().ethernet[11] == std::byte{3});
    }
    SUBCASE("gone") {
        link.exists = link.is_up = false;
        all.network.routes.clear();
        all.tell(link);
        CHECK(all.plan().how == way::unreachable);
    }
    SUBCASE("nothing that matters") {
        const std::uint64_t before = all.table.version();
        all.tell(link);
        CHECK(all.table.version() == before);
    }
}

TEST_CASE("after an overrun everything is asked for again") {
    bench all;
    all.know(neighbour_state::kind::confirmed, 9);
    all.plan();
    all.network.links[3].mtu = 1280;
    all.network.mtus[sink] = 1280;
    all.know(neighbour_state::kind::confirmed, 11);
    const std::uint64_t before = all.table.version();
    all.table.forget_all();
    CHECK(all.table.version() != before);
    CHECK(all.plan().mtu == 1280);
    CHECK(last_of_destination(all.plan()) == std::byte{11});
}

TEST_CASE("what the system does not tell of is looked at every five seconds") {
    bench all;
    all.know(neighbour_state::kind::confirmed, 9);
    CHECK(all.plan().how == way::frame);
    all.network.mtus[sink] = 1400;
    all.pass(milliseconds(4990));
    CHECK(all.plan().how == way::frame);
    all.pass(milliseconds(10));
    CHECK(all.plan().how == way::system);
}

TEST_CASE("more destinations than there is memory for are all served") {
    bench all;
    all.know(neighbour_state::kind::confirmed, 9);
    for (std::uint32_t i = 0; i < 5000; ++i) {
        const ip_address to = ip_address::v4(0x0A00'0000U + i);
        all.network.routes[to] = {route_state::kind::unicast, 3, gateway, {}, 0};
        CHECK(all.table.look_up(to, all.now).how == way::frame);
    }
    CHECK(all.plan().how == way::frame);
}
