// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <ostream>
#include <thread>

#include <doctest/doctest.h>

#include <flowtap/filter/classifier.hpp>

#include "compare.hpp"
#include "random_filters.hpp"
#include "test_values.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

std::vector<packet_key> random_packets(random_filters& random, std::size_t count) {
    std::vector<packet_key> keys;
    for (std::size_t i = 0; i < count; ++i)
        keys.push_back(random.packet(random.any_family()));
    return keys;
}

void compare_random_set(std::uint64_t seed, std::size_t criteria_count, std::size_t packets,
                        unsigned scoped_percent) {
    INFO("seed " << seed << ", " << criteria_count << " criteria");
    random_filters random(seed);
    const auto criteria = random_criteria(random, criteria_count, scoped_percent);
    const auto keys = random_packets(random, packets);
    compare_with_oracle(criteria, keys);
}

} // namespace

TEST_CASE("a classifier without criteria matches nothing") {
    random_filters random(1);
    const auto keys = random_packets(random, 20);
    match_buffer found(20, 0);
    const classifier empty;
    CHECK(empty.match(keys, found) == 20);
    for (std::size_t i = 0; i < keys.size(); ++i)
        CHECK(found.matches(i).empty());
    CHECK(empty.cost().criteria == 0);
    CHECK(classifier::build({}).value().match(keys, found) == 20);
}

TEST_CASE("what was moved from matches nothing") {
    const auto all = criterion::make(slot_id(3), wildcard(family::inet)).value();
    classifier first = classifier::build(std::span(&all, 1)).value();
    classifier second = std::move(first);
    const std::vector<packet_key> keys{tcp("192.0.2.1", 1, "192.0.2.2", 2)};
    match_buffer found(1, 1);
    REQUIRE(second.match(keys, found) == 1);
    CHECK(found.matches(0).size() == 1);
    REQUIRE(first.match(keys, found) == 1); // NOLINT(bugprone-use-after-move)
    CHECK(found.matches(0).empty());
}

TEST_CASE("limits are refused with their codes") {
    random_filters random(2);
    auto criteria = random_criteria(random, 100);
    classifier_limits limits;
    limits.criteria = 99;
    CHECK(classifier::build(criteria, limits).error().code ==
          make_error_code(filter::errc::too_many_criteria));
    limits.criteria = 100;
    const auto built = classifier::build(criteria, limits);
    REQUIRE(built.has_value());

    limits.memory = built->cost().memory;
    CHECK(classifier::build(criteria, limits).has_value());
    for (const std::size_t memory :
         {std::size_t{0}, std::size_t{1}, built->cost().memory / 2, built->cost().memory - 1}) {
        limits.memory = memory;
        CHECK(classifier::build(criteria, limits).error().code ==
              make_error_code(filter::errc::too_much_memory));
    }

    criteria.push_back(criteria.front());
    CHECK(classifier::build(criteria).error().code ==
          make_error_code(filter::errc::duplicate_slot));
}

TEST_CASE("seeded random sets: the classifier finds what the definitions find") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed)
        compare_random_set(seed, 1, 60, 30);
    for (std::uint64_t seed = 1; seed <= 40; ++seed)
        compare_random_set(seed, 2, 60, 30);
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        compare_random_set(seed, 64, 300, 30);
        compare_random_set(seed, 65, 300, 0);
        compare_random_set(seed, 100, 300, 10);
    }
    for (std::uint64_t seed = 1; seed <= 3; ++seed)
        compare_random_set(seed, 1000, 500, 20);
}

TEST_CASE("sets of more than one group, and with hash tables") {
    compare_random_set(11, 5000, 400, 20);
    compare_random_set(12, 12000, 200, 2);
}

TEST_CASE("many criteria of the same host overflow the hash tables and are still found") {
    std::vector<criterion> criteria;
    for (std::uint32_t i = 0; i < 6000; ++i) {
        filter_spec spec = wildcard(family::inet);
        spec.destination_addresses = host(i % 2 == 0 ? "192.0.2.1" : "192.0.2.2");
        if (i % 3 == 0)
            spec.source_addresses = host("198.51.100.7");
        if (i % 5 == 0)
            spec.destination_ports = list<std::uint16_t>(
                {{static_cast<std::uint16_t>(i), static_cast<std::uint16_t>(i), false}});
        criteria.push_back(criterion::make(slot_id(i), spec).value());
    }
    compare_with_oracle(criteria, {{tcp("198.51.100.7", 1, "192.0.2.1", 30),
                                    tcp("198.51.100.8", 1, "192.0.2.2", 35),
                                    tcp("198.51.100.7", 1, "192.0.2.3", 35)}});
}

TEST_CASE("a small buffer is filled packet by packet, and matching resumes") {
    random_filters random(21);
    const auto criteria = random_criteria(random, 200);
    const auto keys = random_packets(random, 500);
    const auto built = classifier::build(criteria).value();
    for (const std::size_t packets : {std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
        for (const std::size_t room : {criteria.size(), criteria.size() + 3}) {
            match_buffer found(packets, room);
            std::span<const packet_key> left(keys);
            while (!left.empty()) {
                const std::size_t done = built.match(left, found);
                REQUIRE(done >= 1);
                REQUIRE(done <= packets);
                CHECK(found.packets() == done);
                for (std::size_t i = 0; i < done; ++i)
                    REQUIRE(equals_oracle(criteria, left[i], found.matches(i)));
                left = left.subspan(done);
            }
        }
    }
}

TEST_CASE("a buffer without room for one packet's matches does none") {
    std::vector<criterion> criteria;
    for (std::uint32_t i = 0; i < 3; ++i)
        criteria.push_back(criterion::make(slot_id(i), wildcard(family::inet)).value());
    const auto built = classifier::build(criteria).value();
    const std::vector<packet_key> keys(5, tcp("192.0.2.1", 1, "192.0.2.2", 2));
    match_buffer small(5, 2);
    CHECK(built.match(keys, small) == 0);
    match_buffer exact(5, 3);
    CHECK(built.match(keys, exact) == 1);
    match_buffer more(5, 8);
    CHECK(built.match(keys, more) == 2);
    match_buffer none(0, 10);
    CHECK(built.match(keys, none) == 0);
    CHECK(built.match({}, more) == 0);
}

TEST_CASE("any number of threads match at the same time") {
    random_filters random(31);
    const auto criteria = random_criteria(random, 300);
    const auto keys = random_packets(random, 400);
    const auto built = classifier::build(criteria).value();
    std::vector<int> wrong(4, 0);
    std::vector<std::thread> threads;
    for (std::size_t worker = 0; worker < wrong.size(); ++worker) {
        threads.emplace_back([&, worker] {
            match_buffer found(keys.size(), keys.size() * criteria.size());
            if (built.match(keys, found) != keys.size())
                ++wrong[worker];
            for (std::size_t i = 0; i < found.packets(); ++i)
                wrong[worker] += equals_oracle(criteria, keys[i], found.matches(i)) ? 0 : 1;
        });
    }
    for (auto& thread : threads)
        thread.join();
    CHECK(std::count(wrong.begin(), wrong.end(), 0) == 4);
}
