// SPDX-License-Identifier: Apache-2.0
// The order of checks: dtcp.md, section 1.
#include <doctest/doctest.h>

#include "rig.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

struct unanswered {
    std::uint64_t authentications;
    std::uint64_t sequences;
    std::uint64_t sources;
    std::uint64_t malformed;

    friend bool operator==(const unanswered&, const unanswered&) = default;
};

unanswered counts(const rig& at) {
    const tap::status now = at.point.state();
    return {now.bad_authentications, now.bad_sequences, now.unknown_sources, now.malformed};
}

} // namespace

TEST_CASE("what fails before the version is counted, audited and never answered") {
    struct refused_request {
        const char* what;
        std::string octets;
        unanswered counted;
        int status;
    };
    const std::vector<refused_request> table = {
        {"another login",
         signed_message("NOOP DTCP/0.7\nCsource-ID: lea3\nSeq: 1\n"),
         {0, 0, 1, 0},
         499},
        {"a login that nobody has",
         signed_message("NOOP DTCP/0.7\nCsource-ID: x\nSeq: 1\n"),
         {0, 0, 1, 0},
         499},
        {"the login in another case",
         signed_message("NOOP DTCP/0.7\nCsource-ID: LEA1\nSeq: 1\n"),
         {0, 0, 1, 0},
         499},
        {"a login that is longer than any",
         signed_message("NOOP DTCP/0.7\nCsource-ID: " + std::string(5000, 'x') + "\nSeq: 1\n"),
         {0, 0, 1, 0},
         499},
        {"no Csource-ID", signed_message("NOOP DTCP/0.7\nSeq: 1\n"), {0, 0, 1, 0}, 499},
        {"no Csource-ID and a bad method", signed_message("NOP DTCP/9.7\n"), {0, 0, 1, 0}, 499},
        {"another key",
         signed_message("NOOP DTCP/0.7\nCsource-ID: lea1\nSeq: 1\n", "juniper"),
         {1, 0, 0, 0},
         497},
        {"no signature", "NOOP DTCP/0.7\r\nCsource-ID: lea1\r\nSeq: 1\r\n\r\n", {1, 0, 0, 0}, 497},
        {"a signature too short",
         "NOOP DTCP/0.7\r\nCsource-ID: lea1\r\nSeq: 1\r\nAuthentication-Info: 12\r\n\r\n",
         {1, 0, 0, 0},
         497},
        {"no signature and no Seq", "NOOP DTCP/0.7\r\nCsource-ID: lea1\r\n\r\n", {1, 0, 0, 0}, 497},
        {"no Seq", signed_message("NOOP DTCP/0.7\nCsource-ID: lea1\n"), {0, 1, 0, 0}, 498},
        {"a Seq that is no number",
         signed_message("NOOP DTCP/0.7\nCsource-ID: lea1\nSeq: -1\n"),
         {0, 1, 0, 0},
         498},
        {"no Seq and an old version",
         signed_message("NOOP DTCP/0.1\nCsource-ID: lea1\n"),
         {0, 1, 0, 0},
         498},
    };
    for (const refused_request& one : table) {
        CAPTURE(one.what);
        rig at;
        const tap::session_id session = at.open("lea1");
        const tap::session_id other = at.open("lea3");
        CHECK(at.exchange(session, one.octets).empty());
        CHECK(at.read(other).empty());
        CHECK(counts(at) == one.counted);
        CHECK(at.audit.records.back().event == tap::audit_event::refusal);
        CHECK(at.audit.records.back().principal == "lea1");
        CHECK(at.audit.records.back().peer == "198.51.100.7:50000");
        CHECK(at.audit.records.back().status == one.status);
        CHECK(at.audit.records.back().detail.size() <= 256);
        CHECK(status_of_answer(at.ask(session, "lea1", "NOOP DTCP/0.7\n")) == 200);
        CHECK(at.point.state().errors_answered == 0);
    }
}

