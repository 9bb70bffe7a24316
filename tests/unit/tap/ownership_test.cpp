// SPDX-License-Identifier: Apache-2.0
// A control source sees its own criteria and nothing else: dtcp.md, section 10.
#include <doctest/doctest.h>

#include "rig.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

TEST_CASE(
    "neither of two control sources can list, refresh, delete or guess the other's criteria") {
    rig at;
    const tap::session_id one = at.open("lea1");
    const tap::session_id other = at.open("lea3");
    for (int i = 0; i < 3; ++i)
        at.ask(one, "lea1", add("Dest-Address: 10.0.0.1\n", "Timeout-Total: 60\n"));

    const auto ask_other = [&](const char* lines) { return at.ask(other, "lea3", lines); };
    CHECK(ask_other("LIST DTCP/0.7\n").find("CRITERIA") == std::string::npos);
    CHECK(ask_other("LIST DTCP/0.7\nCdest-ID: cd1\n").find("CRITERIA") == std::string::npos);
    CHECK(status_of_answer(ask_other("LIST DTCP/0.7\nCriteria-ID: 1\n")) == 431);
    CHECK(status_of_answer(ask_other("DELETE DTCP/0.7\nCriteria-ID: 1\n")) == 431);
    CHECK(value_of(ask_other("DELETE DTCP/0.7\nCriteria-ID: *\n"), "CRITERIA-COUNT") == "0");
    CHECK(value_of(ask_other("DELETE DTCP/0.7\nCdest-ID: cd1\n"), "CRITERIA-COUNT") == "0");
    CHECK(value_of(ask_other("REFRESH DTCP/0.7\nCriteria-ID: *\nTimeout-Total: 9\n"),
                   "CRITERIA-COUNT") == "0");
    CHECK(value_of(at.ask(other, "lea3", add("")), "CRITERIA-ID") == "1");
    CHECK(at.point.state().criteria == 4);
}

TEST_CASE("what a control source is answered does not depend on what others have") {
    const auto converse = [](rig& at) {
        const tap::session_id session = at.open("lea3");
        at.next_seq = 1;
        std::string all;
        for (const std::string& lines :
             {add(""), std::string("LIST DTCP/0.7\n"), std::string("LIST DTCP/0.7\nCdest-ID: x\n"),
              std::string("DELETE DTCP/0.7\nCriteria-ID: 2\n"), add("Dest-Port: 99-1\n"),
              std::string("DELETE DTCP/0.7\nCriteria-ID: *\nFlags: STATIC\n")})
            all += at.ask(session, "lea3", lines);
        return all;
    };
    rig alone;
    rig among;
    const tap::session_id busy = among.open("lea1");
    for (int i = 0; i < 5; ++i)
        among.ask(busy, "lea1", add("Dest-Address: 10.0.0.1\n"));
    CHECK(converse(among) == converse(alone));
}

TEST_CASE("criteria belong to the control source and not to its session") {
    rig at;
    const tap::session_id first = at.open("lea1");
    at.ask(first, "lea1", add("Dest-Address: 10.0.0.1\n"));
    at.point.close(first, at.now);
    const tap::session_id second = at.open("lea1");
    CHECK(value_of(at.ask(second, "lea1", "LIST DTCP/0.7\n"), "DEST-ADDRESS") == "10.0.0.1");
    CHECK(value_of(at.ask(second, "lea1", "DELETE DTCP/0.7\nCriteria-ID: 1\nFlags: STATIC\n"),
                   "CRITERIA-COUNT") == "1");
}

TEST_CASE("each control source signs with its own key") {
    rig at;
    const tap::session_id session = at.open("lea2");
    CHECK(at.ask(session, "lea2", "NOOP DTCP/0.7\n").empty());
    CHECK(status_of_answer(at.ask(session, "lea2", "NOOP DTCP/0.7\n", "another key")) == 200);
    CHECK(at.point.state().bad_authentications == 1);
}
