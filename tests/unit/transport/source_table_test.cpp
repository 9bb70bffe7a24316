// SPDX-License-Identifier: Apache-2.0
#include "source_table.hpp"

#include <chrono>
#include <cstdint>

#include <doctest/doctest.h>

using namespace flowtap;
using namespace std::chrono_literals;
using transport::login_limits;
using transport::source_table;

namespace {

constexpr steady_time start{1000s};

login_limits limits(std::size_t connections, std::size_t failures) {
    login_limits made;
    made.source_connections = connections;
    made.source_failures = failures;
    made.source_time = 60s;
    return made;
}

ip_address host(std::uint32_t number) {
    return ip_address::v4(0x0A000000 + number);
}

} // namespace

TEST_CASE("connections of a source that are not logged in are limited, those of others are not") {
    source_table sources(limits(2, 0));
    for (int count = 0; count < 2; ++count) {
        CHECK(sources.admits(host(1), start));
        sources.begin(host(1));
    }
    CHECK_FALSE(sources.admits(host(1), start));
    CHECK(sources.admits(host(2), start));
    sources.end(host(1));
    CHECK(sources.admits(host(1), start));
    sources.end(host(1));
    CHECK(sources.size() == 0);
    sources.end(host(1));
    CHECK(sources.size() == 0);
}

TEST_CASE("a source with too many refused attempts is kept away until it has one left") {
    source_table sources(limits(0, 3));
    for (int count = 0; count < 3; ++count) {
        CHECK(sources.admits(host(1), start));
        sources.fail(host(1), start);
    }
    CHECK_FALSE(sources.admits(host(1), start));
    CHECK(sources.admits(host(2), start));
    CHECK_FALSE(sources.admits(host(1), start + 19s));
    CHECK(sources.admits(host(1), start + 20s));
    sources.fail(host(1), start + 20s);
    CHECK_FALSE(sources.admits(host(1), start + 39s));
    CHECK(sources.admits(host(1), start + 40s));
    // All is forgotten in the end.
    for (int count = 0; count < 3; ++count) {
        CHECK(sources.admits(host(1), start + 100s));
        sources.fail(host(1), start + 100s);
    }
    CHECK_FALSE(sources.admits(host(1), start + 100s));
}

TEST_CASE("more refused attempts than the limit keep nobody away for longer than its time") {
    source_table sources(limits(0, 3));
    for (int count = 0; count < 1000; ++count)
        sources.fail(host(1), start);
    CHECK_FALSE(sources.admits(host(1), start + 19s));
    CHECK(sources.admits(host(1), start + 20s));
}

TEST_CASE("an IPv6 source is a /64") {
    source_table sources(limits(1, 0));
    sources.begin(parse_ip_address("2001:db8::1").value());
    CHECK_FALSE(sources.admits(parse_ip_address("2001:db8::ffff:1").value(), start));
    CHECK(sources.admits(parse_ip_address("2001:db8:0:1::1").value(), start));
    sources.end(parse_ip_address("2001:db8::2").value());
    CHECK(sources.admits(parse_ip_address("2001:db8::1").value(), start));
}

TEST_CASE("what is remembered is bounded, and the worst is remembered longest") {
    source_table sources(limits(0, 10));
    for (int count = 0; count < 10; ++count)
        sources.fail(host(0), start);
    sources.begin(host(1));
    for (std::uint32_t number = 1; number < 5000; ++number)
        sources.fail(host(number), start);
    CHECK(sources.size() <= source_table::most_failing + 1);
    CHECK_FALSE(sources.admits(host(0), start));
    // Those whose time is over go first.
    sources.fail(host(6000), start + 30s);
    CHECK(sources.size() <= 3);
    CHECK_FALSE(sources.admits(host(0), start + 1s));
    sources.end(host(1));
    sources.fail(host(7000), start + 3600s);
    CHECK(sources.admits(host(0), start + 3600s));
}

TEST_CASE("limits can be changed while there are sources") {
    source_table sources(limits(0, 1));
    sources.fail(host(1), start);
    CHECK_FALSE(sources.admits(host(1), start));
    sources.limit(limits(0, 2));
    CHECK_FALSE(sources.admits(host(1), start));
    CHECK(sources.admits(host(1), start + 30s));
    sources.limit(limits(0, 0));
    CHECK(sources.admits(host(1), start));
}
