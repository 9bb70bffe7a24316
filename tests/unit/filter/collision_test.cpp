// SPDX-License-Identifier: Apache-2.0
// Packets made by somebody who knows the hash of the handles.
#include <cstdint>
#include <ostream>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "compare.hpp"
#include "handle.hpp"
#include "test_values.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

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
    const std::uint32_t sum = destination * layout::step(part_destination + 3).factor +
                              probe_salt(by_destination) - probe_salt(by_source);
    return sum * inverse(layout::step(part_source + 3).factor);
}

} // namespace

TEST_CASE("a packet that has the same handle in two probes meets each criterion once") {
    for (const auto& [by_source, by_destination] : {std::pair(0, 1), std::pair(1, 0)}) {
        std::vector<criterion> criteria;
        std::vector<packet_key> keys;
        for (std::uint32_t i = 0; i < 200; ++i) {
            packet_key key;
            key.destination = {0, 0x0A00'0000U + 977 * i};
            key.source = {0,
                          source_like(0x0A00'0000U + 977 * i, static_cast<std::size_t>(by_source),
                                      static_cast<std::size_t>(by_destination))};
            keys.push_back(key);
            filter_spec to = wildcard(family::inet);
            to.destination_addresses.entries = {entry(key.destination, key.destination)};
            filter_spec from = wildcard(family::inet);
            from.source_addresses.entries = {entry(key.source, key.source)};
            criteria.push_back(criterion::make(slot_id(2 * i), to).value());
            criteria.push_back(criterion::make(slot_id(2 * i + 1), from).value());
        }
        compare_with_oracle(criteria, keys);
    }
}
