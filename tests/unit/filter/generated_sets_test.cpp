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
