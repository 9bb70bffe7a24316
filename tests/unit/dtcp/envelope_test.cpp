// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/envelope.hpp>

#include <doctest/doctest.h>

#include "messages.hpp"

namespace flowtap::dtcp {

namespace {

using test::framed;

} // namespace

TEST_CASE("an envelope tells what decides whether a request is answered") {
    const std::string message = framed("LIST DTCP/0.7\r\n"
                                       "Csource-ID: dtcp1\r\n"
                                       "cdest-id :\t cd1 \r\n"
                                       "Seq: 9\r\n"
                                       "Authentication-Info: f6dd\r\n"
                                       "Flags: Stats\r\n\r\n");
    const auto parts = parse_envelope(message);
    REQUIRE(parts);
    CHECK(parts->start_line == "LIST DTCP/0.7");
    CHECK(parts->csource_id == "dtcp1");
    CHECK(parts->sequence_text == "9");
    CHECK(parts->sequence == sequence_number(9));
    CHECK(parts->authentication_info == "f6dd");
    CHECK(parts->signed_octets == message.substr(0, message.find("Authentication")));
    REQUIRE(parts->lines.size() == 3);

    const header_line& line = parts->lines[1];
    CHECK(line.text == "cdest-id :\t cd1");
    CHECK(line.name == "cdest-id");
    CHECK(line.value == "cd1");
    CHECK(line.known == parameter::cdest_id);
    CHECK(line.number == 3);
    CHECK(line.column == 13);
    CHECK(parts->find(parameter::cdest_id) == &line);
    CHECK(parts->find(parameter::flags) == nullptr);
}

TEST_CASE("an envelope that is used again holds nothing of the message before") {
    const std::string full = framed("LIST DTCP/0.7\r\nCsource-ID: dtcp1\r\nSeq: 9\r\n"
                                    "Authentication-Info: f6dd\r\n\r\n");
    envelope parts;
    REQUIRE(parse_envelope(full, parts));
    REQUIRE(parse_envelope("NOOP DTCP/0.8\r\n\r\n", parts));
    CHECK(parts.start_line == "NOOP DTCP/0.8");
    CHECK(parts.lines.empty());
    CHECK_FALSE(parts.csource_id);
    CHECK(parts.sequence_text.empty());
    CHECK_FALSE(parts.sequence);
    CHECK_FALSE(parts.authentication_info);
    CHECK(parts.signed_octets == "NOOP DTCP/0.8\r\n");
    CHECK_FALSE(parse_envelope("\r\n", parts));
}

TEST_CASE("the signed octets are exactly as sent") {
    const std::string message = framed("NOOP DTCP/0.6 \r\nSeq:1\t \n\\ \r\n"
                                       "AUTHENTICATION-INFO : 00 \r\n\r\n");
    const auto parts = parse_envelope(message);
    REQUIRE(parts);
    CHECK(parts->signed_octets == "NOOP DTCP/0.6 \r\nSeq:1\t \n\\ \r\n");
    CHECK(parts->authentication_info == "00");
}

TEST_CASE("nothing about version, method and fields matters to an envelope") {
    const std::string message = framed("garbage\x01 HTTP\r\nno colon here\r\n: no name\r\n"
                                       " blank before: 1\r\ntwo words: 1\r\nCsource-ID: a\r\n"
                                       "Seq: 12\r\nUnknown: x\r\n\r\n");
    const auto parts = parse_envelope(message);
    REQUIRE(parts);
    CHECK(parts->csource_id == "a");
    CHECK(parts->sequence == sequence_number(12));
    CHECK_FALSE(parts->authentication_info);
    REQUIRE(parts->lines.size() == 7);
    for (const std::size_t bad : {0, 1, 2, 3})
        CHECK(parts->lines[bad].name.empty());
    CHECK(parts->lines[6].name == "Unknown");
    CHECK_FALSE(parts->lines[6].known);
}

TEST_CASE("of a repeated parameter the first counts, also when it is not valid") {
    const auto parts = parse_envelope("NOOP DTCP/0.7\r\nSeq: x\r\nSeq: 5\r\nCsource-ID: \r\n"
                                      "Csource-ID: a\r\n\r\n");
    REQUIRE(parts);
    CHECK(parts->sequence_text == "x");
    CHECK_FALSE(parts->sequence);
    CHECK_FALSE(parts->csource_id);
}

TEST_CASE("a sequence number is an unsigned 64-bit number") {
    struct row {
        const char* text;
        std::optional<std::uint64_t> value;
    };
    for (const row& expected : {row{"0", 0}, row{"18446744073709551615", ~0ULL}, row{"007", 7},
                                row{"18446744073709551616", {}}, row{"-1", {}}, row{"+1", {}},
                                row{"1 2", {}}, row{"0x10", {}}, row{"", {}}, row{"1\\048", {}}}) {
        CAPTURE(expected.text);
        const std::string message = "NOOP DTCP/0.7\r\nSeq: " + std::string(expected.text) + "\r\n";
        const auto parts = parse_envelope(message);
        REQUIRE(parts);
        CHECK(parts->sequence.has_value() == expected.value.has_value());
        if (expected.value)
            CHECK(parts->sequence->value() == *expected.value);
    }
}

TEST_CASE("a control source is printable ASCII once its escapes are resolved") {
    const auto source_of = [](std::string_view text) {
        const std::string message = "NOOP DTCP/0.7\r\nCsource-ID: " + std::string(text) + "\r\n";
        return parse_envelope(message)->csource_id;
    };
    CHECK(source_of("ft-user1") == "ft-user1");
    CHECK(source_of("a\\092b") == "a\\b");
    CHECK(source_of("a\\0") == std::nullopt);
    CHECK(source_of("a\\010") == std::nullopt);
    CHECK(source_of("caf\xC3\xA9") == std::nullopt);
    CHECK(source_of("") == std::nullopt);
}

TEST_CASE("octets after the first empty line are not looked at") {
    const auto parts = parse_envelope("\r\nA\r\nB: 1\r\n \r\nSeq: 1\r\n");
    REQUIRE(parts);
    CHECK(parts->start_line == "A");
    CHECK(parts->lines.size() == 1);
    CHECK(parts->signed_octets == "A\r\nB: 1\r\n");
    CHECK_FALSE(parts->sequence);
}

TEST_CASE("without a start line there is no envelope") {
    for (const char* text : {"", "\r\n", " \n\t\r\n"}) {
        const auto parts = parse_envelope(text);
        REQUIRE_FALSE(parts);
        CHECK(parts.error().code == errc::incomplete_message);
    }
}

} // namespace flowtap::dtcp
