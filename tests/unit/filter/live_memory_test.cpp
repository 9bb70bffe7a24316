// SPDX-License-Identifier: Apache-2.0
// Memory: what happens to a live classifier when it is lost, and how much of it is kept.
#include <flowtap/filter/live_classifier.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <new>
#include <optional>
#include <ostream>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/memory/allocations.hpp"
#include "compare.hpp"
#include "random_filters.hpp"
#include "test_values.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;
namespace allocations = flowtap::testing::allocations;

namespace {

criterion to_host(std::uint32_t slot, std::uint32_t address, std::uint32_t listed = 0) {
    filter_spec spec = wildcard(family::inet);
    const address_bits bits{0, address};
    spec.destination_addresses.entries.push_back({{bits, bits}});
    for (std::uint32_t i = 0; i < listed; ++i) {
        const address_bits other{0, 0xC000'0000U + 2 * i};
        spec.source_addresses.entries.push_back({{other, other}});
    }
    return criterion::make(slot_id(slot), spec).value();
}

/// A live classifier whose steps lose memory now and then, beside what it should hold.
class forgetful_run {
public:
    explicit forgetful_run(std::uint32_t seed) : random_(seed) {}

    void step() {
        const std::uint32_t slot = below(300) * 65'537U;
        const auto dice = below(100);
        if (dice < 45)
            insert(slot);
        else if (dice < 65)
            erase(slot);
        else if (dice < 80)
            attempt([&] { live_.version(); });
        else
            work_on_merge();
        REQUIRE(live_.size() == expected_.size());
        REQUIRE((live_.find(slot_id(slot)) != nullptr) == expected_.contains(slot));
    }

    void look() {
        const classifier now = live_.version();
        REQUIRE(now.cost().criteria == expected_.size());
        match_buffer found(1, expected_.size() + 1);
        for (const auto& [slot, address] : expected_) {
            packet_key key = tcp("192.0.2.1", 1, "192.0.2.2", 2);
            key.destination = {0, address};
            REQUIRE(now.match(std::span(&key, 1), found) == 1);
            REQUIRE(found.matches(0).size() == 1);
            REQUIRE(found.matches(0).front() == slot_id(slot));
        }
    }

    void end() {
        job_.reset();
        look();
        while (auto job = live_.begin_merge(merge_aim::whole)) {
            job->run();
            live_.finish(*std::move(job));
        }
        look();
        while (!expected_.empty()) {
            REQUIRE(live_.erase(slot_id(expected_.begin()->first)));
            expected_.erase(expected_.begin());
        }
        look();
        CHECK(live_.cost().reserved == 0);
        CHECK(live_.cost().entries == 0);
        // Nothing is held on to for ever.
        while (auto job = live_.begin_merge(merge_aim::whole)) {
            job->run();
            live_.finish(*std::move(job));
        }
        CHECK_FALSE(live_.begin_merge().has_value());
    }

    int lost() const { return lost_; }

private:
    std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(random_() % end); }

    /// Whether `what` was done with the memory there was.
    template <class Function>
    bool attempt(Function&& what) {
        if (below(3) == 0)
            allocations::fail_after(below(10));
        try {
            what();
            allocations::fail_none();
            return true;
        } catch (const std::bad_alloc&) {
            ++lost_;
            return false;
        }
    }

    void insert(std::uint32_t slot) {
        const criterion what = to_host(slot, ++addresses_);
        bool accepted = false;
        if (attempt([&] { accepted = live_.insert(what).has_value(); })) {
            REQUIRE(accepted != expected_.contains(slot));
            expected_.emplace(slot, accepted ? addresses_ : 0);
        }
    }

    void erase(std::uint32_t slot) {
        bool erased = false;
        if (attempt([&] { erased = live_.erase(slot_id(slot)); }))
            REQUIRE(erased == (expected_.erase(slot) == 1));
    }

    void work_on_merge() {
        if (!job_) {
            attempt([&] {
                job_ = live_.begin_merge(below(2) == 0 ? merge_aim::whole : merge_aim::steady);
            });
            return;
        }
        if (below(3) != 0) {
            attempt([&] { job_->run(); });
            return;
        }
        attempt([&] { live_.finish(*std::move(job_)); });
        job_.reset();
    }

    std::mt19937 random_;
    live_classifier live_;
    std::map<std::uint32_t, std::uint32_t> expected_;
    std::uint32_t addresses_ = 0;
    std::optional<merge_job> job_;
    int lost_ = 0;
};

} // namespace

