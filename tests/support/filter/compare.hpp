// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/filter/classifier.hpp>

namespace flowtap::filter::testing {

/// Every way that `classifier::match` can go; those that this processor lacks fall back to others.
inline constexpr std::array<code_path, 4> code_paths = {code_path::portable, code_path::avx2,
                                                        code_path::avx512, code_path::fastest};

/// The slots that the definitions find for one packet.
using slot_list = std::vector<slot_id>;

inline slot_list oracle(std::span<const criterion> criteria, const packet_key& key) {
    slot_list expected;
    for (const criterion& one : criteria) {
        if (matches(one.spec(), key))
            expected.push_back(one.slot());
    }
    std::sort(expected.begin(), expected.end());
    return expected;
}

inline std::vector<slot_list> oracle(std::span<const criterion> criteria,
                                     std::span<const packet_key> keys) {
    std::vector<slot_list> expected;
    expected.reserve(keys.size());
    for (const packet_key& key : keys)
        expected.push_back(oracle(criteria, key));
    return expected;
}

/// Whether `found` is what the definitions say about `key`.
inline bool equals_oracle(std::span<const criterion> criteria, const packet_key& key,
                          std::span<const slot_id> found) {
    return std::ranges::equal(oracle(criteria, key), found);
}

/// The first packet for which `found` has something else than expected when `keys` are matched in
/// batches, with the rest put in again until all are done; their number if there is none.
inline std::size_t first_difference(const classifier& built, std::span<const packet_key> keys,
                                    std::span<const slot_list> expected, match_buffer& found) {
    std::size_t done = 0;
    while (done < keys.size()) {
        const std::size_t more = built.match(keys.subspan(done), found);
        if (more == 0 || more != found.packets())
            return done;
        auto matched = found.matched().begin();
        for (std::size_t i = 0; i < more; ++i) {
            if (!std::ranges::equal(expected[done + i], found.matches(i)))
                return done + i;
            if (!expected[done + i].empty() &&
                (matched == found.matched().end() || *matched++ != i))
                return done + i;
        }
        if (matched != found.matched().end())
            return done;
        done += more;
    }
    return done;
}

/// Holds every code path of the classifier against the definitions, packet by packet.
inline void compare_with_oracle(std::span<const criterion> criteria,
                                const std::vector<packet_key>& keys) {
    const auto expected = oracle(criteria, keys);
    match_buffer found(keys.size(), std::max<std::size_t>(4096, criteria.size() * 4));
    for (const code_path path : code_paths) {
        const auto built = classifier::build(criteria, {}, path);
        REQUIRE(built.has_value());
        INFO("code path " << static_cast<int>(path));
        REQUIRE(first_difference(*built, keys, expected, found) == keys.size());
    }
}

} // namespace flowtap::filter::testing
