// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/timestamp.hpp>

#include <ostream>

#include <doctest/doctest.h>

#include <flowtap/dtcp/error.hpp>

namespace flowtap::dtcp {

using namespace std::chrono;
using namespace std::chrono_literals;

TEST_CASE("a timestamp is UTC with milliseconds") {
    CHECK(format_timestamp(wall_time()) == "1970-01-01 00:00:00.000");
    const wall_time moment = sys_days(2011y / February / 13) + 15h + 56min + 49s + 609ms;
    CHECK(format_timestamp(moment) == "2011-02-13 15:56:49.609");
    CHECK(format_timestamp(moment + 999999ns) == "2011-02-13 15:56:49.609");
    CHECK(format_timestamp(wall_time(-1ns)) == "1969-12-31 23:59:59.999");
}

TEST_CASE("a timestamp is read back") {
    for (const char* text : {"1970-01-01 00:00:00.000", "2024-02-29 23:59:59.999",
                             "1999-12-31 00:00:00.001", "2261-12-31 23:59:59.999"}) {
        const auto moment = parse_timestamp(text);
        REQUIRE(moment);
        CHECK(format_timestamp(*moment) == text);
    }
}

TEST_CASE("what is not a timestamp is refused") {
    for (const char* text :
         {"", "2024-02-30 00:00:00.000", "2023-02-29 00:00:00.000", "2024-13-01 00:00:00.000",
          "2024-01-01 24:00:00.000", "2024-01-01 00:60:00.000", "2024-01-01 00:00:60.000",
          "2024-01-01T00:00:00.000", "2024-01-01 00:00:00", "2024-01-01 00:00:00.0000",
          "2024-1-01 00:00:00.0000", "+024-01-01 00:00:00.000", "0000-00-00 00:00:00.000",
          "9999-12-31 23:59:59.999"}) {
        CAPTURE(text);
        const auto moment = parse_timestamp(text);
        REQUIRE_FALSE(moment);
        CHECK(moment.error().code == errc::invalid_value);
    }
}

} // namespace flowtap::dtcp
