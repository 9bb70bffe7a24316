// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <ostream>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/filter/live_classifier.hpp>

#include "compare.hpp"
#include "random_filters.hpp"
#include "test_values.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

/// The criterion of one slot that looks for packets to one address.
criterion to_host(std::uint32_t slot, std::uint32_t address) {
    filter_spec spec = wildcard(family::inet);
    const address_bits bits{0, address};
    spec.destination_addresses.entries.push_back({{bits, bits}});
    return criterion::make(slot_id(slot), spec).value();
}

/// The same for all slots below `count`, each for the address that is its number.
void insert_hosts(live_classifier& into, std::uint32_t count) {
    for (std::uint32_t slot = 0; slot < count; ++slot)
        REQUIRE(into.insert(to_host(slot, slot)).has_value());
}

packet_key packet_to(std::uint32_t address) {
    packet_key key = tcp("192.0.2.1", 1, "192.0.2.2", 2);
    key.destination = {0, address};
    return key;
}

/// The slots that a version finds for a packet to this address.
std::vector<std::uint32_t> found_by(const classifier& version, std::uint32_t address) {
    match_buffer found(1, version.cost().criteria);
    const packet_key key = packet_to(address);
    REQUIRE(version.match(std::span(&key, 1), found) == 1);
    std::vector<std::uint32_t> slots;
    for (const slot_id slot : found.matches(0))
        slots.push_back(slot.value());
    return slots;
}

using slots = std::vector<std::uint32_t>;

std::error_code error_of(const result<void>& outcome) {
    REQUIRE_FALSE(outcome.has_value());
    return outcome.error().code;
}

void merge_all(live_classifier& of, merge_aim aim = merge_aim::steady) {
    while (auto job = of.begin_merge(aim)) {
        job->run();
        of.finish(std::move(*job));
    }
}

} // namespace

TEST_CASE("a live classifier without criteria matches nothing, and has nothing to merge") {
    live_classifier live;
    CHECK(found_by(live.version(), 1).empty());
    CHECK_FALSE(live.begin_merge().has_value());
    CHECK_FALSE(live.begin_merge(merge_aim::whole).has_value());
    CHECK_FALSE(live.erase(slot_id(3)));
    CHECK(live.find(slot_id(3)) == nullptr);
    CHECK(live.size() == 0);
    CHECK(live.cost().criteria == 0);
}

TEST_CASE("a slot may be used again at once, and earlier versions do not notice") {
    live_classifier live;
    REQUIRE(live.insert(to_host(1, 10)).has_value());
    const classifier first = live.version();
    CHECK(live.erase(slot_id(1)));
    REQUIRE(live.insert(to_host(1, 11)).has_value());
    const classifier second = live.version();
    merge_all(live);
    CHECK(live.erase(slot_id(1)));
    REQUIRE(live.insert(to_host(1, 12)).has_value());
    CHECK(live.erase(slot_id(1)));
    REQUIRE(live.insert(to_host(1, 13)).has_value());
    const classifier third = live.version();
    for (std::uint32_t address = 10; address < 14; ++address) {
        CHECK(found_by(first, address) == (address == 10 ? slots{1} : slots{}));
        CHECK(found_by(second, address) == (address == 11 ? slots{1} : slots{}));
        CHECK(found_by(third, address) == (address == 13 ? slots{1} : slots{}));
    }
}

TEST_CASE("every version knows how many of its criteria are about whole frames") {
    live_classifier live;
    insert_hosts(live, 100);
    CHECK(live.version().cost().frames == 0);
    std::vector<criterion> all;
    for (std::uint32_t slot = 200; slot < 203; ++slot) {
        filter_spec spec = wildcard(family::ccc);
        if (slot == 202)
            spec.families.insert(family::inet);
        all.push_back(criterion::make(slot_id(slot), spec).value());
        REQUIRE(live.insert(all.back()).has_value());
    }
    CHECK(classifier::build(all).value().cost().frames == 3);
    const classifier three = live.version();
    CHECK(live.erase(slot_id(200)));
    merge_all(live, merge_aim::whole);
    CHECK(live.version().cost().frames == 2);
    CHECK(live.erase(slot_id(201)));
    CHECK(live.erase(slot_id(202)));
    CHECK(live.version().cost().frames == 0);
    CHECK(three.cost().frames == 3);
}