TEST_CASE("the version comes before the method, and the method before the fields") {
    struct ordered {
        const char* lines;
        const char* begin;
    };
    const std::vector<ordered> table = {
        {"NOOP DTCP/0.9\n", "DTCP/0.8 505 DTCP Version not supported\nSEQ: 1\n"},
        {"NOOP DTCP/1.0\n", "DTCP/0.8 505 "},
        {"NOOP DTCP/0.4\n", "DTCP/0.5 505 "},
        {"FETCH DTCP/0.4\nBad line\n", "DTCP/0.5 505 "},
        {"FETCH DTCP/0.6\nBad line\n", "DTCP/0.6 501 Not Implemented\nSEQ: 1\n"},
        {"NOOP DTCP/0.6\nBad line\n", "DTCP/0.6 400 Bad Request\nSEQ: 1\n"},
        {"noop dtcp/0.8\n", "DTCP/0.8 200 OK\n"},
        {"NOOP DTCP/0.5\n", "DTCP/0.5 200 OK\n"},
        {"NOOP DTCP/0.7\nX-Whatever: 1\n", "DTCP/0.7 200 OK\n"},
        {"NOOP DTCP/0.7\nWhatever: 1\n", "DTCP/0.7 400 Bad Request\n"},
        {"NOOP DTCP/0.7\nFlags: Loud\n", "DTCP/0.7 501 Not Implemented\n"},
        {"ENABLE DTCP/0.8\nCriteria-ID: 1\nX-Drop-Policy: p\n", "DTCP/0.8 501 Not Implemented\n"},
    };
    for (const ordered& one : table) {
        CAPTURE(one.lines);
        rig at;
        const std::string answer = at.ask(at.open("lea1"), "lea1", one.lines);
        CHECK(answer.substr(0, std::string_view(one.begin).size()) == one.begin);
    }
}

TEST_CASE("sequence numbers are not checked over SSH unless asked for") {
    rig at;
    const tap::session_id session = at.open("lea1");
    const std::string request = at.request("lea1", "NOOP DTCP/0.7\n");
    CHECK_FALSE(at.exchange(session, request).empty());
    CHECK_FALSE(at.exchange(session, request).empty());
}

TEST_CASE("a checked sequence number counts for all connections of its source, and no other") {
    tap::settings with = usual_settings();
    with.default_source.sequence_check = true;
    with.sources.clear();
    rig at(with);
    const tap::session_id session = at.open("lea1");
    const std::string request = at.request("lea1", "NOOP DTCP/0.7\n");
    CHECK_FALSE(at.exchange(session, request).empty());
    CHECK(at.exchange(session, request).empty());
    CHECK(at.exchange(at.open("lea1"), request).empty());
    CHECK(at.point.state().bad_sequences == 2);

    at.next_seq = 1;
    CHECK(status_of_answer(at.ask(at.open("lea3"), "lea3", "NOOP DTCP/0.7\n")) == 200);
    at.next_seq = 400;
    CHECK(at.ask(session, "lea1", "NOOP DTCP/0.7\n").empty());
}

TEST_CASE("the sequence window moves whatever the answer, but not for a forged message") {
    tap::settings with = usual_settings();
    with.default_source.sequence_check = true;
    rig at(with);
    const tap::session_id session = at.open("lea1");
    CHECK(status_of_answer(at.ask(session, "lea1", "FETCH DTCP/0.7\n")) == 501);
    at.next_seq = 1;
    CHECK(at.ask(session, "lea1", "NOOP DTCP/0.7\n").empty());
    at.next_seq = 2;
    CHECK(at.exchange(session, at.request("lea1", "NOOP DTCP/0.7\n", "forged")).empty());
    at.next_seq = 2;
    CHECK(status_of_answer(at.ask(session, "lea1", "NOOP DTCP/0.7\n")) == 200);
}
