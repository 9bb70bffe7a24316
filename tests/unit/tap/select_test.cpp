// SPDX-License-Identifier: Apache-2.0
// What DELETE, REFRESH and LIST select: dtcp.md, section 5.
#include <doctest/doctest.h>

#include "rig.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

std::string add_named(std::string_view names, std::string_view rest) {
    std::string text = "ADD DTCP/0.7\nCdest-ID: " + std::string(names) + "\n";
    const bool two = names.find(',') != std::string_view::npos;
    text += two ? "X-JTap-Cdest-Dest-Address: 192.0.2.5,192.0.2.6\nX-JTap-Cdest-Dest-Port: 1,2\n"
                : "X-JTap-Cdest-Dest-Address: 192.0.2.5\nX-JTap-Cdest-Dest-Port: 1\n";
    text += "X-JTap-Cdest-Source-Address: 198.51.100.9\nX-JTap-Cdest-Source-Port: 4000\n";
    return text.append(rest);
}

/// Criteria 1 to 6 of lea1: 3 and 6 static; 1, 2, 3 to cd1, 4 to cd2, 5 to both, 6 to cd3.
struct stocked_rig : rig {
    stocked_rig() : session(open("lea1")) {
        ask(session, "lea1", add_named("cd1", "Timeout-Total: 60\n"));
        ask(session, "lea1", add_named("cd1", "Timeout-Total: 60\n"));
        ask(session, "lea1", add_named("cd1", "Flags: STATIC\n"));
        ask(session, "lea1", add_named("cd2", "Timeout-Total: 60\n"));
        ask(session, "lea1", add_named("cd1,cd2", "Timeout-Total: 60\n"));
        ask(session, "lea1", add_named("cd3", "Flags: STATIC\n"));
        const tap::session_id other = open("lea3");
        for (int i = 0; i < 9; ++i)
            ask(other, "lea3", add_named("cd1", "Timeout-Total: 60\n"));
    }

    /// The ids that a LIST shows, separated by commas.
    std::string ids(std::string_view selector = "") {
        const std::string answer = ask(session, "lea1", "LIST DTCP/0.7\n" + std::string(selector));
        std::string found;
        for (std::size_t at = answer.find("\nCRITERIA-ID: "); at != std::string::npos;
             at = answer.find("\nCRITERIA-ID: ", at + 1)) {
            found += found.empty() ? "" : ",";
            found += value_of(std::string_view(answer).substr(at), "CRITERIA-ID");
        }
        return found;
    }

    tap::session_id session;
};

} // namespace

TEST_CASE("LIST selects") {
    struct selection {
        const char* selector;
        const char* ids;
    };
    const std::vector<selection> table = {
        {"", "1,2,3,4,5,6"},
        {"Criteria-ID: 2\n", "2"},
        {"Criteria-ID: 5,2, 3\n", "2,3,5"},
        {"Criteria-ID: 2,2,1-3\n", "1,2,3"},
        {"Criteria-ID: 4-100\n", "4,5,6"},
        {"Criteria-ID: 4-*\n", "4,5,6"},
        {"Criteria-ID: *-2\n", "1,2"},
        {"Criteria-ID: 0-1\n", "1"},
        {"Criteria-ID: *\n", "1,2,3,4,5,6"},
        {"Criteria-ID: !2\n", "1,3,4,5,6"},
        {"Criteria-ID: *,!2-4\n", "1,5,6"},
        {"Criteria-ID: !2,!77\n", "1,3,4,5,6"},
        {"Criteria-ID: 2,!2\n", ""},
        {"Criteria-ID: 1-3,2-5,!4-4\n", "1,2,3,5"},
        {"Criteria-ID: 70-80\n", ""},
        {"Criteria-ID: 5000000000-6000000000\n", ""},
        {"Criteria-ID: 3-18446744073709551615\n", "3,4,5,6"},
        {"Cdest-ID: cd1\n", "1,2,3,5"},
        {"Cdest-ID: cd2\n", "4,5"},
        {"Cdest-ID: CD1\n", ""},
        {"Cdest-ID: nowhere\n", ""},
    };
    stocked_rig at;
    for (const selection& one : table) {
        CAPTURE(one.selector);
        CHECK(at.ids(one.selector) == one.ids);
    }
}