TEST_CASE("a version without a change before it is the one before") {
    live_classifier live;
    insert_hosts(live, 3);
    const classifier first = live.version();
    CHECK(live.version().cost().memory == first.cost().memory);
    CHECK(live.insert(to_host(7, 1)).has_value());
    CHECK(live.erase(slot_id(7)));
    CHECK(found_by(live.version(), 1) == slots{1});
}

TEST_CASE("versions outlive their classifier") {
    classifier kept;
    {
        live_classifier live;
        insert_hosts(live, 300);
        merge_all(live);
        REQUIRE(live.insert(to_host(300, 7)).has_value());
        kept = live.version();
    }
    CHECK(found_by(kept, 7) == slots{7, 300});
}

TEST_CASE("100,000 criteria inserted in one turn are compiled once, and all can be erased") {
    constexpr std::uint32_t count = 100'000;
    live_classifier live;
    insert_hosts(live, count);
    CHECK(live.cost().unmerged == count);
    const classifier full = live.version();
    CHECK(live.compiled() == count);
    CHECK(full.cost().criteria == count);
    CHECK(full.cost().unmerged == 0);
    CHECK(full.cost().memory > count * sizeof(filter_spec));
    for (std::uint32_t address = 0; address < count; address += 997)
        REQUIRE(found_by(full, address) == slots{address});
    CHECK(error_of(live.insert(to_host(count, 1))) ==
          make_error_code(filter::errc::too_many_criteria));

    for (std::uint32_t slot = 0; slot < count; ++slot)
        REQUIRE(live.erase(slot_id(slot)));
    const classifier empty = live.version();
    CHECK(found_by(empty, 997).empty());
    CHECK(found_by(full, 997) == slots{997});
    CHECK(live.size() == 0);
    CHECK(live.compiled() == count);
    CHECK(live.cost().reserved == 0);
    CHECK(live.cost().memory < full.cost().memory / 5);
    // The job finds nothing to compile.
    if (auto job = live.begin_merge(merge_aim::whole))
        CHECK(job->size() == 0);
}

TEST_CASE("what is erased while it is merged stays erased") {
    live_classifier live;
    insert_hosts(live, 200);
    const classifier before = live.version();
    auto job = live.begin_merge(merge_aim::whole);
    if (!job) {
        // All in one level already: erase and merge again.
        REQUIRE(live.erase(slot_id(199)));
        job = live.begin_merge(merge_aim::whole);
    }
    REQUIRE(job.has_value());
    CHECK(live.erase(slot_id(5)));
    job->run();
    CHECK(live.erase(slot_id(6)));
    REQUIRE(live.insert(to_host(6, 1006)).has_value());
    CHECK(found_by(live.version(), 1006) == slots{6});
    live.finish(std::move(*job));
    const classifier after = live.version();
    CHECK(found_by(after, 5).empty());
    CHECK(found_by(after, 6).empty());
    CHECK(found_by(after, 7) == slots{7});
    CHECK(found_by(after, 1006) == slots{6});
    CHECK(found_by(before, 6) == slots{6});
}

TEST_CASE("a merge of which everything was erased leaves nothing") {
    for (const bool early : {false, true}) {
        CAPTURE(early);
        live_classifier live;
        insert_hosts(live, 20);
        live.version();
        auto job = live.begin_merge();
        REQUIRE(job.has_value());
        CHECK(job->size() == 20);
        if (early)
            job->run();
        for (std::uint32_t slot = 0; slot < 20; ++slot)
            CHECK(live.erase(slot_id(slot)));
        CHECK(found_by(live.version(), 3).empty());
        job->run();
        live.finish(std::move(*job));
        CHECK(found_by(live.version(), 3).empty());
        CHECK(live.cost().unmerged == 0);
        CHECK_FALSE(live.begin_merge(merge_aim::whole).has_value());
    }
}

