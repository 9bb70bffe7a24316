// SPDX-License-Identifier: Apache-2.0
// Batches of every size, and buffers that are too small in every way.
#include <algorithm>
#include <ostream>
#include <vector>

#include <doctest/doctest.h>

#include "border_packets.hpp"
#include "compare.hpp"
#include "random_filters.hpp"
#include "set_shapes.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

constexpr std::size_t most_packets = 300;

/// Criteria of both families and packets of all three, side by side in no order.
struct scene {
    explicit scene(std::size_t criteria_count, std::uint64_t seed = 6) {
        random_filters random(seed);
        criteria = random_criteria(random, criteria_count);
        border_packets borders(seed);
        while (keys.size() < most_packets) {
            keys.push_back(borders.near(criteria[borders.below(criteria.size())].spec()));
            if (borders.chance(20))
                keys.push_back(random.packet(random.any_family()));
        }
        keys.resize(most_packets);
        expected = oracle(criteria, keys);
    }

    std::size_t most_matches() const {
        std::size_t most = 0;
        for (const slot_list& slots : expected)
            most = std::max(most, slots.size());
        return most;
    }

    std::vector<criterion> criteria;
    std::vector<packet_key> keys;
    std::vector<slot_list> expected;
};

/// How many packets a buffer takes: until it has room for no more packets or matches.
std::size_t packets_that_fit(std::span<const slot_list> expected, std::size_t packets,
                             std::size_t matches) {
    std::size_t done = 0;
    while (done < std::min(packets, expected.size()) && expected[done].size() <= matches) {
        matches -= expected[done].size();
        ++done;
    }
    return done;
}

} // namespace

TEST_CASE("batches of every size from 1 to 300 with families mixed") {
    for (const std::size_t criteria : {5, 200, 4200}) {
        const scene all(criteria);
        match_buffer found(most_packets, most_packets * (all.most_matches() + 1));
        for (const code_path path : code_paths) {
            const auto built = classifier::build(all.criteria, {}, path).value();
            const std::size_t largest = criteria > 4096 ? 70 : most_packets;
            for (std::size_t size = 1; size <= largest; ++size) {
                INFO("batch of " << size << ", code path " << static_cast<int>(path));
                // The last ones, so that each size begins elsewhere in the mix.
                const std::size_t from = most_packets - size;
                const auto keys = std::span(all.keys).subspan(from);
                REQUIRE(first_difference(built, keys, std::span(all.expected).subspan(from),
                                         found) == size);
                REQUIRE(found.packets() == size); // all of them in one call
            }
        }
    }
}

TEST_CASE("batches of one family, and of a single packet in between") {
    scene all(300);
    std::ranges::stable_sort(all.keys, {}, &packet_key::of_family);
    all.expected = oracle(all.criteria, all.keys);
    match_buffer found(most_packets, most_packets * (all.most_matches() + 1));
    for (const code_path path : code_paths) {
        const auto built = classifier::build(all.criteria, {}, path).value();
        REQUIRE(first_difference(built, all.keys, all.expected, found) == most_packets);
        for (std::size_t i = 0; i < most_packets; ++i) {
            REQUIRE(built.match(std::span(all.keys).subspan(i, 1), found) == 1);
            REQUIRE(std::ranges::equal(all.expected[i], found.matches(0)));
        }
    }
}

TEST_CASE("a buffer takes as many packets as it has room for, and the rest goes in again") {
    const scene all(400);
    const std::size_t most = all.most_matches();
    REQUIRE(most > 3);
    for (const code_path path : code_paths) {
        const auto built = classifier::build(all.criteria, {}, path).value();
        for (const std::size_t packets : {1, 2, 15, 16, 17, 63, 64, 65, 128, 300, 1000}) {
            for (const std::size_t room :
                 {most, most + 1, 2 * most - 1, 64UL, 65UL, built.cost().criteria, 5000UL}) {
                INFO("room for " << packets << " packets and " << room << " matches");
                match_buffer found(packets, room);
                std::size_t done = 0;
                while (done < all.keys.size()) {
                    const auto rest = std::span(all.expected).subspan(done);
                    const std::size_t more = built.match(std::span(all.keys).subspan(done), found);
                    REQUIRE(more == packets_that_fit(rest, packets, room));
                    REQUIRE(found.packets() == more);
                    for (std::size_t i = 0; i < more; ++i)
                        REQUIRE(std::ranges::equal(rest[i], found.matches(i)));
                    done += more;
                }
            }
        }
    }
}

TEST_CASE("the buffer that the documentation asks for is always enough") {
    for (const hard_shape shape : {hard_shape::wildcards, hard_shape::full_ranges}) {
        for (const std::size_t count : {1, 63, 64, 65, 500, 4097}) {
            const auto criteria = hard_criteria(shape, family::inet6, count, count);
            border_packets borders(9);
            std::vector<packet_key> keys;
            for (int i = 0; i < 20; ++i)
                keys.push_back(borders.near(criteria[borders.below(count)].spec()));
            const auto expected = oracle(criteria, keys);
            for (const code_path path : code_paths) {
                const auto built = classifier::build(criteria, {}, path).value();
                REQUIRE(built.cost().criteria == count);
                match_buffer found(1, count);
                REQUIRE(first_difference(built, keys, expected, found) == keys.size());
            }
        }
    }
}
