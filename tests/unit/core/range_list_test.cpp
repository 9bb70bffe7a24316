// SPDX-License-Identifier: Apache-2.0
#include <flowtap/core/range_list.hpp>

#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

using namespace flowtap;

namespace {

using list = range_list<std::uint8_t>;
using entry = range_entry<std::uint8_t>;

entry plain(std::uint8_t first, std::uint8_t last) {
    return {{first, last}, false};
}

entry without(std::uint8_t first, std::uint8_t last) {
    return {{first, last}, true};
}

/// The values that a list admits, each asked for.
std::vector<unsigned> admitted(const list& some) {
    std::vector<unsigned> values;
    for (unsigned value = 0; value < 256; ++value)
        if (some.admits(static_cast<std::uint8_t>(value)))
            values.push_back(value);
    return values;
}

} // namespace

TEST_CASE("no entry stands for the wildcard") {
    CHECK(list{}.is_wildcard());
    CHECK(admitted({}).size() == 256);
    CHECK_FALSE(list{{plain(0, 255)}}.is_wildcard());
}

TEST_CASE("a plain entry admits its ends and what lies between") {
    CHECK(admitted({{plain(6, 8)}}) == std::vector<unsigned>{6, 7, 8});
    CHECK(admitted({{plain(255, 255)}}) == std::vector<unsigned>{255});
    CHECK(admitted({{plain(0, 0), plain(254, 255)}}) == std::vector<unsigned>{0, 254, 255});
}

TEST_CASE("a negated entry takes away, wherever it stands") {
    CHECK(admitted({{without(1, 254)}}) == std::vector<unsigned>{0, 255});
    CHECK(admitted({{plain(1, 4), without(2, 3)}}) == std::vector<unsigned>{1, 4});
    CHECK(admitted({{without(2, 3), plain(1, 4)}}) == std::vector<unsigned>{1, 4});
    CHECK(admitted({{without(0, 9), without(11, 255)}}) == std::vector<unsigned>{10});
    CHECK(admitted({{plain(5, 5), without(5, 5)}}).empty());
    CHECK(admitted({{without(0, 255)}}).empty());
}

TEST_CASE("a list knows whether anything in it is negated") {
    CHECK_FALSE(list{}.has_negation());
    CHECK_FALSE(list{{plain(1, 2)}}.has_negation());
    CHECK(list{{plain(1, 2), without(2, 2)}}.has_negation());
}