TEST_CASE("lost memory loses no criterion and makes none, wherever it strikes") {
    for (std::uint32_t seed = 1; seed <= 12; ++seed) {
        CAPTURE(seed);
        forgetful_run run(seed);
        for (int i = 0; i < 1500; ++i) {
            run.step();
            if (i % 50 == 0)
                run.look();
        }
        run.end();
        CHECK(run.lost() > 10);
    }
}

TEST_CASE("a finish that loses memory can be made up for, and no level is kept for ever") {
    const auto run = [](bool loses_memory) {
        const std::ptrdiff_t before = allocations::in_use();
        live_classifier live;
        for (std::uint32_t i = 0; i < 200; ++i)
            REQUIRE(live.insert(to_host(i, i)));
        live.version();
        REQUIRE(live.erase(slot_id(3)));
        for (std::size_t point = 0; point < 4; ++point) {
            auto job = live.begin_merge(merge_aim::whole);
            if (!job)
                break;
            job->run();
            if (loses_memory)
                allocations::fail_after(point);
            try {
                live.finish(*std::move(job));
            } catch (const std::bad_alloc&) {
            }
            allocations::fail_none();
        }
        live.version();
        while (auto job = live.begin_merge(merge_aim::whole)) {
            job->run();
            live.finish(*std::move(job));
            live.version();
        }
        REQUIRE(live.version().cost().criteria == 199);
        return allocations::in_use() - before;
    };
    const std::ptrdiff_t usual = run(false);
    CHECK(run(true) <= usual + 10);
}

TEST_CASE("what is erased does not keep memory that no limit sees") {
    for (const bool in_jobs : {false, true}) {
        CAPTURE(in_jobs);
        live_classifier live;
        // The few that stay keep overlays from being forgotten as a whole.
        for (std::uint32_t i = 0; i < 600; ++i) {
            const bool stays = i % 8 == 0;
            REQUIRE(live.insert(to_host(i, i, stays ? 0 : 5000)));
            live.version();
            if (!stays)
                REQUIRE(live.erase(slot_id(i)));
            live.version();
            if (auto job = in_jobs ? live.begin_merge() : std::nullopt) {
                job->run();
                live.finish(*std::move(job));
            }
            REQUIRE(live.cost().memory <= live.cost().reserved + 8'000'000);
        }
        CHECK(live.size() == 75);
    }
}

