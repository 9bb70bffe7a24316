// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "rig.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

tap::settings with_default_key() {
    tap::settings with = usual_settings();
    with.sources.clear();
    return with;
}

/// What Junos' examples leave out: two criteria that were there before.
void add_two(rig& at, tap::session_id session) {
    at.ask(session, "dtcp1", add("Dest-Address: 10.0.0.1\n"));
    at.ask(session, "dtcp1", add("Dest-Address: 10.0.0.2\n"));
}

} // namespace

TEST_CASE("the answer to an ADD is Junos' answer, octet by octet") {
    rig at(with_default_key());
    const tap::session_id session = at.open("dtcp1");
    at.ask(session, "dtcp1", add("Dest-Address: 10.0.0.1\n"));
    at.next_seq = 7;
    const std::string answer =
        at.exchange(session, at.request("dtcp1", add("Dest-Address: 10.0.0.2\n")));
    CHECK(answer == "DTCP/0.7 200 OK\r\n"
                    "SEQ: 7\r\n"
                    "CRITERIA-ID: 2\r\n"
                    "TIMESTAMP: 2011-02-13 15:56:49.609\r\n"
                    "AUTHENTICATION-INFO: 4880de4b8cead98c95813fd9b95e240b107d4693\r\n"
                    "\r\n");
}

TEST_CASE("Junos' example of a DELETE gets Junos' answer, octet by octet") {
    rig at(with_default_key());
    const tap::session_id session = at.open("dtcp1");
    add_two(at, session);
    at.now.wall += 193s + 193ms;
    const std::string answer = at.exchange(
        session, "DELETE DTCP/0.7\r\nCsource-ID: dtcp1\r\nCRITERIA-ID: 2\r\nFlags: STATIC\r\n"
                 "Seq: 10\r\n"
                 "Authentication-Info: 7e84ae871b12f2da023b038774115bb8d955f17e\r\n\r\n");
    CHECK(answer == "DTCP/0.7 200 OK\r\n"
                    "SEQ: 10\r\n"
                    "CRITERIA-COUNT: 1\r\n"
                    "TIMESTAMP: 2011-02-13 16:00:02.802\r\n"
                    "AUTHENTICATION-INFO: 2834ff32ec07d84753a046cfb552e072cc27d50b\r\n"
                    "\r\n");
}

TEST_CASE("Junos' example of a LIST is answered in Junos' order") {
    rig at(with_default_key());
    const tap::session_id session = at.open("dtcp1");
    at.ask(session, "dtcp1", add("Dest-Address: 10.0.0.1\n"));
    const std::string answer = verified(at.exchange(
        session, "LIST DTCP/0.7\r\nCsource-ID: dtcp1\r\nCdest-ID: cd1\r\nSeq: 9\r\n"
                 "Authentication-Info: f6dd64643021debb167ce2fb2d3c7b6622a87e09\r\n\r\n"));
    CHECK(answer == "DTCP/0.7 200 OK\n"
                    "SEQ: 9\n"
                    "TIMESTAMP: 2011-02-13 15:56:49.609\n"
                    "CRITERIA-ID: 1\n"
                    "CSOURCE-ID: dtcp1\n"
                    "CDEST-ID: cd1\n"
                    "CSOURCE-ADDRESS: 198.51.100.7\n"
                    "TIMESTAMP: 2011-02-13 15:56:49.609\n"
                    "FLAGS: STATIC\n"
                    "DEST-ADDRESS: 10.0.0.1\n"
                    "X-JTAP-CDEST-DEST-ADDRESS: 192.0.2.5\n"
                    "X-JTAP-CDEST-DEST-PORT: 2300\n"
                    "X-JTAP-CDEST-SOURCE-ADDRESS: 198.51.100.9\n"
                    "X-JTAP-CDEST-SOURCE-PORT: 65535\n"
                    "AVERAGE-BANDWIDTH: 0\n"
                    "MATCHING-PACKETS: 0\n"
                    "MATCHING-BYTES: 0\n"
                    "NUM-REFRESH: 0\n"
                    "CRITERIA-NUM: 1\n"
                    "CRITERIA-COUNT: 1\n");
}

TEST_CASE("Junos' example of a DISABLE verifies and is not built yet") {
    rig at(with_default_key());
    const tap::session_id session = at.open("ft-user");
    const std::string answer = verified(at.exchange(
        session, "DISABLE DTCP/0.8\r\nCsource-ID: ft-user\r\nCriteria-ID: 8\r\n"
                 "X-Drop-Policy: drop_pol\r\nFlags: STATIC\r\nSeq: 1\r\n"
                 "Authentication-Info: 963aa01c38c531f63fb410afd058c018be4d0230\r\n\r\n"));
    CHECK(status_of_answer(answer) == 501);
    CHECK(answer.starts_with("DTCP/0.8 501 Not Implemented\nSEQ: 1\n"));
}

TEST_CASE("the drafts' requests verify under their key") {
    tap::settings with = usual_settings();
    with.default_source.key = "secret";
    rig at(with);
    const tap::session_id session = at.open("csrc_d");
    const std::string answer = at.exchange(
        session, "DELETE DTCP/0.6 \r\nCriteria-ID: 55331 \r\nFlags: Static \r\n"
                 "Csource-ID: csrc_d \r\nSeq: 2655371 \r\n"
                 "Authentication-Info: 6af62247a2b59a2a06e0ca08ec5a80a644e2cd67 \r\n\r\n");
    CHECK(verified(answer, "secret") == "DTCP/0.6 431 Unknown Criteria ID\n"
                                        "SEQ: 2655371\n"
                                        "CRITERIA-ID: 55331\n"
                                        "TIMESTAMP: 2011-02-13 15:56:49.609\n");
}

TEST_CASE("the drafts' ADD verifies and lacks Junos' parameters") {
    tap::settings with = usual_settings();
    with.default_source.key = "secret";
    rig at(with);
    const tap::session_id session = at.open("csrc_a");
    const std::string answer = at.exchange(
        session, "ADD DTCP/0.6 \r\nSource-Address: 192.168.10.4 \r\n"
                 "Dest-Address: 10.1.1.1-10.1.1.10 \r\nProtocol: 6,17 \r\nDest-Port: 53 \r\n"
                 "Timeout-Idle: 600 \r\nAction: Copy \r\nPriority: 2 \r\nFlags: SendAsync \r\n"
                 "Cdest-ID: cdst_b \r\nCsource-ID: csrc_a \r\nSeq: 3827443 \r\n"
                 "Authentication-Info: 28eb606458ba46160d7a59da48763020f5aef9f5 \r\n\r\n");
    CHECK(status_of_answer(verified(answer, "secret")) == 901);
}
