// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/sequence.hpp>

#include <set>

#include <doctest/doctest.h>

namespace flowtap::dtcp {

namespace {

using enum sequence_verdict;

sequence_number at(std::uint64_t value) {
    return sequence_number(value);
}

constexpr std::uint64_t top = ~0ULL;

} // namespace

TEST_CASE("the first number sets the window and the numbers below it count as seen") {
    sequence_window window;
    CHECK_FALSE(window.last());
    CHECK(window.accept(at(1000)) == accepted);
    CHECK(window.last() == at(1000));
    CHECK(window.check(at(1000)) == repeated);
    CHECK(window.check(at(999)) == repeated);
    CHECK(window.check(at(1000 - 255)) == repeated);
    CHECK(window.check(at(1000 - 256)) == outside);
}

TEST_CASE("a number is good up to 256 above the last") {
    const sequence_window window(at(5000));
    CHECK(window.check(at(5001)) == accepted);
    CHECK(window.check(at(5256)) == accepted);
    CHECK(window.check(at(5257)) == outside);
    CHECK(window.check(at(0)) == outside);
    CHECK(window.check(at(top)) == outside);
}

TEST_CASE("checking moves nothing") {
    sequence_window window(at(10));
    CHECK(window.check(at(11)) == accepted);
    CHECK(window.check(at(11)) == accepted);
    CHECK(window.last() == at(10));
}

TEST_CASE("a number that was skipped is good once, until it leaves the negative window") {
    sequence_window window(at(100));
    CHECK(window.accept(at(103)) == accepted);
    CHECK(window.accept(at(101)) == accepted);
    CHECK(window.accept(at(101)) == repeated);
    CHECK(window.last() == at(103));
    CHECK(window.accept(at(102)) == accepted);
    CHECK(window.accept(at(102)) == repeated);

    CHECK(window.accept(at(105)) == accepted);
    CHECK(window.accept(at(104 + 255)) == accepted);
    CHECK(window.check(at(104)) == accepted);
    CHECK(window.accept(at(104 + 256)) == accepted);
    CHECK(window.check(at(104)) == outside);
}

TEST_CASE("going past zero is a rollover, once") {
    sequence_window window(at(top - 1));
    CHECK(window.accept(at(3)) == rolled_over);
    CHECK(window.accept(at(4)) == accepted);
    CHECK(window.accept(at(top)) == accepted);
    CHECK(window.accept(at(top)) == repeated);
    CHECK(window.accept(at(0)) == accepted);
    CHECK(window.last() == at(4));
}

TEST_CASE("the last number before zero is no rollover") {
    sequence_window window(at(top - 1));
    CHECK(window.accept(at(top)) == accepted);
    CHECK(window.accept(at(0)) == rolled_over);
}

TEST_CASE("going past zero in one leap is outside") {
    CHECK(sequence_window(at(top - 300)).check(at(5)) == outside);
    CHECK(sequence_window(at(top - 250)).check(at(5)) == rolled_over);
    CHECK(sequence_window(at(top - 250)).check(at(6)) == outside);
}

TEST_CASE("a manual reset takes any number again") {
    sequence_window window(at(7));
    window.reset();
    CHECK_FALSE(window.last());
    CHECK(window.accept(at(3)) == accepted);
    CHECK(window.accept(at(3)) == repeated);
}

TEST_CASE("the window agrees with a set of all numbers ever seen, wherever it stands") {
    for (const std::uint64_t start : {std::uint64_t{0}, std::uint64_t{1} << 40, top - 2000}) {
        CAPTURE(start);
        sequence_window window(at(start));
        std::set<std::uint64_t> seen;
        std::uint64_t last = start;
        std::uint64_t noise = 12345;
        for (int step = 0; step < 5000; ++step) {
            noise = noise * 6364136223846793005ULL + 1442695040888963407ULL;
            const std::uint64_t candidate = last + (noise >> 33) % 600 - 300;
            const std::uint64_t above = candidate - last;
            const std::uint64_t below = last - candidate;
            bool expected = above >= 1 && above <= 256;
            if (below < 256)
                expected = !seen.contains(candidate) && candidate - start >= 1 &&
                           candidate - start < 1'000'000'000;
            CAPTURE(step);
            REQUIRE(is_accepted(window.accept(at(candidate))) == expected);
            if (!expected)
                continue;
            seen.insert(candidate);
            if (above >= 1 && above <= 256)
                last = candidate;
        }
        CHECK(last - start > 10000);
    }
}

} // namespace flowtap::dtcp
