// SPDX-License-Identifier: Apache-2.0
// Large seeded sets of shapes that are hard on one structure or another, against packets at the
// borders of their filters and against others.
#include <cstdint>
#include <ostream>
#include <vector>

#include <filter_sets.hpp>
#include <doctest/doctest.h>

#include "border_packets.hpp"
#include "compare.hpp"
#include "random_filters.hpp"
#include "set_shapes.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

std::vector<criterion> numbered(const std::vector<filter_spec>& filters) {
    std::vector<criterion> criteria;
    for (const filter_spec& spec : filters)
        criteria.push_back(
            criterion::make(slot_id(static_cast<std::uint32_t>(criteria.size())), spec).value());
    return criteria;
}

/// Packets near some of the criteria, the first and the last of them always, and random ones.
std::vector<packet_key> packets_for(const std::vector<criterion>& criteria, std::size_t count,
                                    std::uint64_t seed) {
    border_packets borders(seed);
    random_filters random(seed);
    std::vector<packet_key> keys = {borders.near(criteria.front().spec()),
                                    borders.near(criteria.back().spec())};
    while (keys.size() < count) {
        keys.push_back(borders.near(criteria[borders.below(criteria.size())].spec()));
        if (borders.chance(15))
            keys.push_back(random.packet(random.any_family()));
    }
    return keys;
}

void compare(const std::vector<criterion>& criteria, std::size_t packets, std::uint64_t seed) {
    INFO("seed " << seed << ", " << criteria.size() << " criteria");
    compare_with_oracle(criteria, packets_for(criteria, packets, seed));
}

} // namespace

TEST_CASE("packets at the borders of a filter meet it or miss it about as often") {
    std::size_t met = 0;
    std::size_t packets = 0;
    for (const hard_shape shape : hard_shapes) {
        border_packets borders(5);
        for (const auto& one : hard_criteria(shape, family::inet6, 50, 5)) {
            for (int i = 0; i < 20; ++i, ++packets)
                met += matches(one.spec(), borders.near(one.spec())) ? 1 : 0;
        }
    }
    CHECK(met > packets * 2 / 5);
    CHECK(met < packets * 7 / 10);
}

TEST_CASE("sets of hard shapes, of sizes around every internal border") {
    for (const hard_shape shape : hard_shapes) {
        for (const family of : {family::inet, family::inet6}) {
            for (const std::size_t count : {1, 2, 31, 32, 33, 63, 64, 65, 128, 1000}) {
                if (shape == hard_shape::long_lists && count > 100)
                    continue; // the definitions take long
                INFO("shape " << static_cast<int>(shape));
                compare(hard_criteria(shape, of, count, 300 + count), 200, count);
            }
        }
    }
}

TEST_CASE("sets of hard shapes around 4096 criteria") {
    for (const hard_shape shape : hard_shapes) {
        if (shape == hard_shape::long_lists)
            continue; // more than a million entries each
        for (const std::size_t count : {4095, 4096, 4097}) {
            const family of = count == 4096 ? family::inet6 : family::inet;
            INFO("shape " << static_cast<int>(shape));
            compare(hard_criteria(shape, of, count, 400 + count), 60, count);
        }
    }
}

TEST_CASE("ten thousand criteria of all hard shapes and of random filters in one set") {
    random_filters random(77);
    std::vector<filter_spec> filters;
    for (const hard_shape shape : hard_shapes) {
        for (const family of : {family::inet, family::inet6}) {
            const std::size_t share = shape == hard_shape::long_lists ? 20 : 400;
            for (const auto& one : hard_criteria(shape, of, share, 78))
                filters.push_back(one.spec());
        }
    }
    while (filters.size() < 10'000)
        filters.push_back(random.filter(random.chance(40) ? family::inet6 : family::inet));
    compare(numbered(filters), 250, 79);
}

TEST_CASE("measured shapes of ten and a hundred thousand criteria, at the borders") {
    using namespace flowtap::filter::sets;
    for (const auto shape : {set_shape::intercept, set_shape::firewall}) {
        for (const auto dress : {set_dress::plain, set_dress::elaborate}) {
            filter_set set(shape, family::inet6, 10'000, 17, dress);
            compare(numbered(set.filters()), 100, 18);
        }
    }
    filter_set set(set_shape::intercept, family::inet6, 100'000, 19);
    compare(numbered(set.filters()), 60, 20);
}
