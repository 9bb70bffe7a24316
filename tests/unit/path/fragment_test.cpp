// SPDX-License-Identifier: Apache-2.0
#include <flowtap/path/fragments.hpp>

#include <algorithm>
#include <array>
#include <functional>

#include <doctest/doctest.h>

#include "fragment_fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;

namespace {

/// The first, then those before it in the order of their coming, then those behind it.
std::vector<std::size_t> sending_order(const std::vector<std::size_t>& coming) {
    const auto first = std::ranges::find(coming, std::size_t{0});
    std::vector<std::size_t> made{0};
    made.insert(made.end(), coming.begin(), first);
    made.insert(made.end(), first + 1, coming.end());
    return made;
}

} // namespace

TEST_CASE("later fragments follow the first one, in whatever order the four of a packet come") {
    for (const family of : {family::inet, family::inet6}) {
        const datagram sent{.of_family = of, .port = 53};
        const std::vector<octets> packets = train(sent, 4);
        std::vector<std::size_t> order{0, 1, 2, 3};
        do {
            for (const bool in_one_batch : {false, true}) {
                CAPTURE(order);
                CAPTURE(in_one_batch);
                fragment_lab lab;
                const slot_id matched = lab.taps.add(to_port(53), {7});
                const slot_id other = lab.taps.add(to_port(54), {8});
                lab.taps.publish();
                if (in_one_batch)
                    lab.run(in_order(packets, order));
                else
                    lab.run_one_by_one(in_order(packets, order));
                CHECK(lab.got == deliveries{{7, in_order(packets, sending_order(order))}});
                CHECK(lab.path.counters(matched).packets == 4);
                CHECK(lab.path.counters(matched).octets == packets[0].size() * 4);
                CHECK(lab.path.counters(other).packets == 0);
                CHECK(lab.work->counters().tapped == 4);
                CHECK(lab.counted().followed == 3);
                CHECK(lab.counted().waiting == 0);
                CHECK(lab.adds_up());
            }
        } while (std::ranges::next_permutation(order).found);
    }
}

TEST_CASE("nothing of a packet is sent when its first fragment is not matched") {
    std::vector<std::size_t> order{0, 1, 2, 3};
    const std::vector<octets> packets = train({.port = 53}, 4);
    do {
        CAPTURE(order);
        fragment_lab lab;
        // The later ones alone would be matched by this: they have no ports.
        filter_spec not_53 = any_ipv4();
        not_53.protocols.entries.push_back({{17, 17}, false});
        not_53.destination_ports.entries.push_back({{53, 53}, true});
        lab.taps.add(not_53, {1});
        lab.taps.publish();
        lab.run_one_by_one(in_order(packets, order));
        CHECK(lab.got.empty());
        CHECK(lab.counted().followed == 3);
        CHECK(lab.work->counters().tapped == 0);
        CHECK(lab.adds_up());
    } while (std::ranges::next_permutation(order).found);
}

TEST_CASE("unless all are asked for, only the first fragment is sent") {
    fragment_lab lab;
    lab.taps.fragments = fragment_policy::first;
    lab.taps.add(any_ipv4(), {1});
    lab.taps.publish();
    const std::vector<octets> packets = train({}, 3);
    lab.run(packets);
    CHECK(lab.got == deliveries{{1, {packets[0]}}});
    CHECK(lab.counted() == fragment_counters{});
    CHECK(lab.work->counters().decoded[1] == 2);
}

TEST_CASE("what the policy says changes with the snapshot") {
    fragment_lab lab;
    lab.taps.add(any_ipv4(), {1});
    lab.taps.publish();
    const std::vector<octets> a = train({.identification = 1}, 3);
    const std::vector<octets> b = train({.identification = 2}, 3);
    lab.run({a[0], a[1], b[2]});
    CHECK(lab.counted().waiting == 1);
    lab.taps.fragments = fragment_policy::first;
    lab.taps.publish();
    lab.run({a[2], b[0]});
    CHECK(lab.counted().waiting == 0);
    CHECK(lab.left_out(fragment_loss::displaced) == 1);
    lab.taps.fragments = fragment_policy::all;
    lab.taps.publish();
    // Both were forgotten meanwhile.
    lab.run({a[2], b[1]});
    CHECK(lab.got == deliveries{{1, {a[0], a[1], b[0]}}});
    CHECK(lab.counted().waiting == 2);
}