TEST_CASE("a selector that is wrong is refused and changes nothing") {
    struct refusal {
        const char* request;
        int status;
        const char* shown = "";
    };
    const std::vector<refusal> table = {
        {"DELETE DTCP/0.7\n", 400},
        {"DELETE DTCP/0.7\nCriteria-ID: 1\nCdest-ID: cd1\n", 400},
        {"DELETE DTCP/0.7\nCdest-ID: cd1,cd2\n", 400},
        {"DELETE DTCP/0.7\nCriteria-ID: 3-1\n", 400},
        {"DELETE DTCP/0.7\nCriteria-ID: one\n", 400},
        {"DELETE DTCP/0.7\nCriteria-ID: 1,7\n", 431, "CRITERIA-ID: 7\n"},
        {"DELETE DTCP/0.7\nCriteria-ID: 1-6,7\nFlags: STATIC\n", 431, "CRITERIA-ID: 7\n"},
        {"DELETE DTCP/0.7\nCriteria-ID: 0\n", 431, "CRITERIA-ID: 0\n"},
        {"DELETE DTCP/0.7\nCriteria-ID: 4294967297\n", 431, "CRITERIA-ID: 4294967297\n"},
        {"REFRESH DTCP/0.7\nTimeout-Total: 9\n", 400},
        {"REFRESH DTCP/0.7\nCriteria-ID: 1\nCdest-ID: cd1\nTimeout-Total: 9\n", 400},
        {"REFRESH DTCP/0.7\nCriteria-ID: 1\n", 433},
        {"REFRESH DTCP/0.7\nCriteria-ID: 1\nTimeout-Total: 0\n", 433},
        {"REFRESH DTCP/0.7\nCriteria-ID: 1\nTimeout-Total: 86401\n", 433},
        {"REFRESH DTCP/0.7\nCriteria-ID: 1,9\nTimeout-Total: 9\n", 431, "CRITERIA-ID: 9\n"},
        {"LIST DTCP/0.7\nCriteria-ID: 1\nCdest-ID: cd1\n", 400},
        {"LIST DTCP/0.7\nCdest-ID: cd1,cd2\n", 400},
        {"LIST DTCP/0.7\nCriteria-ID: 9\n", 431, "CRITERIA-ID: 9\n"},
    };
    stocked_rig at;
    for (const refusal& one : table) {
        CAPTURE(one.request);
        const std::string answer = at.ask(at.session, "lea1", one.request);
        CHECK(status_of_answer(answer) == one.status);
        CHECK(answer.find(one.shown) != std::string::npos);
        CHECK(at.ids() == "1,2,3,4,5,6");
    }
}

TEST_CASE("DELETE takes what is selected and spares static criteria unless told otherwise") {
    struct deletion {
        const char* lines;
        const char* count;
        const char* left;
    };
    const std::vector<deletion> table = {
        {"Criteria-ID: 1\n", "1", "2,3,4,5,6"},
        {"Criteria-ID: 3\n", "0", "1,2,3,4,5,6"},
        {"Criteria-ID: 3\nFlags: Static\n", "1", "1,2,4,5,6"},
        {"Criteria-ID: *\n", "4", "3,6"},
        {"Criteria-ID: *\nFlags: STATIC\n", "6", ""},
        {"Criteria-ID: !1\nFlags: STATIC\n", "5", "1"},
        {"Criteria-ID: 77-99\n", "0", "1,2,3,4,5,6"},
        {"Cdest-ID: cd1\n", "3", "3,4,6"},
        {"Cdest-ID: cd2\nFlags: STATIC\n", "2", "1,2,3,6"},
        {"Cdest-ID: nowhere\n", "0", "1,2,3,4,5,6"},
    };
    for (const deletion& one : table) {
        CAPTURE(one.lines);
        stocked_rig at;
        const std::string answer =
            at.ask(at.session, "lea1", "DELETE DTCP/0.7\n" + std::string(one.lines));
        CHECK(status_of_answer(answer) == 200);
        CHECK(value_of(answer, "CRITERIA-COUNT") == one.count);
        CHECK(at.ids() == one.left);
    }
}

TEST_CASE("REFRESH starts the timeouts anew that it names, and skips static criteria") {
    stocked_rig at;
    at.ask(at.session, "lea1",
           add_named("cd9", "Timeout-Idle: 30\nTimeout-Total: 600\nTimeout-Packets: 5\n"));
    at.pass(10s);
    const std::string refreshed =
        at.ask(at.session, "lea1", "REFRESH DTCP/0.7\nCriteria-ID: 3-*\nTimeout-Total: 100\n");
    CHECK(value_of(refreshed, "CRITERIA-COUNT") == "3");
    at.pass(5s);
    const std::string listed = at.ask(at.session, "lea1", "LIST DTCP/0.7\nCriteria-ID: 7\n");
    CHECK(value_of(listed, "TIMEOUT-TOTAL") == "600");
    CHECK(value_of(listed, "REMAINING-TOTAL") == "95");
    CHECK(value_of(listed, "REMAINING-IDLE") == "15");
    CHECK(value_of(listed, "REMAINING-PACKETS") == "5");
    CHECK(value_of(listed, "REMAINING-BYTES") == "none");
    CHECK(value_of(listed, "NUM-REFRESH") == "1");
    CHECK(value_of(listed, "LAST-REFRESH") == "2011-02-13 15:56:59.609");
    const std::string untouched = at.ask(at.session, "lea1", "LIST DTCP/0.7\nCriteria-ID: 3\n");
    CHECK(value_of(untouched, "NUM-REFRESH") == "0");
    CHECK(value_of(untouched, "LAST-REFRESH") == "none");
    CHECK(value_of(untouched, "REMAINING-TOTAL") == "none");
}

TEST_CASE("what is left of a timeout is rounded up, and then the criterion is gone") {
    stocked_rig at;
    at.pass(59s + 1ms);
    CHECK(value_of(at.ask(at.session, "lea1", "LIST DTCP/0.7\nCriteria-ID: 1\n"),
                   "REMAINING-TOTAL") == "1");
    at.pass(1s - 1ms);
    CHECK(status_of_answer(at.ask(at.session, "lea1", "LIST DTCP/0.7\nCriteria-ID: 1\n")) == 431);
}
