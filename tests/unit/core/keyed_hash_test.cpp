// SPDX-License-Identifier: Apache-2.0
#include <flowtap/core/keyed_hash.hpp>

#include <array>
#include <cstddef>

#include <doctest/doctest.h>

using namespace flowtap;

TEST_CASE("the keyed hash is SipHash-2-4") {
    // Key and message are the octets 0, 1, 2, ...; the values as openssl mac gives them.
    constexpr hash_key key{0x0706050403020100, 0x0F0E0D0C0B0A0908};
    constexpr std::array<std::uint64_t, 6> words{0x0706050403020100, 0x0F0E0D0C0B0A0908,
                                                 0x1716151413121110, 0x1F1E1D1C1B1A1918,
                                                 0x2726252423222120, 0x2F2E2D2C2B2A2928};
    struct row {
        std::size_t words;
        std::uint64_t hash;
    };
    const row rows[] = {{0, 0x726FDB47DD0E0E31},
                        {1, 0x93F5F5799A932462},
                        {2, 0x3F2ACC7F57C29BDB},
                        {3, 0xB8AD50C6F649AF94},
                        {6, 0xE612A3CB9ECBA951}};
    for (const row& each : rows) {
        CAPTURE(each.words);
        CHECK(keyed_hash(key, std::span(words).first(each.words)) == each.hash);
    }
    CHECK(keyed_hash({1, 2}, words) != keyed_hash({1, 3}, words));
}
