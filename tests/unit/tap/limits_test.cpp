// SPDX-License-Identifier: Apache-2.0
// 550 and 551, and what they tell: dtcp.md, section 10.
#include <doctest/doctest.h>

#include "rig.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

tap::settings limited(std::size_t criteria) {
    tap::settings with = usual_settings();
    with.sources.clear();
    with.criteria_limit = criteria;
    return with;
}

void give_quota(tap::settings& with, const char* source, std::size_t quota) {
    with.sources[source] = with.default_source;
    with.sources[source].criteria_limit = quota;
}

/// ADDs until one is refused. Returns how many were accepted.
std::size_t fill(rig& at, tap::session_id session, std::string_view login, int& status) {
    for (std::size_t accepted = 0; accepted < 1000; ++accepted) {
        status = status_of_answer(at.ask(session, login, add("")));
        if (status != 200)
            return accepted;
    }
    return 1000;
}

std::string add_to_port(int port) {
    return "ADD DTCP/0.7\nFlags: STATIC\nCdest-ID: cd1\n"
           "X-JTap-Cdest-Dest-Address: 192.0.2.5\nX-JTap-Cdest-Dest-Port: " +
           std::to_string(port) +
           "\nX-JTap-Cdest-Source-Address: 198.51.100.9\nX-JTap-Cdest-Source-Port: 4000\n";
}

} // namespace

TEST_CASE("the 101st filter is refused, and one fewer makes room again") {
    rig at(limited(tap::flow_tap_criteria));
    const tap::session_id session = at.open("lea1");
    int status = 0;
    CHECK(fill(at, session, "lea1", status) == 100);
    CHECK(status == 550);
    CHECK(at.ask(session, "lea1", add(""))
              .starts_with("DTCP/0.7 550 Max Criteria Limit Exceeded\nSEQ: 102\nTIMESTAMP: "));
    at.ask(session, "lea1", "DELETE DTCP/0.7\nCriteria-ID: 5\nFlags: STATIC\n");
    CHECK(fill(at, session, "lea1", status) == 1);
}

TEST_CASE("DTCP/0.5 says 500 where later versions say 550") {
    rig at(limited(0));
    std::string request = add("");
    request.replace(0, 12, "ADD DTCP/0.5");
    CHECK(at.ask(at.open("lea1"), "lea1", request).starts_with("DTCP/0.5 500 "));
}

TEST_CASE("a mistake in the request comes before the limits") {
    rig at(limited(0));
    CHECK(status_of_answer(at.ask(at.open("lea1"), "lea1", add("X-JTap-VRF-Name: nowhere\n"))) ==
          901);
}

TEST_CASE("a quota hides what others use, and keeps them from using it up") {
    tap::settings with = limited(10);
    give_quota(with, "lea1", 4);
    rig at(with);
    const tap::session_id quoted = at.open("lea1");
    const tap::session_id second = at.open("lea2");
    const tap::session_id third = at.open("lea3");
    int status = 0;
    CHECK(fill(at, second, "lea2", status) == 6);
    CHECK(status == 550);
    CHECK(fill(at, third, "lea3", status) == 0);
    CHECK(fill(at, quoted, "lea1", status) == 4);
    CHECK(status == 550);
}

TEST_CASE("a default quota bounds each control source and sets nothing aside") {
    tap::settings with = limited(10);
    with.default_source.criteria_limit = 7;
    rig at(with);
    int status = 0;
    CHECK(fill(at, at.open("lea1"), "lea1", status) == 7);
    CHECK(fill(at, at.open("lea2"), "lea2", status) == 3);
}

TEST_CASE("lower limits spare what is there and refuse what is new") {
    tap::settings with = limited(10);
    rig at(with);
    const tap::session_id session = at.open("lea1");
    int status = 0;
    CHECK(fill(at, session, "lea1", status) == 10);
    give_quota(with, "lea1", 3);
    at.point.apply(
        with, [](std::string_view) { return true; }, at.now);
    CHECK(at.point.state().criteria == 10);
    CHECK(fill(at, session, "lea1", status) == 0);
    at.ask(session, "lea1", "DELETE DTCP/0.7\nCriteria-ID: 2-*\nFlags: STATIC\n");
    CHECK(fill(at, session, "lea1", status) == 2);
    with.sources.clear();
    at.point.apply(
        with, [](std::string_view) { return true; }, at.now);
    CHECK(fill(at, session, "lea1", status) == 7);
}

TEST_CASE("one content destination too many is refused; one in use already is not") {
    tap::settings with = limited(100);
    with.destination_limit = 2;
    rig at(with);
    const tap::session_id session = at.open("lea1");
    const auto status = [&](int port) {
        return status_of_answer(at.ask(session, "lea1", add_to_port(port)));
    };
    CHECK(status(1) == 200);
    CHECK(status(2) == 200);
    CHECK(status(3) == 551);
    CHECK(status(2) == 200);
    at.ask(session, "lea1", "DELETE DTCP/0.7\nCriteria-ID: 1\nFlags: STATIC\n");
    CHECK(status(3) == 200);
    CHECK(status(1) == 551);
}

TEST_CASE("content destinations are shared out as criteria are") {
    tap::settings with = limited(10);
    with.destination_limit = 5;
    give_quota(with, "lea1", 4);
    rig at(with);
    const tap::session_id quoted = at.open("lea1");
    const tap::session_id other = at.open("lea3");
    const auto status = [&](tap::session_id session, const char* login, int port) {
        return status_of_answer(at.ask(session, login, add_to_port(port)));
    };
    for (int port = 1; port <= 3; ++port)
        CHECK(status(other, "lea3", port) == 200);
    CHECK(status(other, "lea3", 4) == 551);
    CHECK(status(quoted, "lea1", 1) == 200);
    CHECK(status(quoted, "lea1", 2) == 200);
    CHECK(status(quoted, "lea1", 3) == 551);
}
