// SPDX-License-Identifier: Apache-2.0
#include <flowtap/path/drop_policy.hpp>

#include <algorithm>
#include <array>

#include <doctest/doctest.h>

#include "../../support/filter/random_filters.hpp"
#include "fragment_fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;

namespace {

std::shared_ptr<const drop_policy> policy_of(const std::vector<filter_spec>& terms) {
    return drop_policy::make(terms).value();
}

action withholding(std::vector<std::uint32_t> streams, const std::vector<filter_spec>& terms) {
    action made = action_for(std::move(streams));
    made.withholds = policy_of(terms);
    return made;
}

/// A worker that reads once, for each call, what it is given.
struct policy_lab : fragment_lab {
    policy_lab() { taps.fragments = fragment_policy::first; }
};

} // namespace

TEST_CASE("a packet that a term names is not copied for its criterion, and is for all others") {
    policy_lab lab;
    const slot_id part = lab.taps.add(any_ipv4(), withholding({0}, {to_port(53), to_port(54)}));
    const slot_id all = lab.taps.add(any_ipv4(), {1});
    lab.taps.publish();
    const std::vector<octets> sent = {udp_packet(2, 53), udp_packet(2, 55), udp_packet(2, 54)};
    lab.run(sent);
    CHECK(lab.got == deliveries{{0, {sent[1]}}, {1, sent}});
    const slot_counters of_part = lab.path.counters(part);
    CHECK(of_part.packets == 1);
    CHECK(of_part.octets == sent[1].size());
    CHECK(of_part.withheld.packets == 2);
    CHECK(of_part.withheld.octets == sent[0].size() + sent[2].size());
    CHECK(lab.path.counters(all).packets == 3);
    CHECK(lab.path.counters(all).withheld.packets == 0);
    CHECK(lab.work->counters().tapped == 3);
    CHECK(lab.work->counters().withheld == 0);
    CHECK(closes(lab.work->counters()));
}

TEST_CASE("a packet that all its criteria withhold is not tapped, and the sums close") {
    policy_lab lab;
    lab.taps.add(to_host(2), withholding({0}, {to_port(53)}));
    lab.taps.add(any_ipv4(), withholding({1}, {to_port(53)}));
    lab.taps.publish();
    lab.run({udp_packet(2, 53, 10), udp_packet(2, 54, 20), udp_packet(3, 53, 30)});
    const path_counters counted = lab.work->counters();
    CHECK(counted.tapped == 1);
    CHECK(counted.untapped == 2);
    CHECK(counted.withheld == 2);
    CHECK(counted.withheld_octets == 38 + 58);
    CHECK(counted.copies == 2);
    CHECK(closes(counted));
}

TEST_CASE("two criteria for one stream copy a packet when one of them does not withhold it") {
    policy_lab lab;
    lab.taps.add(any_ipv4(), withholding({0}, {to_port(53)}));
    lab.taps.add(any_ipv4(), {0});
    lab.taps.publish();
    lab.run({udp_packet(2, 53)});
    CHECK(lab.got[0].size() == 1);
}

TEST_CASE("what is withheld draws on no budget and is no match") {
    policy_lab lab;
    const slot_id slot = lab.taps.add(any_ipv4(), withholding({0}, {to_port(53)}));
    lab.path.grant(slot, {2, {}});
    lab.taps.publish();
    lab.run({udp_packet(2, 53), udp_packet(2, 53), udp_packet(2, 53)});
    CHECK(lab.path.remaining(slot).packets == 2);
    CHECK_FALSE(lab.path.counters(slot).last_match);
    lab.run({udp_packet(2, 54), udp_packet(2, 53), udp_packet(2, 54)});
    CHECK(lab.got[0].size() == 2);
    CHECK(lab.path.next_exhausted() == slot);
    CHECK(lab.path.counters(slot).withheld.packets == 4);
}

TEST_CASE("terms hold for packets that leave as for those that enter") {
    policy_lab lab;
    filter_spec leaving = any_ipv4();
    leaving.scope = output_scope{{interface_id(0)}};
    filter_spec term = to_port(53);
    term.scope = input_scope{{interface_id(7)}}; // not looked at
    const slot_id out = lab.taps.add(leaving, withholding({0}, {term}));
    const slot_id in = lab.taps.add(any_ipv4(), withholding({1}, {term}));
    lab.taps.publish();
    for (const direction way : {direction::ingress, direction::egress}) {
        lab.source->shape.way = way;
        lab.run({udp_packet(2, 53), udp_packet(2, 54)});
    }
    for (const slot_id slot : {out, in}) {
        CHECK(lab.path.counters(slot).packets == 1);
        CHECK(lab.path.counters(slot).withheld.packets == 1);
    }
}

