// SPDX-License-Identifier: Apache-2.0
// Logins that a remote authority alone knows: how long their criteria last, and what withdraws
// them.
#include <doctest/doctest.h>

#include "timed_rig.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;
using permission::origin;

namespace {

tap::settings with_lifetime(std::optional<std::chrono::seconds> lifetime) {
    tap::settings with = usual_settings();
    with.local_logins = {"lea1", "lea3"};
    with.remote_login_lifetime = lifetime;
    return with;
}

tap::session_id open_remotely(rig& at, const std::string& name) {
    permission::principal who{name, {permission::bit::flow_tap_operation}, origin::radius};
    const auto opened = at.point.open(who, "192.0.2.7:50000", at.now);
    REQUIRE(opened.has_value());
    return *opened;
}

std::size_t purged(const rig& at, std::string_view name) {
    std::size_t count = 0;
    for (const tap::audit_record& one : at.audit.records)
        if (one.event == tap::audit_event::purge && one.principal == name)
            count += one.count;
    return count;
}

} // namespace

TEST_CASE("criteria of a login known remotely alone end so long after its last login") {
    timed_rig at(with_lifetime(3600s));
    const tap::session_id first = open_remotely(at, "bob");
    at.ask(first, "bob", add("Dest-Address: 10.0.0.1\n"));
    at.ask(at.session, "lea1", add("Dest-Address: 10.0.0.1\n"));
    at.wait(3000s);
    // Another login counts from then on, whatever becomes of the channel.
    const tap::session_id second = open_remotely(at, "bob");
    at.point.close(second, at.now);
    at.wait(3599s);
    CHECK(at.point.state().criteria == 2);
    CHECK(status_of_answer(at.ask(first, "bob", "NOOP DTCP/0.7\n")) == 200);
    at.taken<tap::close_session>();

    at.wait(1s);
    CHECK(at.point.state().criteria == 1);
    CHECK(purged(at, "bob") == 1);
    CHECK(at.on.pass(udp_packet(1)) == 1);
    const auto closed = at.taken<tap::close_session>();
    REQUIRE(closed.size() == 1);
    CHECK(closed[0].session == first);

    // Who logs in again begins anew.
    const tap::session_id third = open_remotely(at, "bob");
    at.ask(third, "bob", add("Dest-Address: 10.0.0.2\n"));
    at.wait(3599s);
    CHECK(at.point.state().criteria == 2);
    at.wait(1s);
    CHECK(at.point.state().criteria == 1);
}

TEST_CASE("without a lifetime, and for logins of the configuration, there is no end") {
    for (const bool is_limited : {false, true}) {
        timed_rig at(with_lifetime(is_limited ? std::optional(3600s) : std::nullopt));
        // Of the configuration, though a remote authority checked the password.
        const std::string name = is_limited ? "lea3" : "bob";
        permission::principal who{name, {permission::bit::flow_tap_operation}, origin::radius};
        const auto opened = at.point.open(who, "", at.now);
        REQUIRE(opened.has_value());
        at.ask(*opened, name, add("", "Flags: STATIC\n"));
        at.wait(1'000'000s);
        CHECK(at.point.state().criteria == 1);
        CHECK(at.taken<tap::close_session>().empty());
    }
}

TEST_CASE("a lifetime that is set later counts from the last login, too") {
    timed_rig at(with_lifetime(std::nullopt));
    at.ask(open_remotely(at, "bob"), "bob", add("", "Flags: STATIC\n"));
    at.wait(5000s);
    at.point.apply(
        with_target(with_lifetime(3600s)), [](std::string_view) { return true; }, at.now);
    at.turn();
    CHECK(at.point.state().criteria == 0);
    CHECK(purged(at, "bob") == 1);
}

TEST_CASE("a login whose permission was withdrawn loses its criteria and its sessions at once") {
    timed_rig at(with_lifetime(std::nullopt));
    const tap::session_id session = open_remotely(at, "bob");
    at.ask(session, "bob", add("Dest-Address: 10.0.0.1\n"));
    at.ask(at.session, "lea1", add("Dest-Address: 10.0.0.1\n"));
    at.point.withdraw("bob", at.now);
    at.point.withdraw("nobody", at.now);
    CHECK(at.on.pass(udp_packet(1)) == 1);
    at.turn();
    CHECK(at.point.state().criteria == 1);
    CHECK(purged(at, "bob") == 1);
    const auto closed = at.taken<tap::close_session>();
    REQUIRE(closed.size() == 1);
    CHECK(closed[0].session == session);
}