TEST_CASE("one job at a time: dropped, not run, or of another classifier, it changes nothing") {
    live_classifier live;
    live_classifier other;
    insert_hosts(live, 20);
    insert_hosts(other, 3);
    live.version();
    other.version();
    auto job = live.begin_merge();
    REQUIRE(job.has_value());
    CHECK_FALSE(live.begin_merge().has_value());
    CHECK_FALSE(live.begin_merge(merge_aim::whole).has_value());

    SUBCASE("dropped") {
        job->run();
        job.reset();
    }
    SUBCASE("not run") {
        live.finish(std::move(*job));
    }
    SUBCASE("of another") {
        auto foreign = other.begin_merge();
        REQUIRE(foreign.has_value());
        foreign->run();
        live.finish(std::move(*foreign));
        CHECK_FALSE(live.begin_merge().has_value());
        CHECK(found_by(other.version(), 2) == slots{2});
        REQUIRE(other.begin_merge().has_value());
        job.reset();
    }
    CHECK(live.compiled() == 0);
    CHECK(found_by(live.version(), 19) == slots{19});

    auto again = live.begin_merge();
    REQUIRE(again.has_value());
    again->run();
    again->run();
    live.finish(std::move(*again));
    live.finish(std::move(*again)); // NOLINT(bugprone-use-after-move): nothing is left to finish
    CHECK(live.compiled() == 20);
    CHECK(live.cost().unmerged == 0);
    CHECK(found_by(live.version(), 19) == slots{19});
}

TEST_CASE("a job may outlive its classifier") {
    std::optional<merge_job> job;
    {
        live_classifier live;
        insert_hosts(live, 20);
        live.version();
        job = live.begin_merge();
    }
    REQUIRE(job.has_value());
    job->run();
    live_classifier another;
    another.finish(std::move(*job));
    CHECK(another.size() == 0);
}

TEST_CASE("everything can be brought into one level") {
    live_classifier live;
    insert_hosts(live, 5000);
    live.version();
    for (std::uint32_t slot = 5000; slot < 5070; ++slot) {
        REQUIRE(live.insert(to_host(slot, slot)).has_value());
        live.version();
    }
    REQUIRE(live.erase(slot_id(17)));
    merge_all(live, merge_aim::whole);
    CHECK_FALSE(live.begin_merge().has_value());
    const classifier_cost merged = live.version().cost();
    CHECK(merged.unmerged == 0);
    std::vector<criterion> same;
    for (std::uint32_t slot = 0; slot < 5070; ++slot) {
        if (slot != 17)
            same.push_back(to_host(slot, slot));
    }
    const classifier_cost built = classifier::build(same).value().cost();
    CHECK(merged.probes_inet == built.probes_inet);
    CHECK(merged.groups_inet == built.groups_inet);
    CHECK(merged.criteria == built.criteria);
    CHECK(merged.entries == built.entries);
}

