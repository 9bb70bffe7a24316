// SPDX-License-Identifier: Apache-2.0
// LIST: what an entry shows, and how a long answer is made.
#include <doctest/doctest.h>

#include <malloc.h>

#include "rig.hpp"
#include "traffic.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

constexpr std::string_view everything_given = "ADD DTCP/0.7\n"
                                              "Flags: SendAsync\n"
                                              "Timeout-Bytes: 1000000\n"
                                              "Timeout-Idle: 600\n"
                                              "Dest-Port: 53, !80\n"
                                              "Source-Address: 10.0.0.0/8\n"
                                              "Protocol: 6,17\n"
                                              "Cdest-ID: cd1,cd2\n"
                                              "X-JTap-Cdest-Source-Port: 4000\n"
                                              "X-JTap-Cdest-Source-Address: 198.51.100.9\n"
                                              "X-JTap-Cdest-Dest-Port: 1,2\n"
                                              "X-JTap-Cdest-Dest-Address: 192.0.2.5,192.0.2.6\n"
                                              "X-JTap-VRF-Name: cust-a\n"
                                              "X-Unknown: 1\n";

constexpr std::string_view head = "CRITERIA-ID: 1\n"
                                  "CSOURCE-ID: lea1\n"
                                  "CDEST-ID: cd1,cd2\n"
                                  "CSOURCE-ADDRESS: 198.51.100.7\n"
                                  "TIMESTAMP: 2011-02-13 15:56:49.609\n"
                                  "FLAGS: SENDASYNC\n";
constexpr std::string_view criteria = "SOURCE-ADDRESS: 10.0.0.0/8\n"
                                      "PROTOCOL: 6,17\n"
                                      "DEST-PORT: 53, !80\n"
                                      "TIMEOUT-IDLE: 600\n"
                                      "TIMEOUT-BYTES: 1000000\n"
                                      "X-JTAP-CDEST-DEST-ADDRESS: 192.0.2.5,192.0.2.6\n"
                                      "X-JTAP-CDEST-DEST-PORT: 1,2\n"
                                      "X-JTAP-CDEST-SOURCE-ADDRESS: 198.51.100.9\n"
                                      "X-JTAP-CDEST-SOURCE-PORT: 4000\n"
                                      "X-JTAP-VRF-NAME: cust-a\n";
constexpr std::string_view statistics = "REMAINING-IDLE: 600\n"
                                        "REMAINING-BYTES: 1000000\n"
                                        "AVERAGE-BANDWIDTH: 0\n"
                                        "MATCHING-PACKETS: 0\n"
                                        "MATCHING-BYTES: 0\n"
                                        "NUM-REFRESH: 0\n";
constexpr std::string_view tail = "CRITERIA-NUM: 1\n"
                                  "CRITERIA-COUNT: 1\n";

std::string joined(std::initializer_list<std::string_view> parts) {
    std::string all;
    for (const std::string_view part : parts)
        all += part;
    return all;
}

std::string begin(std::string_view version, int seq) {
    return "DTCP/" + std::string(version) + " 200 OK\nSEQ: " + std::to_string(seq) +
           "\nTIMESTAMP: 2011-02-13 15:56:49.609\n";
}

/// Adds `count` criteria within one turn, by as many sessions as that takes.
void stock(rig& at, std::size_t count) {
    std::vector<tap::session_id> sessions;
    for (std::size_t done = 0; done < count;) {
        sessions.push_back(at.open("lea1"));
        std::string octets;
        for (std::size_t i = 0; i < 250 && done < count; ++i, ++done) {
            const std::string address = std::to_string(done >> 16U) + "." +
                                        std::to_string(done >> 8U & 255U) + "." +
                                        std::to_string(done & 255U);
            octets += at.request("lea1", add("Dest-Address: 10." + address + "\n"));
        }
        REQUIRE(at.feed(sessions.back(), octets) == octets.size());
    }
    at.turn();
    for (const tap::session_id session : sessions) {
        at.read(session);
        at.point.close(session, at.now);
    }
    REQUIRE(at.point.state().criteria == count);
}

tap::settings roomy(std::size_t limit) {
    tap::settings with = usual_settings();
    with.criteria_limit = limit;
    return with;
}

std::size_t occurrences(std::string_view text, std::string_view of) {
    std::size_t count = 0;
    for (std::size_t at = text.find(of); at != std::string_view::npos; at = text.find(of, at + 1))
        ++count;
    return count;
}

std::size_t octets_in_use() {
    return mallinfo2().uordblks + mallinfo2().hblkhd;
}

} // namespace

TEST_CASE("an entry shows the criteria, the statistics or both, in the order of the protocol") {
    rig at;
    const tap::session_id session = at.open("lea1");
    REQUIRE(status_of_answer(at.ask(session, "lea1", everything_given)) == 200);
    const auto list = [&](const char* rest) {
        return at.ask(session, "lea1", "LIST DTCP/0.7\n" + std::string(rest));
    };
    CHECK(list("") == joined({begin("0.7", 2), head, criteria, statistics, tail}));
    CHECK(list("Flags: Both\n") == joined({begin("0.7", 3), head, criteria, statistics, tail}));
    CHECK(list("Flags: Stats\n") == joined({begin("0.7", 4), head, statistics, tail}));
    CHECK(list("Flags: Criteria\n") == joined({begin("0.7", 5), head, criteria, tail}));
    CHECK(list("Criteria-ID: 5-9\n") == begin("0.7", 6));
}

