// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/reader.hpp>

#include <random>

#include <doctest/doctest.h>

#include <flowtap/dtcp/timestamp.hpp>

#include "client.hpp"

namespace flowtap::dtcp {

namespace {

using test::read;
using test::reading;

} // namespace

TEST_CASE("the draft's answers are read") {
    const reading seen = read("DTCP/0.6 200 OK \r\nCriteria-ID: 38224 \r\n"
                              "Timestamp: 2005-01-01 12:01:01.111 \r\nSeq: 3827443 \r\n"
                              "Authentication-Info: 00\r\n\r\n"
                              "dtcp/0.6  431  Unknown Criteria ID\nCriteria-ID: 55331\n\n");
    REQUIRE(seen.responses.size() == 2);
    CHECK(seen.responses[0].spoken == version{0, 6});
    CHECK(seen.responses[0].criterion == 38224);
    CHECK(seen.responses[0].seq == sequence_number(3827443));
    CHECK(format_timestamp(seen.responses[0].timestamp) == "2005-01-01 12:01:01.111");
    CHECK(seen.responses[1].status == status_code::unknown_criteria_id);
    CHECK(seen.responses[1].criterion == 55331);
    CHECK(seen.signatures == std::vector{authenticity::failed, authenticity::failed});
}

TEST_CASE("a reason phrase is free text, or missing") {
    for (const char* phrase : {"", " ", " OK", "\tc'est \xC3\xA9trange", " 200"}) {
        const reading seen = read("DTCP/0.7 200" + std::string(phrase) + "\n\n");
        REQUIRE(seen.responses.size() == 1);
        CHECK(seen.responses[0].status == status_code::ok);
    }
}

TEST_CASE("entries are told apart by the parameter the first one begins with") {
    // The order of the draft's grammar, with the response's own parameters last.
    const reading seen = read("DTCP/0.7 200 OK\n"
                              "Criteria-Count: 2\nCriteria-Num: 1\nCsource-ID: a\nCriteria-ID: 5\n"
                              "Timestamp: 2005-01-01 00:00:00.001\n"
                              "Criteria-Count: 2\nCriteria-Num: 2\nCsource-ID: a\nCriteria-ID: 6\n"
                              "Timestamp: 2005-01-01 00:00:00.002\n"
                              "Timestamp: 2005-01-01 00:00:00.003\nSeq: 4\n\n");
    REQUIRE(seen.entries.size() == 2);
    CHECK(seen.entries[0].id == criteria_id(5));
    CHECK(seen.entries[1].id == criteria_id(6));
    CHECK(format_timestamp(seen.entries[1].added) == "2005-01-01 00:00:00.002");
    CHECK(format_timestamp(seen.responses.at(0).timestamp) == "2005-01-01 00:00:00.003");
    CHECK(seen.responses.at(0).seq == sequence_number(4));
}

TEST_CASE("within an entry the first of a repeated parameter counts") {
    const reading seen = read("DTCP/0.7 200 OK\nSEQ: 1\nSEQ: 2\nCRITERIA-ID: 5\nCSOURCE-ID: a\n"
                              "CSOURCE-ID: b\nCRITERIA-NUM: 1\nCRITERIA-NUM: 9\n\n");
    REQUIRE(seen.entries.size() == 1);
    CHECK(seen.entries[0].csource_id == "a");
    CHECK(seen.entries[0].number == 1);
    CHECK(seen.responses.at(0).seq == sequence_number(1));
}

TEST_CASE("unknown parameters and odd values are passed over") {
    const reading seen = read("DTCP/0.7 200 OK\nSEQ: 1\nX-NEW: 1\nNew: 2\nCRITERIA-ID: 5\n"
                              "CSOURCE-ID: a\\9\nCSOURCE-ADDRESS: nowhere\nTIMESTAMP: never\n"
                              "NUM-REFRESH: many\nCRITERIA-NUM: 1\n\n");
    REQUIRE(seen.entries.size() == 1);
    CHECK(seen.entries[0].csource_id == "a\\9");
    CHECK_FALSE(seen.entries[0].csource_address);
    CHECK(seen.entries[0].added == wall_time());
    CHECK(seen.entries[0].statistics.value().num_refresh == 0);
}

TEST_CASE("a refusal's line is read back") {
    const auto line_of = [](const std::string& line) {
        return read("DTCP/0.7 400 Bad Request\r\nSEQ: 1\r\n" + line + "\r\n\r\n")
            .responses.at(0)
            .offending_line;
    };
    CHECK(line_of("Source-Address: 10.0.0.256") == "Source-Address: 10.0.0.256");
    CHECK(line_of("CRITERIA-ID: x") == "Criteria-ID: x");
    CHECK(line_of("X-OFFENDING-LINE: a: \\001b") == "a: \\001b");
    CHECK(line_of("Other: 1").empty());
}

TEST_CASE("what is no message ends the reading, with its line") {
    struct row {
        const char* octets;
        errc code;
        std::size_t line;
    };
    for (const row& expected : {
             row{"HTTP/1.1 200 OK\n", errc::malformed_status_line, 1},
             row{"DTCP/0.7\n", errc::malformed_status_line, 1},
             row{"DTCP/0.7 20 OK\n", errc::malformed_status_line, 1},
             row{"DTCP/0.7 2000 OK\n", errc::malformed_status_line, 1},
             row{"DTCP/0.7\xFF 200 OK\n", errc::malformed_status_line, 1},
             row{"DTCP/0.7 200\xFF\n", errc::malformed_status_line, 1},
             row{"\xFF\n", errc::malformed_status_line, 1},
             row{"DTCP/0.7 OK\n", errc::malformed_status_line, 1},
             row{"DTCP/0.7 200 OK\n\n\nnoise\n", errc::malformed_status_line, 1},
             row{"DTCP/0.7 200 OK\nSEQ: 1\nno colon\n", errc::malformed_line, 3},
             row{"DTCP/0.7 200 OK\nSEQ: x\n", errc::invalid_value, 2},
             row{"DTCP/0.7 200 OK\nCRITERIA-ID: x\nCSOURCE-ID: a\nCRITERIA-ID: 2\n",
                 errc::invalid_value, 4},
         }) {
        CAPTURE(expected.octets);
        const reading seen = read(expected.octets);
        CHECK(seen.failure == expected.code);
        CHECK(seen.line == expected.line);
    }
}

TEST_CASE("lines and entries are limited, the number of entries is not") {
    const reader_limits limits{.line = 20, .entry_parameters = 3};
    CHECK(read("DTCP/0.7 200 OK\nX-A: 7890123456789012\n", limits).failure == errc::line_too_long);
    CHECK_FALSE(read("DTCP/0.7 200 OK\nX-A: 789012345678901\r\n\r\n", limits).failure);
    CHECK(read("DTCP/0.7 200 OK\nFlags: a\nProtocol: 1\nSource-Port: 2\nDest-Port: 3\n", limits)
              .failure == errc::too_many_parameters);
    std::string many = "DTCP/0.7 200 OK\n";
    for (int id = 0; id < 40; ++id)
        many += "CRITERIA-ID: 1\nCSOURCE-ID: a\n";
    CHECK(read(many + "\n", limits).entries.size() == 40);
}

TEST_CASE("a stream that ends in a message was cut off") {
    CHECK(read("DTCP/0.7 200 OK\r\nSEQ: 1\r\n").in_message);
    CHECK(read("DTC").in_message);
    CHECK_FALSE(read("DTCP/0.7 200 OK\r\nSEQ: 1\r\n\r\n\r\n").in_message);
}

TEST_CASE("without a key signatures are not checked") {
    struct last_signature final : response_handler {
        void on_entry(list_entry) override {}
        void on_response(response, authenticity given) override { signature = given; }
        void on_notification(notification, authenticity) override {}
        authenticity signature = authenticity::failed;
    } client;
    response_reader reader(client);
    REQUIRE(reader.put(as_byte_view("DTCP/0.7 200 OK\n\n")));
    CHECK(client.signature == authenticity::unchecked);
}

TEST_CASE("noise is read or refused, the same however it is cut") {
    const unsigned seed = 20240502;
    MESSAGE("seed ", seed);
    std::mt19937 random(seed);
    const char* const pieces[] = {"DTCP/0.7 200 OK\n", "CRITERIA-ID: 1\n", "SEQ: 5\n",   "\n",
                                  "TIMESTAMP: x\n",    "CSOURCE-ID: a\n",  "\xFF: \r\n", " \t",
                                  "DTCP/0.7 390 x\n",  "CRITERIA-NUM: 3\n"};
    for (int round = 0; round < 60; ++round) {
        std::string noise = "DTCP/0.7 200 OK\n";
        for (int count = 0; count < 12; ++count)
            noise += pieces[random() % std::size(pieces)];
        read(noise);
    }
}

} // namespace flowtap::dtcp
