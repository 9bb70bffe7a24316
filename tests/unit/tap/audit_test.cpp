// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <flowtap/tap/error.hpp>

#include "rig.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

TEST_CASE("who did what to which criterion, from where, with what result, is in the audit log") {
    rig at;
    const tap::session_id session = at.open("lea1");
    at.ask(session, "lea1", add("Dest-Address: 10.0.0.1\n"));
    at.ask(session, "lea1", add("", "Timeout-Idle: 7\n"));
    at.ask(session, "lea1", add("Dest-Address: 10.0.0.999\n"));
    at.ask(session, "lea1", "REFRESH DTCP/0.7\nCriteria-ID: *\nTimeout-Idle: 9\n");
    at.ask(session, "lea1", "LIST DTCP/0.7\n");
    at.ask(session, "lea1", "NOOP DTCP/0.7\n");
    at.ask(session, "lea1", "ENABLE DTCP/0.8\nCriteria-ID: 1\nX-Drop-Policy: p\n");
    at.ask(session, "lea1", "FETCH DTCP/0.7\n");
    at.ask(session, "lea1", "DELETE DTCP/0.7\nCriteria-ID: 9\n");
    at.ask(session, "lea1", "DELETE DTCP/0.7\nCriteria-ID: 1\nFlags: STATIC\n");
    at.point.close(session, at.now);

    struct expected {
        tap::audit_event event;
        std::uint32_t criterion;
        std::uint64_t count;
        int status;
    };
    using tap::audit_event;
    const std::vector<expected> table = {
        {audit_event::login, 0, 0, 0},     {audit_event::add, 1, 1, 200},
        {audit_event::add, 2, 1, 200},     {audit_event::add, 0, 0, 432},
        {audit_event::refresh, 2, 1, 200}, {audit_event::list, 0, 2, 200},
        {audit_event::noop, 0, 0, 200},    {audit_event::enable, 0, 0, 501},
        {audit_event::refusal, 0, 0, 501}, {audit_event::remove, 0, 0, 431},
        {audit_event::remove, 1, 1, 200},  {audit_event::logout, 0, 0, 0},
    };
    REQUIRE(at.audit.records.size() == table.size());
    for (std::size_t i = 0; i < table.size(); ++i) {
        CAPTURE(i);
        const tap::audit_record& record = at.audit.records[i];
        CHECK(record.event == table[i].event);
        CHECK(record.criterion == table[i].criterion);
        CHECK(record.count == table[i].count);
        CHECK(record.status == table[i].status);
        CHECK(record.principal == "lea1");
        CHECK(record.peer == "198.51.100.7:50000");
        CHECK(record.time == at.now.wall);
        CHECK(record.detail.find("Juniper") == std::string::npos);
    }
    CHECK(at.audit.records[1].detail.find("Dest-Address: 10.0.0.1") != std::string::npos);
}

TEST_CASE("tasking is refused while the audit log cannot be written, and nothing is done") {
    rig at;
    const tap::session_id session = at.open("lea1");
    at.ask(session, "lea1", add("", "Timeout-Total: 100\n"));
    at.audit.broken = true;
    for (const std::string& lines :
         {add(""), add("Dest-Port: x\n"),
          std::string("REFRESH DTCP/0.7\nCriteria-ID: 1\nTimeout-Total: 9\n"),
          std::string("DELETE DTCP/0.7\nCriteria-ID: 1\n"), std::string("LIST DTCP/0.7\n"),
          std::string("NOOP DTCP/0.7\n"), std::string("FETCH DTCP/0.7\n")}) {
        CAPTURE(lines);
        CHECK(at.ask(session, "lea1", lines).starts_with("DTCP/0.7 500 Server Internal Error\n"));
    }
    CHECK(at.exchange(session, at.request("lea3", "NOOP DTCP/0.7\n")).empty());
    const auto refused = at.point.open(rig::principal("lea3"), "", at.now);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == tap::errc::audit_failed);

    at.audit.broken = false;
    const std::string listed = at.ask(session, "lea1", "LIST DTCP/0.7\n");
    CHECK(value_of(listed, "CRITERIA-COUNT") == "1");
    CHECK(value_of(listed, "REMAINING-TOTAL") == "100");
    CHECK(value_of(at.ask(session, "lea1", add("")), "CRITERIA-ID") == "2");
}

TEST_CASE("every event has a word of its own") {
    std::vector<std::string_view> words;
    for (int i = 0; i <= static_cast<int>(tap::audit_event::chain); ++i)
        words.push_back(to_string(static_cast<tap::audit_event>(i)));
    std::sort(words.begin(), words.end());
    CHECK(std::adjacent_find(words.begin(), words.end()) == words.end());
    CHECK(std::find(words.begin(), words.end(), "unknown") == words.end());
}

TEST_CASE("every error has a sentence of its own and a status") {
    std::vector<std::string> sentences;
    for (int i = 1; i <= static_cast<int>(tap::errc::out_of_resources); ++i) {
        const std::error_code code = static_cast<tap::errc>(i);
        sentences.push_back(code.message());
        CHECK(static_cast<int>(tap::status_of(code)) >= 400);
    }
    std::sort(sentences.begin(), sentences.end());
    CHECK(std::adjacent_find(sentences.begin(), sentences.end()) == sentences.end());
    CHECK(tap::status_of(dtcp::errc::invalid_timeout) == dtcp::status_code::improper_timeout);
}
