// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/filter/classifier.hpp>

namespace flowtap::filter::testing {

/// Whether `found` is what the definitions say about `key`.
inline bool equals_oracle(std::span<const criterion> criteria, const packet_key& key,
                          std::span<const slot_id> found) {
    std::vector<slot_id> expected;
    for (const criterion& one : criteria) {
        if (matches(one.spec(), key))
            expected.push_back(one.slot());
    }
    std::sort(expected.begin(), expected.end());
    return std::equal(expected.begin(), expected.end(), found.begin(), found.end());
}

/// Holds both code paths of the classifier against the definitions, packet by packet.
inline void compare_with_oracle(std::span<const criterion> criteria,
                                const std::vector<packet_key>& keys) {
    for (const code_path path : {code_path::fastest, code_path::portable}) {
        const auto built = classifier::build(criteria, {}, path);
        REQUIRE(built.has_value());
        match_buffer found(keys.size(), std::max<std::size_t>(4096, criteria.size() * 4));
        std::size_t done = 0;
        while (done < keys.size()) {
            const std::size_t more = built->match(std::span(keys).subspan(done), found);
            REQUIRE(more != 0);
            for (std::size_t i = 0; i < more; ++i) {
                INFO("packet " << done + i << " of " << keys.size());
                REQUIRE(equals_oracle(criteria, keys[done + i], found.matches(i)));
            }
            done += more;
        }
    }
}

} // namespace flowtap::filter::testing
