// SPDX-License-Identifier: Apache-2.0
// Packets made by somebody who knows the hash of the handles.
#include <cstdint>
#include <ostream>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "compare.hpp"
#include "handle.hpp"
#include "planner.hpp"
#include "test_values.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

/// Of a side, the part of all bits of an address.
constexpr std::uint8_t host_part = hash_layout<std::uint32_t>::lengths.back().part;

/// The number by which `odd` becomes 1.
std::uint32_t inverse(std::uint32_t odd) {
    std::uint32_t found = odd;
    for (int i = 0; i < 5; ++i)
        found *= 2 - odd * found;
    return found;
}

/// The source whose handle in one probe is that of `destination` in another one.
std::uint32_t source_like(std::uint32_t destination, std::size_t by_source,
                          std::size_t by_destination) {
    using layout = hash_layout<std::uint32_t>;
    const std::uint32_t sum = destination * layout::step(part_destination + host_part).factor +
                              probe_salt(by_destination) - probe_salt(by_source);
    return sum * inverse(layout::step(part_source + host_part).factor);
}

/// How the criteria are told apart.
probe_plan plan_of(const std::vector<criterion>& criteria) {
    std::vector<rule<std::uint32_t>> rules;
    residual_store residuals;
    for (const criterion& one : criteria)
        append_rules(one.spec(), one.slot().value(), rules, residuals);
    return plan_probes<std::uint32_t>(rules);
}

} // namespace

TEST_CASE("a packet that has the same handle in two probes meets each criterion once") {
    int reached = 0;
    for (const auto& [by_source, by_destination] : {std::pair(0U, 1U), std::pair(1U, 0U)}) {
        std::vector<criterion> criteria;
        std::vector<packet_key> keys;
        const auto add = [&](range_list<address_bits> filter_spec::*side, std::uint32_t address) {
            filter_spec spec = wildcard(family::inet);
            (spec.*side).entries = {entry(address_bits{0, address}, address_bits{0, address})};
            const slot_id slot(static_cast<std::uint32_t>(criteria.size()));
            criteria.push_back(criterion::make(slot, spec).value());
        };
        for (std::uint32_t i = 0; i < 40; ++i) {
            const std::uint32_t destination = 0x0A00'0000U + i;
            const std::uint32_t source = source_like(destination, by_source, by_destination);
            packet_key key;
            key.destination = {0, destination};
            key.source = {0, source};
            keys.push_back(key);
            add(&filter_spec::destination_addresses, destination);
            // Neighbours, so that only the whole address tells them apart.
            for (std::uint32_t j = 0; j < 40; ++j)
                add(&filter_spec::source_addresses, source ^ j);
        }
        const handle_shape expected_source{part_source + host_part};
        const auto plan = plan_of(criteria);
        REQUIRE(plan.shapes.size() == 2);
        reached += plan.shapes[by_source] == expected_source ? 1 : 0;
        compare_with_oracle(criteria, keys);
    }
    CHECK(reached == 1); // the probes stand in one order or the other
}