TEST_CASE("slots far apart take no more memory than slots side by side") {
    live_classifier dense;
    live_classifier sparse;
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        REQUIRE(dense.insert(to_host(i, i)));
        REQUIRE(sparse.insert(to_host(i * 214'013U, i)));
    }
    const std::size_t memory = dense.version().cost().memory;
    CHECK(sparse.version().cost().memory <= memory + memory / 50);
    CHECK(sparse.cost().reserved == dense.cost().reserved);
    CHECK(sparse.cost().memory <= sparse.cost().reserved + 150'000);
}

TEST_CASE("a job that only takes apart what is no longer needed gives no reason to publish") {
    live_classifier live;
    for (std::uint32_t i = 0; i < 100; ++i)
        REQUIRE(live.insert(to_host(i, i)));
    live.version();
    REQUIRE(live.erase(slot_id(3)));
    auto job = live.begin_merge(merge_aim::whole);
    REQUIRE(job.has_value());
    SUBCASE("not run, nothing is new") {
        CHECK_FALSE(live.finish(*std::move(job)));
    }
    SUBCASE("run, there is a new version, and what it replaced is cleaned up by the next") {
        job->run();
        CHECK(live.finish(*std::move(job)));
        live.version();
        auto cleaning = live.begin_merge(merge_aim::whole);
        REQUIRE(cleaning.has_value());
        CHECK(cleaning->size() == 0);
        cleaning->run();
        CHECK_FALSE(live.finish(*std::move(cleaning)));
        CHECK_FALSE(live.begin_merge(merge_aim::whole).has_value());
    }
}

namespace {

/// Which lists the criteria of a set have, all different and overlapping each other.
enum class list_kind { port_pairs, ports, hosts, prefixes, ranges, everything };

template <class T>
range_list<T> some_ranges(std::mt19937& random, int count, unsigned widest) {
    range_list<T> list;
    for (int i = 0; i < count; ++i) {
        const auto first = static_cast<T>(random());
        const unsigned long room = static_cast<T>(~first);
        const auto last = static_cast<T>(first + std::min(room, random() % widest));
        list.entries.push_back({{first, last}, false});
    }
    return list;
}

range_list<address_bits> some_addresses(std::mt19937& random, family of, int count, unsigned bits) {
    range_list<address_bits> list;
    for (int i = 0; i < count; ++i) {
        const std::uint64_t within = bits == 0 ? 0 : (std::uint64_t{1} << (random() % bits)) - 1;
        address_bits first{0, static_cast<std::uint32_t>(random()) & ~within};
        if (of == family::inet6)
            first.high = 0x2001'0DB8'0000'0000U + random() % 64;
        list.entries.push_back({{first, {first.high, first.low | within}}});
    }
    return list;
}

filter_spec hostile_filter(std::mt19937& random, list_kind kind, family_set families) {
    const family of = families == family_set(family::inet6) ? family::inet6 : family::inet;
    const bool all = kind == list_kind::everything;
    filter_spec spec;
    spec.families = families;
    if (kind == list_kind::port_pairs || kind == list_kind::ports || all) {
        spec.source_ports = some_ranges<std::uint16_t>(random, 15, 3000);
        spec.destination_ports = some_ranges<std::uint16_t>(random, 15, 3000);
        if (kind != list_kind::ports)
            spec.port_lists = port_list_mode::pairs;
    }
    if (kind == list_kind::hosts || kind == list_kind::prefixes || all)
        spec.source_addresses = some_addresses(random, of, 15, kind == list_kind::hosts ? 0 : 20);
    if (kind == list_kind::prefixes || all)
        spec.destination_addresses = some_addresses(random, of, 15, 24);
    if (kind == list_kind::ranges || all) {
        spec.protocols = some_ranges<std::uint8_t>(random, 15, 20);
        spec.icmp_types = some_ranges<std::uint8_t>(random, 15, 20);
    }
    return spec;
}

constexpr std::array<list_kind, 6> all_kinds = {list_kind::port_pairs, list_kind::ports,
                                                list_kind::hosts,      list_kind::prefixes,
                                                list_kind::ranges,     list_kind::everything};

/// The families that criteria with such lists can have together.
family_set widest_families(list_kind kind) {
    family_set families = family::inet;
    if (kind == list_kind::port_pairs || kind == list_kind::ports || kind == list_kind::ranges) {
        families.insert(family::inet6);
        families.insert(family::ccc);
    }
    return families;
}

} // namespace

TEST_CASE("the default limits admit 100,000 criteria, also when all have 15 port pairs or lists") {
    for (const list_kind kind : all_kinds) {
        CAPTURE(static_cast<int>(kind));
        std::vector<family_set> sets{widest_families(kind), family_set(family::inet6)};
        for (const family_set families : sets) {
            std::mt19937 random(1);
            live_classifier live;
            REQUIRE(live.insert(
                criterion::make(slot_id(1), hostile_filter(random, kind, families)).value()));
            if (kind != list_kind::everything)
                CHECK(live.cost().reserved * 100'000 <= classifier_limits{}.memory);
            CHECK(live.cost().reserved <= 25'000);
        }
    }
    live_classifier live;
    REQUIRE(live.insert(to_host(1, 1)));
    CHECK(live.cost().reserved <= 2000);
}

TEST_CASE("hostile sets are compiled within what was reserved for them, and match the same") {
    for (const list_kind kind : all_kinds) {
        for (const std::uint32_t count : {70U, 700U, 3000U}) {
            for (const family_set families : {widest_families(kind), family_set(family::inet6)}) {
                INFO("kind " << static_cast<int>(kind) << ", " << count << " criteria");
                std::mt19937 random(count);
                std::vector<criterion> criteria;
                live_classifier live;
                for (std::uint32_t slot = 0; slot < count; ++slot) {
                    criteria.push_back(
                        criterion::make(slot_id(slot), hostile_filter(random, kind, families))
                            .value());
                    REQUIRE(live.insert(criteria.back()));
                }
                const classifier made = live.version();
                CHECK(live.compiled() == count);
                // Each family has an engine, which takes a little in any case.
                CHECK(made.cost().memory <= made.cost().reserved + 3 * 200'000 + 5000);
                std::vector<packet_key> keys;
                random_filters packets(count);
                for (int i = 0; i < 30; ++i)
                    keys.push_back(packets.packet(packets.any_family()));
                const auto expected = oracle(criteria, keys);
                match_buffer found(keys.size(), keys.size() * count);
                REQUIRE(first_difference(made, keys, expected, found) == keys.size());
            }
        }
    }
}
