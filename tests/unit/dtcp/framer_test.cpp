// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/framer.hpp>

#include <limits>
#include <random>

#include <doctest/doctest.h>

#include "messages.hpp"

namespace flowtap::dtcp {

namespace {

using test::framed;

/// What comes out of a stream: messages, then perhaps an error.
struct outcome {
    std::vector<std::string> messages;
    std::error_code failure;
    std::size_t line = 0;
    bool in_message = false;

    friend bool operator==(const outcome&, const outcome&) = default;
};

/// Feeds a stream in pieces of the sizes that `next_size` gives.
template <class NextSize>
outcome feed(std::string_view stream, framer_limits limits, NextSize next_size) {
    framer cutter(limits);
    outcome seen;
    while (!stream.empty()) {
        const std::size_t size = std::min(stream.size(), next_size());
        byte_view piece = as_byte_view(stream.substr(0, size));
        stream.remove_prefix(size);
        while (!piece.empty()) {
            const auto used = cutter.put(piece);
            if (!used) {
                seen.failure = used.error().code;
                seen.line = used.error().where.line;
                return seen;
            }
            piece = piece.subspan(*used);
            if (cutter.complete())
                seen.messages.emplace_back(cutter.message());
        }
    }
    seen.in_message = cutter.in_message();
    return seen;
}

outcome feed_whole(std::string_view stream, framer_limits limits = {}) {
    const outcome whole = feed(stream, limits, [] { return std::string_view::npos; });
    for (const std::size_t size : {1, 2, 3, 7, 64, 1000})
        REQUIRE(feed(stream, limits, [size] { return size; }) == whole);
    return whole;
}

} // namespace

TEST_CASE("a message ends with its first empty line, whatever ends its lines") {
    CHECK(framed("NOOP DTCP/0.7\r\nSeq: 1\r\n\r\n") == "NOOP DTCP/0.7\r\nSeq: 1\r\n\r\n");
    CHECK(framed("NOOP DTCP/0.7\nSeq: 1\n\n") == "NOOP DTCP/0.7\nSeq: 1\n\n");
    CHECK(framed("A\r\n\n") == "A\r\n\n");
    CHECK(framed("A\nB\r\n\r\nnext") == "A\nB\r\n\r\n");
}

TEST_CASE("a line of blanks is empty and empty lines before a start line are skipped") {
    CHECK(framed("A\r\n \t \r\nB\r\n") == "A\r\n \t \r\n");
    CHECK(framed("\r\n\n  \r\n\t\nA\r\n\r\n") == "A\r\n\r\n");
}

TEST_CASE("a CR within a line does not end it") {
    CHECK(framed("A\rB\r\n\r\r\n\r\n") == "A\rB\r\n\r\r\n\r\n");
}

TEST_CASE("several messages come out of one stream, one by one") {
    const outcome seen = feed_whole("A\r\n1\r\n\r\n\r\nB\n\nC\r\n2");
    CHECK(seen.messages == std::vector<std::string>{"A\r\n1\r\n\r\n", "B\n\n"});
    CHECK_FALSE(seen.failure);
    CHECK(seen.in_message);
    CHECK_FALSE(feed_whole("A\r\n\r\n").in_message);
    CHECK_FALSE(feed_whole("\r\n\r\n").in_message);
}

TEST_CASE("a message may be as long as the limit and no longer") {
    // 4 octets of start line and 2 of empty line around the second line.
    const auto message = [](std::size_t size) {
        return "AB\r\n" + std::string(size - 8, 'x') + "\r\n\r\n";
    };
    const framer_limits limits{.message = 100, .line = 200, .parameters = 5};
    CHECK(feed_whole(message(100), limits).messages.size() == 1);
    const outcome seen = feed_whole(message(101), limits);
    CHECK(seen.messages.empty());
    CHECK(seen.failure == errc::message_too_long);
    CHECK(seen.line == 3);
}

TEST_CASE("a line may be as long as the limit, its end aside, and no longer") {
    const framer_limits limits{.message = 1000, .line = 10, .parameters = 5};
    for (const char* end : {"\r\n", "\n"}) {
        const std::string good = "A\n1234567890" + std::string(end) + "\n";
        CHECK(feed_whole(good, limits).messages.size() == 1);
        const std::string bad = "A\n12345678901" + std::string(end) + "\n";
        const outcome seen = feed_whole(bad, limits);
        CHECK(seen.failure == errc::line_too_long);
        CHECK(seen.line == 2);
    }
    // A CR that turns out not to end the line counts.
    CHECK(feed_whole("1234567890\rx\n\n", limits).failure == errc::line_too_long);
    // Nor may blanks before a start line go on for ever.
    CHECK(feed_whole("           \n", limits).failure == errc::line_too_long);
}

TEST_CASE("a message may have as many parameters as the limit and no more") {
    const framer_limits limits{.message = 1000, .line = 100, .parameters = 3};
    CHECK(feed_whole("A\n1\n2\n3\n\n", limits).messages.size() == 1);
    const outcome seen = feed_whole("A\n1\n2\n3\n4\n\n", limits);
    CHECK(seen.failure == errc::too_many_parameters);
    CHECK(seen.line == 5);
}

TEST_CASE("the default limits are 64 KiB, 8 KiB and 256") {
    CHECK(feed_whole("A\n" + std::string(8 * 1024, 'x') + "\n\n").messages.size() == 1);
    CHECK(feed_whole("A\n" + std::string(8 * 1024 + 1, 'x')).failure == errc::line_too_long);

    std::string long_message = "A\n";
    for (int line = 0; line < 70; ++line)
        long_message += std::string(1024, 'x') + "\n";
    CHECK(feed_whole(long_message).failure == errc::message_too_long);

    std::string many = "A\n";
    for (int line = 0; line < 257; ++line)
        many += "X: 1\n";
    CHECK(feed_whole(many).failure == errc::too_many_parameters);
}

TEST_CASE("an error is final until the framer is cleared") {
    framer cutter({.message = 100, .line = 5, .parameters = 5});
    REQUIRE_FALSE(cutter.put(as_byte_view("123456\n")));
    const auto again = cutter.put(as_byte_view("A\n\n"));
    REQUIRE_FALSE(again);
    CHECK(again.error().code == errc::line_too_long);
    CHECK_FALSE(cutter.complete());
    cutter.clear();
    REQUIRE(cutter.put(as_byte_view("A\n\n")));
    CHECK(cutter.message() == "A\n\n");
}

TEST_CASE("a framer takes nothing beyond the message it completes") {
    framer cutter;
    const auto used = cutter.put(as_byte_view("A\n\nB\n\n"));
    REQUIRE(used);
    CHECK(*used == 3);
    CHECK(cutter.put({}));
}

TEST_CASE("limits may be as large as numbers get") {
    constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
    framer cutter({.message = none, .line = none, .parameters = none});
    const auto used = cutter.put(as_byte_view("A\n\n"));
    REQUIRE(used);
    CHECK(*used == 3);
    CHECK(cutter.complete());
}

TEST_CASE("noise gives the same result however it is cut") {
    const unsigned seed = 20240501;
    MESSAGE("seed ", seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 200; ++round) {
        std::string noise;
        const std::string_view letters("\n\n\r \tAB:\0\xFF", 11);
        for (int count = 0; count < 300; ++count)
            noise += letters[random() % letters.size()];
        const framer_limits limits{.message = 60, .line = 20, .parameters = 6};
        const outcome whole = feed_whole(noise, limits);
        REQUIRE(feed(noise, limits, [&random] { return 1 + random() % 9; }) == whole);
    }
}

} // namespace flowtap::dtcp
