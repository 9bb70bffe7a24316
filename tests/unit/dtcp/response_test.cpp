// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/response.hpp>

#include <doctest/doctest.h>

#include <flowtap/dtcp/parser.hpp>
#include <flowtap/dtcp/timestamp.hpp>
#include <flowtap/dtcp/writer.hpp>

#include "client.hpp"
#include "hmac_sha1.hpp"
#include "messages.hpp"

namespace flowtap::dtcp {

namespace {

using test::hmac_sha1;
using test::reading;

const wall_time now = *parse_timestamp("2011-02-13 15:56:49.609");

std::string written(const response& message) {
    hmac_sha1 hash("Juniper");
    std::string octets;
    write_response(octets, message, hash);
    return octets;
}

/// A written response without its signature, which must verify, as must the response when it is
/// read back.
std::string lines_of(const response& message) {
    const std::string octets = written(message);
    const reading seen = test::read(octets);
    CHECK(seen.signatures == std::vector{authenticity::verified});
    CHECK(seen.responses == std::vector{message});
    CHECK(test::framed(octets) == octets);
    return octets.substr(0, octets.find("AUTHENTICATION-INFO: "));
}

/// The answer to a request that must be refused.
std::string answer_to(const std::string& request_lines) {
    const std::string message = test::framed(test::on_the_wire(request_lines));
    const auto parts = parse_envelope(message);
    REQUIRE(parts);
    const auto parsed = parse_request(*parts);
    REQUIRE_FALSE(parsed);
    const response answer = make_error_response(*parts, parsed.error(), now);
    const std::string octets = written(answer);
    return octets.substr(0, octets.find("TIMESTAMP: "));
}

const std::string identity = "Csource-ID: lea1\nSeq: 42\n";

} // namespace

TEST_CASE("an answer has Junos' names and order, and Junos' signature") {
    CHECK(written({.seq = sequence_number(7), .timestamp = now, .criterion = 2}) ==
          "DTCP/0.7 200 OK\r\nSEQ: 7\r\nCRITERIA-ID: 2\r\nTIMESTAMP: 2011-02-13 15:56:49.609\r\n"
          "AUTHENTICATION-INFO: 4880de4b8cead98c95813fd9b95e240b107d4693\r\n\r\n");
    CHECK(lines_of({.seq = sequence_number(10), .timestamp = now, .criteria_count = 1}) ==
          "DTCP/0.7 200 OK\r\nSEQ: 10\r\nCRITERIA-COUNT: 1\r\n"
          "TIMESTAMP: 2011-02-13 15:56:49.609\r\n");
    CHECK(lines_of({.spoken = version_0_8, .seq = sequence_number(~0ULL), .timestamp = now}) ==
          "DTCP/0.8 200 OK\r\nSEQ: 18446744073709551615\r\n"
          "TIMESTAMP: 2011-02-13 15:56:49.609\r\n");
    CHECK(lines_of({.status = status_code::unknown_criteria_id,
                    .seq = sequence_number(1),
                    .timestamp = now,
                    .criterion = ~0ULL}) ==
          "DTCP/0.7 431 Unknown Criteria ID\r\nSEQ: 1\r\nCRITERIA-ID: 18446744073709551615\r\n"
          "TIMESTAMP: 2011-02-13 15:56:49.609\r\n");
}

TEST_CASE("a refusal names the offending line as it was received") {
    CHECK(answer_to("ADD DTCP/0.6\n" + identity + "Protocol:  300,!x\n") ==
          "DTCP/0.6 432 Improper Filter Specification\r\nSEQ: 42\r\nProtocol:  300,!x\r\n");
    CHECK(answer_to("DELETE DTCP/0.7\n" + identity + "CRITERIA-id: seven\n") ==
          "DTCP/0.7 400 Bad Request\r\nSEQ: 42\r\nCRITERIA-id: seven\r\n");
    CHECK(answer_to("NOOP DTCP/0.7\n" + identity + "flags : Other\n") ==
          "DTCP/0.7 501 Not Implemented\r\nSEQ: 42\r\nflags : Other\r\n");
    CHECK(answer_to("NOOP DTCP/0.7\n" + identity + "X-Y: a\x01\xFF\n") ==
          "DTCP/0.7 400 Bad Request\r\nSEQ: 42\r\nX-OFFENDING-LINE: X-Y: a\\001\\255\r\n");
    CHECK(answer_to("ADD DTCP/0.7\n" + identity + "Cdest-ID: a\rDTCP/0.7 200 OK\n") ==
          "DTCP/0.7 400 Bad Request\r\nSEQ: 42\r\nCdest-ID: a\\013DTCP/0.7 200 OK\r\n");
}

TEST_CASE("a line that a client could take for a part of the answer is wrapped") {
    CHECK(answer_to("DTCP/0.7 200 OK\n" + identity) ==
          "DTCP/0.8 400 Bad Request\r\nSEQ: 42\r\nX-OFFENDING-LINE: DTCP/0.7 200 OK\r\n");
    CHECK(answer_to("NOOP DTCP/0.7\n" + identity + "CRITERIA-NUM: 1\n") ==
          "DTCP/0.7 400 Bad Request\r\nSEQ: 42\r\nX-OFFENDING-LINE: CRITERIA-NUM: 1\r\n");
    CHECK(answer_to("NOOP DTCP/0.7\n" + identity + "Timestamp: 1\n") ==
          "DTCP/0.7 400 Bad Request\r\nSEQ: 42\r\nX-OFFENDING-LINE: Timestamp: 1\r\n");
    CHECK(answer_to("NOOP DTCP/0.7\n" + identity + " Authentication-Info: 1\n") ==
          "DTCP/0.7 400 Bad Request\r\nSEQ: 42\r\nX-OFFENDING-LINE:  Authentication-Info: 1\r\n");
}

TEST_CASE("what is missing has no line to name") {
    CHECK(answer_to("DELETE DTCP/0.7\n" + identity) == "DTCP/0.7 400 Bad Request\r\nSEQ: 42\r\n");
    CHECK(answer_to("ADD DTCP/0.7\n" + identity + "Cdest-ID: a\n") ==
          "DTCP/0.7 433 Improper Timeout Specification\r\nSEQ: 42\r\n");
}

TEST_CASE("an unspoken version is answered in the nearest that is") {
    CHECK(answer_to("NOOP DTCP/0.9\n" + identity) ==
          "DTCP/0.8 505 DTCP Version not supported\r\nSEQ: 42\r\n"
          "X-OFFENDING-LINE: NOOP DTCP/0.9\r\n");
    CHECK(answer_to("NOOP DTCP/0.4\n" + identity).starts_with("DTCP/0.5 505 "));
    CHECK(answer_to("FLY DTCP/0.6\n" + identity).starts_with("DTCP/0.6 501 Not Implemented\r\n"));
    CHECK(answer_to("NOOP\n" + identity).starts_with("DTCP/0.8 400 "));
}

TEST_CASE("under DTCP/0.5 limits are reported as an internal error") {
    const response limit{.spoken = version_0_5, .status = status_code::criteria_limit};
    CHECK(written(limit).starts_with("DTCP/0.5 500 Server Internal Error\r\n"));
    const response newer{.spoken = version_0_7, .status = status_code::criteria_limit};
    CHECK(written(newer).starts_with("DTCP/0.7 550 Max Criteria Limit Exceeded\r\n"));
}

TEST_CASE("an error that the caller found is placed at its parameter") {
    const std::string message = "ADD DTCP/0.7\r\nX-JTap-VRF-Name:  cust-a\r\n\r\n";
    const auto parts = parse_envelope(message);
    const error found = error_at(*parts, parameter::x_jtap_vrf_name, errc::invalid_jtap_parameter);
    CHECK(found.where == text_position{2, 19});
    CHECK(found.subject == "X-JTap-VRF-Name:  cust-a");
    const error missing = error_at(*parts, parameter::cdest_id, errc::invalid_value);
    CHECK(missing.where == text_position{});
    CHECK(missing.subject == "Cdest-ID");
    CHECK(make_error_response(*parts, missing, now).offending_line.empty());
}

} // namespace flowtap::dtcp