TEST_CASE("a fragment belongs to the packet with its addresses, identification and place") {
    struct row {
        const char* what;
        datagram other;
        bool follows = false;
    };
    for (const family of : {family::inet, family::inet6}) {
        const datagram one{.of_family = of, .identification = 500, .from = 1, .to = 2};
        const auto changed = [&](auto change) {
            datagram made = one;
            change(made);
            return made;
        };
        const row rows[] = {
            {"the same", one, true},
            {"identification", changed([](datagram& d) { d.identification = 501; })},
            {"source", changed([](datagram& d) { d.from = 3; })},
            {"destination", changed([](datagram& d) { d.to = 3; })},
            {"both addresses exchanged", changed([](datagram& d) { std::swap(d.from, d.to); })},
            {"protocol, which does not count with IPv6",
             changed([](datagram& d) { d.protocol = 6; }), of == family::inet6},
        };
        for (const row& each : rows) {
            CAPTURE(each.what);
            fragment_lab lab;
            lab.taps.add(anything(), {1});
            lab.taps.publish();
            lab.run({train(one, 2)[0], train(each.other, 2)[1]});
            CHECK(lab.got[1].size() == (each.follows ? 2 : 1));
            CHECK(lab.counted().waiting == (each.follows ? 0 : 1));
        }
    }
}

TEST_CASE("a packet seen at two interfaces, or both ways, is decided for each") {
    fragment_lab lab;
    filter_spec in = any_ipv4();
    in.scope = input_scope{{interface_id(1)}};
    filter_spec out = any_ipv4();
    out.scope = output_scope{{interface_id(2)}};
    lab.taps.add(in, {1});
    lab.taps.add(out, {2});
    auto interfaces = std::make_shared<interface_map>();
    interfaces->bind(port_id(1), {interface_id(1), vrf_id(0)});
    interfaces->bind(port_id(2), {interface_id(2), vrf_id(0)});
    interfaces->bind(port_id(3), {interface_id(1), vrf_id(3)});
    lab.taps.interfaces = interfaces;
    lab.taps.publish();
    const std::vector<octets> packets = train({}, 2);
    const auto at = [&](std::uint32_t port, direction way, const octets& packet) {
        lab.source->shape.port = port_id(port);
        lab.source->shape.way = way;
        lab.run({packet});
    };
    at(1, direction::ingress, packets[0]);
    at(2, direction::egress, packets[1]);
    at(2, direction::ingress, packets[1]);
    at(1, direction::egress, packets[1]);
    at(3, direction::ingress, packets[1]);
    CHECK(lab.got == deliveries{{1, {packets[0]}}});
    CHECK(lab.counted().waiting == 4);
    at(2, direction::egress, packets[0]);
    CHECK(lab.got[2] == packets);
    at(1, direction::ingress, packets[1]);
    CHECK(lab.got[1] == packets);
    // Global criteria see what comes in only.
    at(2, direction::ingress, packets[0]);
    CHECK(lab.got[1].size() + lab.got[2].size() == 4);
    CHECK(lab.adds_up());
}

TEST_CASE("an IPv6 packet of one fragment is a whole packet") {
    fragment_lab lab;
    lab.taps.add(to_port(53), {1});
    lab.taps.publish();
    const datagram of{.of_family = family::inet6};
    const octets atomic = fragment(of, 0, false, udp_payload(of, 16));
    lab.run({atomic, train(of, 2)[1]});
    CHECK(lab.got == deliveries{{1, {atomic}}});
    CHECK(lab.counted().waiting == 1);
}

