// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <flowtap/tap/error.hpp>

#include "rig.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

TEST_CASE("a principal without flow-tap-operation gets no session") {
    rig at;
    permission::principal who = rig::principal("lea1");
    who.permissions = {permission::bit::flow_tap_control, permission::bit::all};
    const auto refused = at.point.open(who, "198.51.100.7:50000", at.now);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == tap::errc::not_permitted);
    CHECK(at.point.state().sessions == 0);
    CHECK(at.audit.count(tap::audit_event::refusal) == 1);
}

TEST_CASE("a NOOP is answered") {
    rig at;
    const tap::session_id session = at.open("lea1");
    CHECK(at.ask(session, "lea1", "NOOP DTCP/0.7\n") == "DTCP/0.7 200 OK\n"
                                                        "SEQ: 1\n"
                                                        "TIMESTAMP: 2011-02-13 15:56:49.609\n");
}

TEST_CASE("output is announced once, until it has been read") {
    rig at;
    const tap::session_id session = at.open("lea1");
    at.feed(session, at.request("lea1", "NOOP DTCP/0.7\n"));
    at.feed(session, at.request("lea1", "NOOP DTCP/0.7\n"));
    at.turn();
    CHECK(at.taken<tap::output_ready>().size() == 1);
    at.read(session);
    CHECK(at.taken<tap::output_ready>().size() == 1);
    at.feed(session, at.request("lea1", "NOOP DTCP/0.7\n"));
    at.turn();
    CHECK(at.taken<tap::output_ready>().size() == 2);
}

namespace {

/// Some of everything, pipelined.
std::string everything(rig& at) {
    std::string all = "\r\n" + at.request("lea1", "NOOP DTCP/0.7\n");
    all += at.request("lea1", add("Dest-Address: 10.0.0.1\n"));
    all += at.request("lea1", add("Dest-Address: 10.0.0.2\nDest-Port: 53, !80\n",
                                  "Timeout-Total: 60\nFlags: SendAsync\n"));
    all += at.request("lea1", add("Dest-Address: 10.0.0.300\n"));
    all += at.request("lea1", "REFRESH DTCP/0.7\nCriteria-ID: 1-*\nTimeout-Idle: 5\n");
    all += at.request("lea2", "NOOP DTCP/0.7\n");
    all += at.request("lea1", "LIST DTCP/0.7\n");
    all += at.request("lea1", "DELETE DTCP/0.7\nCriteria-ID: *\nFlags: STATIC\n");
    all += at.request("lea1", "FETCH DTCP/0.9\n");
    all += at.request("lea1", "FETCH DTCP/0.7\n");
    return all;
}

/// Feeds `octets` as a transport does: what is not taken is fed again after the next read.
std::string converse(rig& at, tap::session_id session, std::string_view octets) {
    std::string answers;
    while (!octets.empty()) {
        octets.remove_prefix(at.feed(session, octets));
        at.turn();
        answers += at.read(session);
    }
    return answers;
}

} // namespace

TEST_CASE("requests give the same answers however they are split") {
    rig whole;
    const tap::session_id session = whole.open("lea1");
    const std::string octets = everything(whole);
    const std::string wanted = converse(whole, session, octets);
    CHECK(wanted.size() > 1500);

    for (std::size_t split = 1; split < octets.size(); ++split) {
        rig at;
        const tap::session_id same = at.open("lea1");
        std::string answers = converse(at, same, std::string_view(octets).substr(0, split));
        answers += converse(at, same, std::string_view(octets).substr(split));
        REQUIRE_MESSAGE(answers == wanted, "split at " << split);
    }

    rig at;
    const tap::session_id same = at.open("lea1");
    std::string answers;
    for (const char octet : octets)
        answers += converse(at, same, std::string_view(&octet, 1));
    CHECK(answers == wanted);
}

TEST_CASE("answers may be read in pieces of any size") {
    rig whole;
    const tap::session_id session = whole.open("lea1");
    const std::string wanted = converse(whole, session, everything(whole));
    for (std::size_t piece = 1; piece < 40; ++piece) {
        rig at;
        const tap::session_id same = at.open("lea1");
        std::string octets = everything(at);
        std::string answers;
        for (std::string_view rest = octets; !rest.empty();) {
            rest.remove_prefix(at.feed(same, rest));
            at.turn();
            answers += at.read(same, piece);
        }
        REQUIRE_MESSAGE(answers == wanted, "pieces of " << piece);
    }
}

TEST_CASE("pipelined requests are answered in their order") {
    rig at;
    const tap::session_id session = at.open("lea1");
    std::string octets;
    for (int i = 0; i < 100; ++i)
        octets += at.request("lea1", i % 3 == 0 ? add("Dest-Address: 10.0.0.1\n")
                                                : std::string("NOOP DTCP/0.7\n"));
    std::string answers = at.exchange(session, octets);
    for (int i = 1; i <= 100; ++i) {
        const std::size_t end = answers.find("\r\n\r\n");
        REQUIRE(end != std::string::npos);
        CHECK(value_of(verified(answers.substr(0, end + 4)), "SEQ") == std::to_string(i));
        answers.erase(0, end + 4);
    }
    CHECK(answers.empty());
}

