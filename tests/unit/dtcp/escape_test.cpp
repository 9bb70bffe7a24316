// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/escape.hpp>

#include <ostream>

#include <doctest/doctest.h>

namespace flowtap::dtcp {

TEST_CASE("an escape is a backslash and three digits") {
    struct row {
        std::string_view token;
        std::string_view octets;
    };
    for (const row& good : {
             row{"", ""},
             row{"plain", "plain"},
             row{"a\\044b", "a,b"},
             row{"\\092", "\\"},
             row{"\\0921", "\\1"},
             row{"\\255\\001", "\xFF\x01"},
             row{"cd\\0321", "cd 1"},
         }) {
        CAPTURE(good.token);
        const auto plain = unescape_value(good.token);
        REQUIRE(plain);
        CHECK(*plain == good.octets);
    }
    CHECK(unescape_value("\\000").value() == std::string(1, '\0'));
}

TEST_CASE("any other backslash is refused, with its column") {
    struct row {
        std::string_view token;
        std::size_t column;
    };
    for (const row& bad : {row{"\\", 1}, row{"ab\\1", 3}, row{"a\\12", 2}, row{"\\256", 1},
                           row{"\\999", 1}, row{"\\1a2", 1}, row{"\\044\\", 5}, row{"\\-12", 1}}) {
        CAPTURE(bad.token);
        const auto plain = unescape_value(bad.token);
        REQUIRE_FALSE(plain);
        CHECK(plain.error().code == errc::invalid_escape);
        CHECK(plain.error().where.column == bad.column);
    }
}

TEST_CASE("every octet survives being escaped as a value") {
    std::string octets;
    for (int octet = 0; octet < 256; ++octet)
        octets += static_cast<char>(octet);
    const std::string escaped = escape_value(octets);
    for (const char letter : escaped)
        CHECK((letter > ' ' && letter <= '~' && letter != ','));
    CHECK(unescape_value(escaped).value() == octets);
}

TEST_CASE("a line is escaped where it is not printable and nowhere else") {
    CHECK(escape_line("Name: a, b\\044 \"c\"") == "Name: a, b\\044 \"c\"");
    CHECK(escape_line(std::string_view("a\0b\r\x7F\xC3\xA9\t", 8)) ==
          "a\\000b\\013\\127\\195\\169\t");
}

} // namespace flowtap::dtcp