TEST_CASE("a first fragment that is too short for ports decides as it is") {
    for (const std::uint16_t port : {std::uint16_t{0}, std::uint16_t{53}}) {
        fragment_lab lab;
        const datagram of{.from = 9};
        lab.taps.add(port == 0 ? any_ipv4() : to_port(port), {1});
        lab.taps.publish();
        const octets payload = udp_payload(of, 16);
        // Eight octets would be the least that a fragment has; nothing says that it must.
        const std::vector<octets> packets{fragment(of, 0, true, std::span(payload).first(3)),
                                          fragment(of, 8, false, std::span(payload).subspan(8))};
        lab.run(packets);
        CHECK(lab.got == (port == 0 ? deliveries{{1, packets}} : deliveries{}));
    }
}

TEST_CASE("duplicates and overlaps follow too, and the newest first fragment decides") {
    fragment_lab lab;
    lab.taps.add(to_port(53), {1});
    lab.taps.publish();
    const datagram of{.port = 53};
    const datagram next{.port = 54}; // the same identification again
    const octets payload = udp_payload(of, 64);
    const octets overlap = fragment(of, 16, true, std::span(payload).subspan(16, 24));
    const std::vector<octets> packets = train(of, 3);
    const std::vector<octets> sent{packets[0], packets[1], overlap,
                                   packets[1], packets[0], packets[2]};
    lab.run_one_by_one(sent);
    CHECK(lab.got == deliveries{{1, sent}});
    lab.run_one_by_one({train(next, 3)[0], packets[1], packets[2]});
    CHECK(lab.got[1].size() == sent.size());
    lab.run({packets[0], train(next, 3)[0], packets[1], packets[0], packets[2]});
    CHECK(lab.got[1].size() == sent.size() + 3);
    CHECK(lab.adds_up());
}

TEST_CASE("later fragments follow criteria that are still there, and no others") {
    struct row {
        const char* what;
        std::function<void(fragment_lab&, slot_id)> change;
        deliveries got_then;
    };
    const std::vector<octets> packets = train({}, 2);
    const row rows[] = {
        {"nothing changed", [](fragment_lab&, slot_id) {}, {{1, packets}}},
        {"deleted",
         [](fragment_lab& lab, slot_id slot) { lab.taps.remove(slot); },
         {{1, {packets[0]}}}},
        {"switched off",
         [](fragment_lab& lab, slot_id slot) { lab.path.stop(slot); },
         {{1, {packets[0]}}}},
        {"another criterion for the same stream",
         [](fragment_lab& lab, slot_id slot) {
             lab.taps.remove(slot);
             lab.taps.add(any_ipv4(), {1});
         },
         {{1, {packets[0]}}}},
        {"one more criterion",
         [](fragment_lab& lab, slot_id) {
             lab.taps.add(any_ipv4(), {1, 2});
         },
         {{1, packets}}},
        {"another criterion in the same slot",
         [](fragment_lab& lab, slot_id slot) {
             lab.taps.remove(slot);
             lab.taps.publish();
             lab.path.settled();
             CHECK(lab.taps.add(any_ipv4(), {1}) == slot);
         },
         {{1, {packets[0]}}}},
    };
    for (const bool is_early : {false, true}) {
        for (const row& each : rows) {
            CAPTURE(each.what);
            CAPTURE(is_early);
            fragment_lab lab;
            const slot_id slot = lab.taps.add(any_ipv4(), {1});
            lab.taps.publish();
            // Early ones follow what the first finds, whatever was there before.
            lab.run({packets[is_early ? 1 : 0]});
            each.change(lab, slot);
            lab.taps.publish();
            lab.run({packets[is_early ? 0 : 1]});
            if (!is_early)
                CHECK(lab.got == each.got_then);
            CHECK(lab.adds_up());
        }
    }
}