TEST_CASE("answers that nobody reads stop the requests, and nothing is lost") {
    rig at;
    const tap::session_id session = at.open("lea1");
    std::string octets;
    for (int i = 0; i < 1000; ++i)
        octets += at.request("lea1", "NOOP DTCP/0.7\n");
    std::string_view rest = octets;
    rest.remove_prefix(at.feed(session, rest));
    CHECK(at.audit.count(tap::audit_event::noop) == 256);
    CHECK(at.feed(session, rest) == 0);
    CHECK(at.audit.count(tap::audit_event::noop) == 256);

    const tap::session_id other = at.open("lea1");
    CHECK(status_of_answer(at.ask(other, "lea1", "NOOP DTCP/0.7\n")) == 200);

    converse(at, session, rest);
    CHECK(at.audit.count(tap::audit_event::noop) == 1001);
}

TEST_CASE("long lines that answers repeat count as waiting octets") {
    rig at;
    const tap::session_id session = at.open("lea1");
    std::string octets;
    for (int i = 0; i < 100; ++i)
        octets += at.request("lea1", add("Dest-Address: " + std::string(8000, 'x') + "\n"));
    at.feed(session, octets);
    CHECK(at.audit.count(tap::audit_event::add) <= 9);
}

TEST_CASE("a message beyond the limits closes the session after the answers before it") {
    rig at;
    const tap::session_id session = at.open("lea1");
    const tap::session_id other = at.open("lea1");
    std::string octets = at.request("lea1", "NOOP DTCP/0.7\n");
    octets += "ADD DTCP/0.7\r\n";
    while (octets.size() < 70 * 1024)
        octets += "X-Filler: " + std::string(900, 'x') + "\r\n";
    CHECK(at.feed(session, octets) == octets.size());
    at.turn();
    CHECK(at.taken<tap::close_session>().empty());
    CHECK(status_of_answer(at.read(session)) == 200);
    const auto closed = at.taken<tap::close_session>();
    REQUIRE(closed.size() == 1);
    CHECK(closed[0].session == session);
    CHECK(closed[0].diagnostic == "the message is longer than the limit");
    CHECK(at.point.state().malformed == 1);

    const std::string more = at.request("lea1", "NOOP DTCP/0.7\n");
    CHECK(at.feed(session, more) == more.size());
    CHECK(at.read(session).empty());
    CHECK(status_of_answer(at.ask(other, "lea1", "NOOP DTCP/0.7\n")) == 200);
}

TEST_CASE("binary noise is never answered and closes the session at the limit of a line") {
    rig at;
    const tap::session_id session = at.open("lea1");
    std::string noise;
    for (unsigned i = 0; i < 20'000; ++i)
        noise += static_cast<char>(128 + i % 100);
    CHECK(at.exchange(session, noise).empty());
    REQUIRE(at.taken<tap::close_session>().size() == 1);
    CHECK(at.taken<tap::close_session>()[0].diagnostic == "the line is longer than the limit");
}

TEST_CASE("a client that stops in the middle of a request disturbs nobody") {
    rig at;
    const tap::session_id stopped = at.open("lea1");
    const tap::session_id other = at.open("lea3");
    at.ask(stopped, "lea1", add("Dest-Address: 10.0.0.1\n"));
    const std::string cut = at.request("lea1", add("Dest-Address: 10.0.0.2\n"));
    CHECK(at.exchange(stopped, cut.substr(0, cut.size() / 2)).empty());
    CHECK(status_of_answer(at.ask(other, "lea3", "NOOP DTCP/0.7\n")) == 200);
    at.point.close(stopped, at.now);
    CHECK(at.point.state().criteria == 1);
    CHECK(at.audit.records.back().event == tap::audit_event::logout);
    CHECK(at.audit.records.back().detail == "in the middle of a request");
    CHECK(status_of_answer(at.ask(other, "lea3", "NOOP DTCP/0.7\n")) == 200);
}

TEST_CASE("after the peer's last octets the session closes when its answers have been read") {
    rig at;
    const tap::session_id session = at.open("lea1");
    at.feed(session, at.request("lea1", add("Dest-Address: 10.0.0.1\n")));
    at.point.finish(session);
    CHECK(at.taken<tap::close_session>().empty());
    at.turn();
    CHECK(at.taken<tap::close_session>().empty());
    CHECK(status_of_answer(at.read(session)) == 200);
    REQUIRE(at.taken<tap::close_session>().size() == 1);
    CHECK(at.taken<tap::close_session>()[0].diagnostic.empty());
}

TEST_CASE("calls about a session that is gone do nothing") {
    rig at;
    const tap::session_id session = at.open("lea1");
    at.point.close(session, at.now);
    at.point.close(session, at.now);
    at.point.finish(session);
    CHECK(at.exchange(session, at.request("lea1", "NOOP DTCP/0.7\n")).empty());
    CHECK(at.open("lea1") != session);
}