TEST_CASE("under DTCP/0.5 the count comes once, at the end") {
    rig at;
    const tap::session_id session = at.open("lea1");
    at.ask(session, "lea1", everything_given);
    CHECK(at.ask(session, "lea1", "LIST DTCP/0.5\n") ==
          joined({begin("0.5", 2), head, criteria, statistics, "NUM-CRITERIA: 1\n"}));
}

TEST_CASE("a LIST shows the moment at which it was asked for") {
    rig at(roomy(201));
    wire on(at.path);
    stock(at, 200);
    const tap::session_id session = at.open("lea1");
    const tap::session_id other = at.open("lea1");
    at.feed(session, at.request("lea1", "LIST DTCP/0.7\n"));
    at.turn();
    std::string answer(20'000, '\0');
    answer.resize(at.point.read(session, answer, at.now));
    REQUIRE(answer.size() == 20'000);

    on.pass(udp_packet(150));
    at.pass(100s);
    at.ask(other, "lea1", "DELETE DTCP/0.7\nCriteria-ID: *\nFlags: STATIC\n");
    at.ask(other, "lea1", add("Dest-Address: 10.0.0.1\n"));

    const std::string text = verified(answer + at.read(session));
    CHECK(text.starts_with("DTCP/0.7 200 OK\n"));
    for (int i = 1; i <= 200; ++i)
        CHECK(occurrences(text, "\nCRITERIA-NUM: " + std::to_string(i) + "\n") == 1);
    CHECK(occurrences(text, "\nCRITERIA-COUNT: 200\n") == 200);
    CHECK(occurrences(text, "\nMATCHING-PACKETS: 0\n") == 200);
    CHECK(occurrences(text, "CRITERIA-ID: 201\n") == 0);
}

TEST_CASE("requests behind a LIST are taken when it has been read") {
    rig at(roomy(200));
    stock(at, 200);
    const tap::session_id session = at.open("lea1");
    const std::string first = at.request("lea1", "LIST DTCP/0.7\n");
    const std::string second = at.request("lea1", "NOOP DTCP/0.7\n");
    CHECK(at.feed(session, first + second) == first.size());
    CHECK(at.feed(session, second) == 0);
    CHECK(verified(at.read(session)).starts_with("DTCP/0.7 200 OK\n"));
    CHECK(at.feed(session, second) == second.size());
    CHECK(status_of_answer(at.read(session)) == 200);
}

TEST_CASE("a LIST of 100,000 criteria to a slow reader holds little and delays nobody") {
    rig at(roomy(100'000));
    stock(at, 100'000);
    const tap::session_id slow = at.open("lea1");
    const tap::session_id other = at.open("lea3");
    at.audit.records.clear();
    at.ask(other, "lea3", "NOOP DTCP/0.7\n");

    const std::size_t before = octets_in_use();
    at.feed(slow, at.request("lea1", "LIST DTCP/0.7\n"));
    at.turn();
    std::string answer;
    answer.reserve(80'000'000);
    const std::size_t mine = octets_in_use() >= before + 80'000'000 ? 80'000'000 : 0;
    CHECK(octets_in_use() - before - mine < 10'000'000);

    std::array<char, 1000> room{};
    std::size_t most = 0;
    for (std::size_t reads = 0;; ++reads) {
        const std::size_t count = at.point.read(slow, room, at.now);
        if (count == 0)
            break;
        answer.append(room.data(), count);
        if (reads % 4096 != 0)
            continue;
        most = std::max(most, octets_in_use() - before - mine);
        CHECK(status_of_answer(at.ask(other, "lea3", "NOOP DTCP/0.7\n")) == 200);
    }
    CHECK(most < 10'000'000);
    CHECK(answer.size() > 40'000'000);
    const std::string text = verified(answer);
    CHECK(text.starts_with("DTCP/0.7 200 OK\n"));
    CHECK(occurrences(text, "\nCRITERIA-NUM: ") == 100'000);
    CHECK(text.find("\nCRITERIA-NUM: 100000\nCRITERIA-COUNT: 100000\n") != std::string::npos);
}

TEST_CASE("LISTs that nobody reads are refused before they hold too much") {
    rig at(roomy(10'000));
    stock(at, 10'000);
    std::vector<tap::session_id> sessions;
    for (int i = 0; i < 6; ++i) {
        sessions.push_back(at.open("lea1"));
        at.feed(sessions.back(), at.request("lea1", "LIST DTCP/0.7\n"));
    }
    CHECK(at.audit.records.back().status == 500);
    CHECK(status_of_answer(at.ask(at.open("lea3"), "lea3", "LIST DTCP/0.7\n")) == 200);
    CHECK(status_of_answer(at.read(sessions[5])) == 500);
    at.point.close(sessions[0], at.now);
    at.read(sessions[1]);
    CHECK(status_of_answer(at.ask(sessions[5], "lea1", "LIST DTCP/0.7\n")) == 200);
}
