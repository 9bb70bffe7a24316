// SPDX-License-Identifier: Apache-2.0
// The sets that the benchmarks measure with, held against the definitions.
#include <filter_sets.hpp>

#include <ostream>

#include <doctest/doctest.h>

#include <flowtap/filter/classifier.hpp>

#include "compare.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::sets;
using namespace flowtap::filter::testing;

namespace {

std::vector<criterion> criteria_of(const filter_set& set) {
    std::vector<criterion> criteria;
    for (const filter_spec& spec : set.filters())
        criteria.push_back(
            criterion::make(slot_id(static_cast<std::uint32_t>(criteria.size())), spec).value());
    return criteria;
}

} // namespace

TEST_CASE("sets of both shapes match as the definitions say") {
    constexpr std::uint64_t seed = 99;
    INFO("seed " << seed);
    for (const auto shape : {set_shape::intercept, set_shape::firewall}) {
        for (const auto of : {family::inet, family::inet6}) {
            for (const auto dress : {set_dress::plain, set_dress::elaborate}) {
                for (const std::size_t count :
                     {std::size_t{1}, std::size_t{100}, std::size_t{3000}}) {
                    filter_set set(shape, of, count, seed, dress);
                    compare_with_oracle(criteria_of(set), set.trace(200, 50));
                }
            }
        }
    }
}

TEST_CASE("clustered sets and those without addresses match as the definitions say") {
    constexpr std::uint64_t seed = 98;
    INFO("seed " << seed);
    for (const auto shape : {set_shape::intercept, set_shape::firewall, set_shape::ports,
                             set_shape::scopes, set_shape::icmp}) {
        for (const auto misses :
             {nearness::elsewhere, nearness::same_16, nearness::same_24, nearness::same_host}) {
            filter_set set(
                {shape, family::inet, 1000, seed, set_dress::plain, locality::clustered});
            compare_with_oracle(criteria_of(set), set.trace({200, 50, misses}));
        }
    }
}

TEST_CASE("a trace has the share of hits that it is asked for, as the definitions count them") {
    constexpr std::uint64_t seed = 97;
    INFO("seed " << seed);
    for (const auto shape : {set_shape::intercept, set_shape::firewall}) {
        for (const auto dress : {set_dress::plain, set_dress::elaborate}) {
            filter_set set({shape, family::inet, 300, seed, dress, locality::clustered});
            const auto keys = set.trace({2000, 5, nearness::same_24});
            CHECK(std::ranges::count_if(keys, [&](const packet_key& key) {
                      return std::ranges::any_of(set.filters(), [&](const filter_spec& spec) {
                          return matches(spec, key);
                      });
                  }) == 100);
        }
    }
}

TEST_CASE("a set for IPv6 matches its trace as the same set for IPv4 does") {
    constexpr std::uint64_t seed = 96;
    INFO("seed " << seed);
    for (const auto dress : {set_dress::plain, set_dress::elaborate}) {
        filter_set narrow(set_options{set_shape::firewall, family::inet, 500, seed, dress});
        filter_set wide(set_options{set_shape::firewall, family::inet6, 500, seed, dress});
        const auto narrow_keys = narrow.trace(500, 50);
        const auto wide_keys = wide.trace(500, 50);
        const reference_matcher of_narrow(narrow.filters());
        const reference_matcher of_wide(wide.filters());
        std::vector<std::uint32_t> in_narrow;
        std::vector<std::uint32_t> in_wide;
        for (std::size_t i = 0; i < narrow_keys.size(); ++i) {
            of_narrow.find(narrow_keys[i], in_narrow);
            of_wide.find(wide_keys[i], in_wide);
            CHECK(in_narrow == in_wide);
        }
    }
}

TEST_CASE("the reference finds what asking each filter finds") {
    constexpr std::uint64_t seed = 95;
    INFO("seed " << seed);
    filter_set set(set_options{set_shape::firewall, family::inet, 400, seed, set_dress::elaborate});
    const reference_matcher reference(set.filters());
    std::vector<std::uint32_t> found;
    for (const packet_key& key : set.trace(1000, 60)) {
        std::vector<std::uint32_t> expected;
        for (std::size_t i = 0; i < set.filters().size(); ++i) {
            if (matches(set.filters()[i], key))
                expected.push_back(static_cast<std::uint32_t>(i));
        }
        reference.find(key, found);
        CHECK(found == expected);
    }
}

TEST_CASE("a hundred thousand criteria stay within 100 MiB and match as the definitions say") {
    filter_set set(set_shape::intercept, family::inet, 100'000, 7);
    const auto criteria = criteria_of(set);
    compare_with_oracle(criteria, set.trace(60, 70));
    const auto cost = classifier::build(criteria).value().cost();
    CHECK(cost.criteria == 100'000);
    CHECK(cost.memory < std::size_t{100} << 20);
    CHECK(cost.groups_inet <= 4);
}

TEST_CASE("criteria of both shapes take less than 1 KiB each") {
    for (const auto shape : {set_shape::intercept, set_shape::firewall}) {
        for (const auto of : {family::inet, family::inet6}) {
            for (const std::size_t count : {std::size_t{100}, std::size_t{3000}}) {
                filter_set set(shape, of, count, 5, set_dress::elaborate);
                const auto built = classifier::build(criteria_of(set)).value();
                CHECK(built.cost().memory < count * 1024);
            }
        }
    }
}