TEST_CASE("early fragments are for the criteria that match the first") {
    fragment_lab lab;
    lab.taps.publish();
    const std::vector<octets> packets = train({}, 3);
    lab.run({packets[2], packets[1]});
    lab.taps.add(any_ipv4(), {1});
    lab.taps.publish();
    lab.run({packets[0]});
    CHECK(lab.got == deliveries{{1, {packets[0], packets[2], packets[1]}}});
}

TEST_CASE("every fragment is taken from the budget") {
    struct row {
        const char* what;
        match_budget budget;
        std::size_t copied;
    };
    const std::vector<octets> packets = train({}, 4);
    const std::uint64_t size = packets[0].size();
    const row rows[] = {{"packets", {3, {}}, 3},
                        {"octets", {{}, 2 * size}, 2},
                        {"octets for two and a half", {{}, 2 * size + size / 2}, 2},
                        {"more than enough", {5, 100 * size}, 4}};
    for (const std::vector<std::size_t>& order :
         {std::vector<std::size_t>{0, 1, 2, 3}, {3, 2, 0, 1}}) {
        for (const row& each : rows) {
            CAPTURE(each.what);
            fragment_lab lab;
            const slot_id slot = lab.taps.add(any_ipv4(), {1});
            lab.path.grant(slot, each.budget);
            lab.taps.publish();
            lab.run_one_by_one(in_order(packets, order));
            CHECK(lab.got[1].size() == each.copied);
            CHECK(lab.path.counters(slot).packets == each.copied);
            CHECK(lab.work->counters().tapped == each.copied);
            CHECK(lab.path.next_exhausted().has_value() == (each.copied < 4));
            CHECK(lab.adds_up());
        }
    }
}

TEST_CASE("limits on copies hold for each fragment") {
    const std::vector<octets> packets = train({}, 4);
    fragment_lab lab;
    lab.taps.copy_limits = {0, 1};
    std::vector<slot_id> slots;
    for (std::uint32_t i = 0; i < 2; ++i) {
        action what = action_for({i});
        what.group = copy_group_id(1);
        what.rank = i;
        slots.push_back(lab.taps.add(any_ipv4(), std::move(what)));
    }
    lab.taps.publish();
    lab.run({packets[1], packets[0], packets[2]});
    lab.run({packets[3]});
    CHECK(lab.got == deliveries{{0, {packets[0], packets[1], packets[2], packets[3]}}});
    CHECK(lab.path.counters(slots[0]).dropped[0].packets == 0);
    CHECK(lab.path.counters(slots[1]).dropped[0].packets == 4);
    CHECK(lab.path.counters(slots[1]).packets == 4);
}

TEST_CASE("fragments of the access point's own services are never tapped") {
    for (const std::vector<std::size_t>& order :
         {std::vector<std::size_t>{0, 1, 2}, {2, 0, 1}, {2, 1, 0}}) {
        CAPTURE(order);
        fragment_lab lab;
        auto own = std::make_shared<own_traffic>();
        own->add(17, {ip_address::v4(0x0A000002), 53});
        lab.taps.own = own;
        lab.taps.add(any_ipv4(), {1});
        lab.taps.publish();
        lab.run_one_by_one(in_order(train({.port = 53}, 3), order));
        CHECK(lab.got.empty());
        CHECK(lab.work->counters().own == 3);
        CHECK(lab.counted().followed == 2);
        const std::vector<octets> other = train({.identification = 2, .port = 54}, 3);
        lab.run(in_order(other, order));
        CHECK(lab.got[1].size() == 3);
        CHECK(lab.adds_up());
    }
}