TEST_CASE("limits are refused with their codes, and nothing has changed then") {
    classifier_limits limits;
    limits.criteria = 10;
    limits.entries = 14;
    live_classifier live(limits);
    insert_hosts(live, 9);
    const std::size_t reserved = live.cost().reserved;

    CHECK(error_of(live.insert(to_host(3, 50))) == make_error_code(filter::errc::duplicate_slot));
    filter_spec listed = to_host(9, 9).spec();
    for (std::uint16_t port = 1; port < 6; ++port)
        listed.source_ports.entries.push_back({{port, port}});
    CHECK(error_of(live.insert(criterion::make(slot_id(9), listed).value())) ==
          make_error_code(filter::errc::too_many_entries));
    CHECK(live.cost().entries == 9);
    CHECK(live.cost().reserved == reserved);

    limits.memory = reserved;
    live.limit(limits);
    CHECK(error_of(live.insert(to_host(9, 9))) == make_error_code(filter::errc::too_much_memory));
    CHECK(live.find(slot_id(9)) == nullptr);
    CHECK(found_by(live.version(), 9).empty());
    limits.memory = reserved / 9 * 10;
    live.limit(limits);
    REQUIRE(live.insert(to_host(9, 9)).has_value());
    CHECK(error_of(live.insert(to_host(10, 10))) ==
          make_error_code(filter::errc::too_many_criteria));
    CHECK(found_by(live.version(), 9) == slots{9});

    // Lower limits leave alone what is there, and let it go.
    live.limit({.criteria = 1, .memory = 1, .entries = 1});
    merge_all(live, merge_aim::whole);
    CHECK(live.version().cost().criteria == 10);
    CHECK(live.erase(slot_id(9)));
    CHECK(live.cost().reserved == reserved);
    CHECK(error_of(live.insert(to_host(9, 9))) == make_error_code(filter::errc::too_many_criteria));
}

TEST_CASE("a merge never takes more memory than was reserved when its criteria were accepted") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        CAPTURE(seed);
        random_filters random(seed);
        live_classifier live;
        for (const criterion& one : random_criteria(random, 200 * seed * seed))
            REQUIRE(live.insert(one).has_value());
        merge_all(live, merge_aim::whole);
        const classifier_cost cost = live.version().cost();
        // Beside the criteria there are the empty tables of a level, and that of the slots.
        CHECK(cost.memory <= cost.reserved + 1'000'000);
    }
}

TEST_CASE("the work that changes cause is bounded") {
    constexpr std::uint32_t count = 9000;
    // One criterion takes part in a merge of each level once; those it is merged with are at most
    // 32 times as many as are new.
    constexpr std::uint64_t bound = 2 * 33;
    for (const bool in_jobs : {true, false}) {
        CAPTURE(in_jobs);
        live_classifier live;
        std::uint64_t most_at_once = 0;
        for (std::uint32_t slot = 0; slot < count; ++slot) {
            const std::uint64_t before = live.compiled();
            REQUIRE(live.insert(to_host(slot, slot)).has_value());
            live.version();
            most_at_once = std::max(most_at_once, live.compiled() - before);
            if (in_jobs)
                merge_all(live);
            REQUIRE(live.cost().unmerged <= 8 * 64);
        }
        CHECK(live.compiled() <= bound * count);
        // With jobs, nobody waits for a compiler.
        CHECK((most_at_once == 0) == in_jobs);

        const std::uint64_t before = live.compiled();
        for (std::uint32_t slot = 0; slot < count; ++slot) {
            REQUIRE(live.erase(slot_id(slot)));
            live.version();
            if (in_jobs)
                merge_all(live);
        }
        CHECK(live.compiled() - before <= 5 * count);
        CHECK(live.version().cost().criteria == 0);
    }
}

TEST_CASE("criteria that come and go at once leave nothing behind") {
    live_classifier live;
    insert_hosts(live, 1000);
    merge_all(live, merge_aim::whole);
    live.version();
    const std::uint64_t before = live.compiled();
    const std::size_t memory = live.version().cost().memory;
    for (std::uint32_t turn = 0; turn < 5000; ++turn) {
        REQUIRE(live.insert(to_host(2000, turn)).has_value());
        CHECK(found_by(live.version(), turn).size() == (turn < 1000 ? 2 : 1));
        REQUIRE(live.erase(slot_id(2000)));
        live.version();
        if (turn % 7 == 0)
            merge_all(live);
    }
    CHECK(live.compiled() - before <= 5000 * 33);
    CHECK(live.version().cost().memory <= memory + 17 * 64 * 1024);
}

