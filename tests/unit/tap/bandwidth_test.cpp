// SPDX-License-Identifier: Apache-2.0
// AVERAGE-BANDWIDTH: bit/s over the last ten seconds.
#include <doctest/doctest.h>

#include "rig.hpp"
#include "traffic.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

struct measured_rig : rig {
    measured_rig() : on(path), session(open("lea1")) {
        ask(session, "lea1", add("", "Timeout-Idle: 600\n"));
    }

    /// Time goes by, with a turn whenever one is due.
    void wait(std::chrono::nanoseconds time) {
        const steady_time end = now.steady + time;
        while (point.deadline() && *point.deadline() <= end) {
            pass(std::max(*point.deadline() - now.steady, 0ns));
            turn();
        }
        pass(end - now.steady);
    }

    std::string shown(const char* name) {
        return value_of(ask(session, "lea1", "LIST DTCP/0.7\n"), name);
    }
    std::string bandwidth() { return shown("AVERAGE-BANDWIDTH"); }

    wire on;
    tap::session_id session;
};

} // namespace

TEST_CASE("a burst counts for ten seconds") {
    measured_rig at;
    at.wait(20s);
    at.on.pass(udp_packet(1, 1250));
    CHECK(at.bandwidth() == "1000");
    at.wait(9s);
    CHECK(at.bandwidth() == "1000");
    at.wait(2s);
    CHECK(at.bandwidth() == "0");
    CHECK(at.shown("MATCHING-BYTES") == "1250");
}

TEST_CASE("a steady flow shows its rate once it lasted ten seconds") {
    measured_rig at;
    for (int i = 1; i <= 400; ++i) {
        at.on.pass(udp_packet(1, 125));
        at.wait(100ms);
        if (i == 50)
            CHECK(at.bandwidth() == "5000");
    }
    const int shown = std::stoi(at.bandwidth());
    CHECK(shown >= 9900);
    CHECK(shown <= 10100);
}

TEST_CASE("the first seconds of a criterion count as without traffic") {
    measured_rig at;
    at.on.pass(udp_packet(1, 1250));
    CHECK(at.bandwidth() == "1000");
}

TEST_CASE("more criteria than one turn reads are all measured") {
    tap::settings with = usual_settings();
    with.criteria_limit = 10'000;
    rig at(with);
    wire on(at.path);
    std::vector<tap::session_id> sessions;
    for (int i = 0; i < 36; ++i) {
        const char* const login = i < 18 ? "lea1" : "lea3";
        sessions.push_back(at.open(login));
        std::string octets;
        for (int k = 0; k < 250; ++k)
            octets += at.request(login, add(""));
        REQUIRE(at.feed(sessions.back(), octets) == octets.size());
    }
    at.turn();
    for (const tap::session_id session : sessions)
        at.read(session);
    REQUIRE(at.point.state().criteria == 9000);
    on.pass(udp_packet(1, 1250));
    int turns = 0;
    for (const steady_time end = at.now.steady + 9s; at.now.steady < end; ++turns) {
        at.now.steady = std::max(at.now.steady, *at.point.deadline());
        at.turn();
    }
    CHECK(turns >= 20);
    const auto bandwidths = [&](std::string_view value) {
        const std::string text = at.ask(sessions[0], "lea1", "LIST DTCP/0.7\nFlags: Stats\n") +
                                 at.ask(sessions[20], "lea3", "LIST DTCP/0.7\nFlags: Stats\n");
        const std::string line = "\nAVERAGE-BANDWIDTH: " + std::string(value) + "\n";
        int count = 0;
        for (std::size_t from = text.find(line); from != std::string::npos;
             from = text.find(line, from + 1))
            ++count;
        return count;
    };
    CHECK(bandwidths("0") == 0);
    CHECK(bandwidths("1000") == 9000);
    at.now.steady += 2s;
    for (int i = 0; i < 10; ++i)
        at.turn();
    at.now.steady += 1s;
    CHECK(bandwidths("0") == 9000);
}

TEST_CASE("counters are only read while there are criteria") {
    rig at;
    const tap::session_id session = at.open("lea1");
    at.turn();
    CHECK_FALSE(at.point.deadline());
    at.ask(session, "lea1", add(""));
    REQUIRE(at.point.deadline());
    CHECK(*at.point.deadline() <= at.now.steady + 1s);
    at.ask(session, "lea1", "DELETE DTCP/0.7\nCriteria-ID: *\nFlags: STATIC\n");
    CHECK_FALSE(at.point.deadline());
}

TEST_CASE("the idle time counts from the last packet") {
    measured_rig at;
    at.wait(100s);
    CHECK(at.shown("REMAINING-IDLE") == "500");
    at.on.pass(udp_packet(1));
    CHECK(at.shown("REMAINING-IDLE") == "600");
    at.wait(50s);
    CHECK(at.shown("REMAINING-IDLE") == "550");
}
