// SPDX-License-Identifier: Apache-2.0
#include <flowtap/subscriber/session.hpp>

#include <optional>
#include <string>

#include <doctest/doctest.h>

using namespace flowtap;

TEST_CASE("the number of a session is read out of its Acct-Session-Id") {
    struct row {
        const char* text;
        std::optional<std::uint32_t> number;
    };
    const row rows[] = {
        {"435264", 435264},
        {"jnpr ge-1/2/3.0:435264", 435264},
        {"ge-1/0/0:100-200:17", 17},
        {"0", 0},
        {"4294967295", 4294967295U},
        {"4294967296", 0},
        {"4294967301", 5},
        {"00A1b2", 0xA1B2},
        {"00000000deadBEEF", 0xDEADBEEF},
        {"1deadBEEF", 0xDEADBEEF},
        {"", std::nullopt},
        {":", std::nullopt},
        {"17:", std::nullopt},
        {"a:b1", std::nullopt},
        {"-1", std::nullopt},
        {"0x11", std::nullopt},
        {"session 7", std::nullopt},
    };
    for (const row& one : rows) {
        CAPTURE(one.text);
        CHECK(subscriber::session_number(one.text) == one.number);
    }
}