TEST_CASE("a job that takes very long does not make overlays pile up") {
    live_classifier live;
    insert_hosts(live, 64);
    live.version();
    auto job = live.begin_merge(merge_aim::whole);
    REQUIRE(job.has_value());
    constexpr std::uint32_t count = 6000;
    for (std::uint32_t slot = 64; slot < count; ++slot) {
        REQUIRE(live.insert(to_host(slot, slot)).has_value());
        live.version();
        REQUIRE(live.cost().unmerged <= 9 * 64);
    }
    CHECK(live.compiled() <= std::uint64_t{2 * 33} * count);
    job->run();
    live.finish(std::move(*job));
    for (std::uint32_t address = 0; address < count; address += 61)
        CHECK(found_by(live.version(), address) == slots{address});
}

TEST_CASE("an overlay of criteria without addresses finds what the definitions say") {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        const auto octets = [&](range_list<std::uint8_t>& list) {
            for (std::uint64_t left = random() % 4; left != 0; --left) {
                const auto first = static_cast<std::uint8_t>(random() % 240);
                const auto last = static_cast<std::uint8_t>(first + random() % 16);
                list.entries.push_back({{first, last}, random() % 3 == 0});
            }
        };
        const auto ports = [&](range_list<std::uint16_t>& list, std::uint64_t count, bool negates) {
            for (; count != 0; --count) {
                const auto first = static_cast<std::uint16_t>(random() % 1000);
                const auto last = static_cast<std::uint16_t>(first + random() % 300);
                list.entries.push_back({{first, last}, negates && random() % 4 == 0});
            }
        };
        std::vector<criterion> criteria;
        live_classifier live;
        for (std::uint32_t slot = 0; slot < 64; ++slot) {
            filter_spec spec = wildcard(slot % 5 == 0 ? family::inet6 : family::inet);
            if (slot % 7 == 0)
                spec.families.insert(family::ccc);
            if (slot % 3 == 0) {
                octets(spec.icmp_types);
                octets(spec.icmp_codes);
            } else {
                const bool pairs = slot % 3 == 1;
                const std::uint64_t count = pairs ? 2 + random() % 14 : random() % 4;
                ports(spec.source_ports, count, !pairs);
                ports(spec.destination_ports, pairs ? count : random() % 4, !pairs);
                spec.port_lists = pairs ? port_list_mode::pairs : port_list_mode::product;
            }
            if (slot % 4 == 0)
                octets(spec.protocols);
            if (slot % 11 == 0)
                spec.scope = input_scope{{interface_id(1), interface_id(5)}};
            criteria.push_back(criterion::make(slot_id(slot), spec).value());
            REQUIRE(live.insert(criteria.back()));
        }
        const classifier made = live.version();
        REQUIRE(made.cost().unmerged == 64);
        std::vector<packet_key> keys(600, packet_to(1));
        for (packet_key& key : keys) {
            const auto kind = random() % 16;
            key.of_family = kind == 0 ? family::ccc : kind < 5 ? family::inet6 : family::inet;
            key.protocol = static_cast<std::uint8_t>(random());
            key.has_ports = random() % 3 != 0;
            key.has_icmp = !key.has_ports && random() % 3 != 0;
            key.source_port = static_cast<std::uint16_t>(key.has_ports ? random() % 1400 : 0);
            key.destination_port = static_cast<std::uint16_t>(key.has_ports ? random() % 1400 : 0);
            key.icmp_type = static_cast<std::uint8_t>(key.has_icmp ? random() : 0);
            key.icmp_code = static_cast<std::uint8_t>(key.has_icmp ? random() : 0);
            key.interface = interface_id(static_cast<std::uint32_t>(random() % 6));
        }
        match_buffer found(keys.size(), keys.size() * 64);
        REQUIRE(first_difference(made, keys, oracle(criteria, keys), found) == keys.size());
    }
}