TEST_CASE("another policy, or none, holds from the next batch on; a new criterion counts anew") {
    deliveries got;
    data_path path(data_path_options{1, 16});
    worker& work = path.add_worker(
        std::make_unique<repeating_source>(std::vector<octets>{udp_packet(2, 53)}, 9),
        std::make_unique<collecting_sink>(got));
    const auto publish = [&](slot_id slot, action what) {
        snapshot made;
        made.criteria = std::make_shared<const filter::classifier>(
            filter::classifier::build(std::array{filter::criterion::make(slot, any_ipv4()).value()})
                .value());
        made.actions.assign(slot, std::move(what));
        path.publish(std::move(made));
    };
    slot_id slot;
    REQUIRE(path.acquire(slot));
    publish(slot, action_for({0}));
    work.run_once();
    CHECK(path.counters(slot).withheld.packets == 0);
    publish(slot, withholding({0}, {to_port(53)}));
    work.run_once();
    publish(slot, withholding({0}, {to_port(54)}));
    work.run_once();
    publish(slot, withholding({0}, {}));
    work.run_once();
    publish(slot, action_for({0}));
    work.run_once();
    CHECK(got[0].size() == 4);
    CHECK(path.counters(slot).withheld.packets == 1);

    path.release(slot);
    path.publish({});
    slot_id next;
    REQUIRE(path.acquire(next));
    REQUIRE(next == slot);
    CHECK(path.counters(next).withheld.packets == 0);
    CHECK(path.counters(next).withheld.octets == 0);
}

TEST_CASE("a copy in hand does not go out for a criterion that withholds its packet") {
    deliveries got;
    data_path path;
    auto to = std::make_unique<collecting_sink>(got, 0);
    collecting_sink& sink = *to;
    worker& work = path.add_worker(
        std::make_unique<repeating_source>(std::vector<octets>{udp_packet(2)}, 1), std::move(to));
    tapping taps(path);
    const slot_id wanting = taps.add(any_ipv4(), {0});
    taps.add(any_ipv4(), withholding({0}, {to_port(53)}));
    taps.publish();
    sink.on_wait = [&](collecting_sink& full) {
        taps.remove(wanting);
        taps.publish();
        full.make_room(9);
        full.on_wait = nullptr;
    };
    work.run();
    CHECK(got[0].empty());
    CHECK(dropped(work.counters(), drop_cause::withdrawn) == 1);
    CHECK(closes(work.counters()));
}

TEST_CASE("later fragments are withheld as the first one is, in whatever order they come") {
    for (const family of : {family::inet, family::inet6}) {
        const std::vector<octets> kept_back = train({.of_family = of, .port = 53}, 4);
        const std::vector<octets> sent =
            train({.of_family = of, .identification = 2, .port = 54}, 4);
        std::vector<std::size_t> order{0, 1, 2, 3};
        do {
            CAPTURE(order);
            fragment_lab lab;
            const slot_id slot = lab.taps.add(anything(), withholding({0}, {to_port(53)}));
            const slot_id other = lab.taps.add(anything(), {1});
            lab.taps.publish();
            lab.run_one_by_one(in_order(kept_back, order));
            lab.run_one_by_one(in_order(sent, order));
            CHECK(lab.got[0].size() == 4);
            CHECK(lab.got[1].size() == 8);
            CHECK(lab.path.counters(slot).packets == 4);
            CHECK(lab.path.counters(slot).withheld.packets == 4);
            CHECK(lab.path.counters(slot).withheld.octets == 4 * kept_back[0].size());
            CHECK(lab.path.counters(other).withheld.packets == 0);
            CHECK(lab.adds_up());
        } while (std::ranges::next_permutation(order).found);
    }
}

TEST_CASE("of a packet that nobody gets, early and later fragments count as withheld") {
    fragment_lab lab;
    lab.taps.add(anything(), withholding({0}, {to_port(53)}));
    lab.taps.publish();
    lab.run_one_by_one(in_order(train({.port = 53}, 4), {2, 0, 1, 3}));
    CHECK(lab.work->counters().withheld == 4);
    CHECK(lab.work->counters().untapped == 4);
    CHECK(lab.adds_up());
}

TEST_CASE("a policy withholds what the definitions of its terms say") {
    constexpr std::uint64_t seed = 0x70'6F'6C;
    CAPTURE(seed);
    filter::testing::random_filters random(seed);
    filter::match_buffer room = drop_policy::make_room();
    std::size_t hits = 0;
    std::size_t asked = 0;
    for (int round = 0; round < 300; ++round) {
        std::vector<filter_spec> terms;
        for (std::uint64_t i = random.below(6); i > 0; --i) {
            terms.push_back(random.filter(random.any_family(), 0));
            // Where a random list is no term, the wildcard is.
            if (!filter::criterion::make(slot_id(0), terms.back()))
                terms.back() = anything();
        }
        const auto made = policy_of(terms);
        for (int i = 0; i < 100; ++i, ++asked) {
            const packet_key key = random.packet(random.any_family());
            packet_key entering = key;
            entering.way = direction::ingress;
            const bool expected = std::ranges::any_of(
                terms, [&](const filter_spec& term) { return filter::matches(term, entering); });
            hits += expected ? 1U : 0U;
            CHECK(made->withholds(key, room) == expected);
        }
    }
    // Neither of the answers is rare.
    CHECK(hits > asked / 20);
    CHECK(hits < asked - asked / 20);
}

TEST_CASE("terms that are no filters, or too many, are refused") {
    filter_spec none;
    CHECK(drop_policy::make(std::array{none}).error().code == filter::errc::no_family);
    std::vector<filter_spec> terms(drop_policy::most_terms, anything());
    filter::match_buffer room = drop_policy::make_room();
    // All of them match at once.
    CHECK(policy_of(terms)->withholds({}, room));
    terms.push_back(anything());
    CHECK(drop_policy::make(terms).error().code == filter::errc::too_many_criteria);
}
