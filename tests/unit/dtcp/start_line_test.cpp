// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/parser.hpp>

#include <doctest/doctest.h>

#include "messages.hpp"

namespace flowtap::dtcp {

namespace {

result<request> parse_start(const std::string& start) {
    return test::parse(start + "\nCsource-ID: lea1\nSeq: 1\n");
}

void bad(const std::string& start, errc code) {
    CAPTURE(start);
    const auto parsed = parse_start(start);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == code);
    CHECK(parsed.error().where == text_position{1, 1});
}

} // namespace

TEST_CASE("method and DTCP are matched regardless of case, blanks in plenty") {
    for (const char* start : {"NOOP DTCP/0.7", "noop dtcp/0.7", "NoOp  \t DtCp/0.7 ",
                              "NOOP DTCP/0.5", "NOOP DTCP/0.6", "NOOP DTCP/0.8"}) {
        CAPTURE(start);
        const auto parsed = parse_start(start);
        REQUIRE(parsed);
        CHECK(std::holds_alternative<noop_request>(*parsed));
    }
}

TEST_CASE("a version that is not spoken comes before the method") {
    for (const char* start : {"NOOP DTCP/0.4", "NOOP DTCP/0.9", "NOOP DTCP/1.0", "FLY DTCP/0.9",
                              "NOOP DTCP/0.10", "NOOP DTCP/99999999999.7", "NOOP DTCP/0.0"})
        bad(start, errc::version_not_supported);
}

TEST_CASE("an unknown method is not implemented") {
    for (const char* start : {"FLY DTCP/0.7", "ADDD DTCP/0.7", "DTCP/0.7 DTCP/0.7"})
        bad(start, errc::unknown_method);
}

TEST_CASE("any other start line is a bad request") {
    for (const char* start : {"NOOP",
                              "NOOP DTCP",
                              "NOOP DTCP/",
                              "NOOP DTCP/0",
                              "NOOP DTCP/0.",
                              "NOOP DTCP/.7",
                              "NOOP DTCP/a.b",
                              "NOOP DTCP/0.7x",
                              "NOOP DTCP/0.7 more",
                              "DTCP/0.7",
                              " NOOP DTCP/0.7",
                              "NOOP HTTP/0.7",
                              "NOOPDTCP/0.7",
                              "NOOP DTCP /0.7",
                              "NOOP DTCP/0.07",
                              "NOOP DTCP/0.7.1",
                              "NOOP DTCP/-0.7",
                              "\x01\x02 DTCP/x.7",
                              "NO\\079P",
                              "NOOP DTCP/0.7\xC3\xA9",
                              "N\xFFOP DTCP/0.7",
                              "\xFF"})
        bad(start, errc::malformed_start_line);
}

TEST_CASE("what identifies the sender comes before everything else") {
    struct row {
        const char* lines;
        errc code;
    };
    for (const row& expected :
         {row{"FLY HTTP\nSeq: 1\n", errc::missing_csource_id},
          row{"FLY HTTP\nCsource-ID: a\n", errc::missing_sequence},
          row{"FLY HTTP\nCsource-ID: a\nSeq: x\n", errc::malformed_sequence},
          row{"FLY HTTP\nCsource-ID: a\nSeq: 1\n", errc::malformed_start_line}}) {
        const auto parsed = test::parse(expected.lines);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code == expected.code);
    }
}

TEST_CASE("a request kept in a file need not identify its sender") {
    const parse_options from_file{.identity = identity_rule::optional};
    const auto parsed = test::parse("NOOP DTCP/0.7\n", from_file);
    REQUIRE(parsed);
    CHECK(header_of(*parsed).csource_id.empty());
    CHECK(header_of(*parsed).seq == sequence_number(0));
}

TEST_CASE("lines are checked in their order, wherever their parameters belong") {
    struct row {
        std::string line;
        errc code;
        std::size_t column;
    };
    for (const row& expected : {
             row{"no colon", errc::malformed_line, 1},
             row{": no name", errc::malformed_line, 1},
             row{" Flags: Static", errc::malformed_line, 1},
             row{"Fl ags: Static", errc::malformed_line, 1},
             row{"Flags: a\x01", errc::control_octet, 9},
             row{std::string("X-Y: a\0b", 8), errc::control_octet, 7},
             row{"X-Y: a\rb", errc::control_octet, 7},
             row{"X-Y: \x7F", errc::control_octet, 6},
             row{"\x1B[2J: 1", errc::control_octet, 1},
             row{"Flag: Static", errc::unknown_parameter, 1},
         }) {
        CAPTURE(expected.line);
        const auto parsed = test::parse("NOOP DTCP/0.7\nCsource-ID: a\nSeq: 1\nX-Fine: a\tb\n" +
                                        expected.line + "\nnonsense too\n");
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code == expected.code);
        CHECK(parsed.error().where == text_position{5, expected.column});
        CHECK(parsed.error().subject == expected.line);
        CHECK(status_of(parsed.error().code) == status_code::bad_request);
    }
}

TEST_CASE("a control octet is found wherever it stands in a line of any length") {
    for (std::size_t size = 1; size < 40; ++size)
        for (std::size_t at = 0; at < size; ++at)
            for (const char octet : {'\x01', '\x1F', '\x7F'}) {
                std::string line = "X-Fine:" + std::string(size, '\t') + "\x80\xFF a";
                line[7 + at] = octet;
                const auto parsed =
                    test::parse("NOOP DTCP/0.7\nCsource-ID: a\nSeq: 1\n" + line + "\n");
                REQUIRE_FALSE(parsed);
                CHECK(parsed.error().code == errc::control_octet);
                CHECK(parsed.error().where == text_position{4, 8 + at});
            }
    CHECK(test::parse("NOOP DTCP/0.7\nCsource-ID: a\nSeq: 1\nX-Fine:\t\t\t\t\x80\xFF a\n"));
}

} // namespace flowtap::dtcp
