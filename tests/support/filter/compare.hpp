// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/filter/classifier.hpp>

#include "sift_headers.hpp"

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

/// The packets that `sift` takes for those that may match, of those that it may be asked about, in
/// runs as they come; the others are taken for such. `longest` is that of a run.
inline std::vector<bool> sifted(const classifier& built, std::span<const packet_key> keys,
                                std::size_t longest = plain_headers::most) {
    std::vector<bool> may_match(keys.size(), true);
    plain_headers headers;
    for (std::size_t first = 0; first < keys.size();) {
        std::size_t count = 0;
        for (; first + count < keys.size() && count < longest; ++count) {
            const packet_key& next = keys[first + count];
            if (!is_plain(next) || next.interface != keys[first].interface ||
                next.vrf != keys[first].vrf)
                break;
            put_header(headers, count, next);
        }
        const auto bits = built.sift(headers, count, keys[first].interface, keys[first].vrf);
        // None beyond those that were asked about.
        REQUIRE((count == plain_headers::most || bits >> count == 0));
        for (std::size_t i = 0; i < count; ++i)
            may_match[first + i] = (bits >> i & 1) != 0;
        first += std::max<std::size_t>(count, 1);
    }
    return may_match;
}

/// The first packet that `sift` leaves out, though something matches it; their number if there is
/// none.
inline std::size_t first_left_out(const classifier& built, std::span<const packet_key> keys,
                                  std::span<const slot_list> expected) {
    const std::vector<bool> may_match = sifted(built, keys);
    std::size_t i = 0;
    while (i < keys.size() && (may_match[i] || expected[i].empty()))
        ++i;
    return i;
}

/// The first packet for which `found` has something else than expected when `keys` are matched in
/// batches, with the rest put in again until all are done, or that `sift` leaves out wrongly; their
/// number if there is none.
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
    return first_left_out(built, keys, expected);
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