TEST_CASE("captures that hold a part of a fragment") {
    const std::vector<octets> packets = train({}, 3);
    SUBCASE("are not sent, and a first one has its later ones left out") {
        fragment_lab lab;
        lab.taps.add(any_ipv4(), {1});
        lab.taps.publish();
        lab.run({packets[1]});
        lab.source->cut_off = 8;
        octets cut(packets[0].begin(), packets[0].end() - 8);
        lab.run({cut});
        lab.source->cut_off = 0;
        lab.run({packets[2]});
        CHECK(lab.got.empty());
        CHECK(lab.counted().followed == 2);
        CHECK(lab.counted().waiting == 0);
        lab.source->cut_off = 8;
        lab.run({octets(packets[1].begin(), packets[1].end() - 8)});
        CHECK(lab.left_out(fragment_loss::cut_short) == 1);
        CHECK(lab.adds_up());
    }
    SUBCASE("are sent as far as they go where that is asked for") {
        fragment_lab lab({}, {.cut_short = cut_short_packets::send});
        const slot_id slot = lab.taps.add(to_port(53), {1});
        lab.taps.publish();
        lab.source->cut_off = 8;
        std::vector<octets> cut = packets;
        for (octets& each : cut)
            each.resize(each.size() - 8);
        lab.run_one_by_one(in_order(cut, {1, 0, 2}));
        CHECK(lab.got == deliveries{{1, in_order(cut, {0, 1, 2})}});
        CHECK(lab.path.counters(slot).octets == 3 * packets[0].size());
    }
}

TEST_CASE("copies of fragments wait for a full sink, and are withdrawn with their criterion") {
    for (const bool withdraws : {false, true}) {
        CAPTURE(withdraws);
        fragment_lab lab({}, {}, 0);
        const slot_id gone = lab.taps.add(any_ipv4(), {1});
        lab.taps.add(any_ipv4(), {2});
        lab.taps.publish();
        const std::vector<octets> packets = train({}, 4);
        std::size_t waits = 0;
        lab.sink->on_wait = [&](collecting_sink& sink) {
            if (waits++ == 0) {
                if (withdraws)
                    lab.taps.remove(gone);
                // Nor does one that was not there for the first one keep its copies.
                lab.taps.add(any_ipv4(), {1});
                lab.taps.publish();
            }
            sink.make_room(1);
        };
        lab.run({packets[3], packets[0], packets[1]});
        lab.run({packets[2]});
        lab.sink->make_room(SIZE_MAX);
        const std::vector<octets> all = in_order(packets, {0, 3, 1, 2});
        CHECK(lab.got == (withdraws ? deliveries{{2, all}} : deliveries{{1, all}, {2, all}}));
        CHECK(dropped(lab.work->counters(), drop_cause::withdrawn) == (withdraws ? 3 : 0));
        CHECK(lab.adds_up());
    }
}

TEST_CASE("more fragments than fit into what is handed over at once are all there") {
    fragment_lab lab({}, {.batch = 512});
    lab.taps.add(any_ipv4(), {1, 2});
    lab.taps.publish();
    std::vector<octets> batch;
    std::vector<octets> expected;
    for (std::uint32_t id = 0; id < 100; ++id) {
        const std::vector<octets> packets = train({.identification = id}, 5);
        for (const std::size_t each : {3, 1, 0, 4, 2})
            batch.push_back(packets[each]);
        for (const std::size_t each : {0, 3, 1, 4, 2})
            expected.push_back(packets[each]);
    }
    lab.run(batch);
    CHECK(lab.got == deliveries{{1, expected}, {2, expected}});
    CHECK(lab.work->counters().copies == 1000);
    CHECK(lab.adds_up());
}

TEST_CASE("a worker that is added later follows fragments, too") {
    fragment_lab lab;
    lab.taps.add(any_ipv4(), {1});
    lab.taps.publish();
    deliveries got;
    auto from = std::make_unique<fed_source>();
    from->batches.push_back(train({}, 3));
    worker& late = lab.path.add_worker(std::move(from), std::make_unique<collecting_sink>(got));
    late.run_once();
    CHECK(got[1].size() == 3);
    CHECK(lab.path.counters().fragments.followed == 2);
}
