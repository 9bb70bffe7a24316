// SPDX-License-Identifier: Apache-2.0
// Dynamic flow capture: what an ADD takes from the configuration, and what it must not show.
#include <doctest/doctest.h>

#include "capture_rig.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

std::string add_lines(std::string_view rest) {
    return "ADD DTCP/0.7\nFlags: STATIC\n" + std::string(rest);
}

} // namespace

TEST_CASE("a criterion copies to the content destination that it names, as IP-in-IP") {
    tap::settings with = capture_settings();
    with.capture_groups["g1"].content_destinations["cd1"].ttl = 7;
    capture_rig at(with);
    REQUIRE(at.status("lea1", add_lines("Dest-Address: 10.0.0.1\nCdest-ID: cd1\n"
                                        "X-JTap-Cdest-Dest-Address: 192.0.2.99\n")) == 200);
    CHECK(at.on.pass(udp_packet(2)) == 0);
    REQUIRE(at.on.pass(udp_packet(1)) == 1);
    const auto& copy = at.on.sink->delivered.back();
    CHECK(copy.around.kind == packet::encapsulation_kind::ip_in_ip);
    CHECK(copy.around.source.address == ip_address::v4(0xC6336409));
    CHECK(copy.around.destination.address == ip_address::v4(0xC0000201));
    CHECK(copy.around.ttl == 7);
    CHECK(copy.packet == udp_packet(1));

    REQUIRE(at.status("lea1", add_lines("Dest-Address: 10.0.0.2\nCdest-ID: cd1,cd2\n")) == 200);
    CHECK(at.on.pass(udp_packet(2)) == 2);
    CHECK(at.status("lea1", add_lines("Cdest-ID: cd1,cd2,cd1\n")) == 400);
}

TEST_CASE("a group has destinations of its own, whatever they are called") {
    capture_rig at;
    REQUIRE(at.add_to("lea3", 1) == 200);
    REQUIRE(at.on.pass(udp_packet(1)) == 1);
    CHECK(at.on.sink->delivered.back().around.destination.address == ip_address::v4(0xC000020B));
    CHECK(at.add_to("lea3", 1, "Cdest-ID: cd2\n") == 430);
    CHECK(at.add_to("lea1", 1, "Cdest-ID: far\n") == 430);
}

TEST_CASE("a destination that is not allowed answers as one that does not exist") {
    tap::settings without = capture_settings();
    without.capture_groups["g1"].content_destinations.erase("secret");
    without.sources["lea2"].content_destinations = {"cd1"};
    capture_rig there;
    capture_rig not_there(without);
    // Somebody uses it, where it exists.
    REQUIRE(there.add_to("lea2", 1, "Cdest-ID: secret\n") == 200);
    REQUIRE(not_there.add_to("lea2", 1, "Cdest-ID: cd1\n") == 200);
    for (const char* lines : {
             "ADD DTCP/0.7\nFlags: STATIC\nCdest-ID: secret\n",
             "ADD DTCP/0.7\nFlags: STATIC\nCdest-ID: cd1,secret\n",
             "ADD DTCP/0.7\nFlags: STATIC\nCdest-ID: secret\nPriority: 3\n",
             "DELETE DTCP/0.7\nCdest-ID: secret\nFlags: STATIC\n",
             "REFRESH DTCP/0.7\nCdest-ID: secret\nTimeout-Idle: 5\n",
             "LIST DTCP/0.7\nCdest-ID: secret\n",
             "LIST DTCP/0.7\n",
         }) {
        CAPTURE(lines);
        const std::string first = there.ask("lea1", lines);
        CHECK(first == not_there.ask("lea1", lines));
        if (std::string_view(lines).find("secret") == std::string_view::npos)
            continue;
        CHECK(status_of_answer(first) == 430);
        CHECK(value_of(first, "CDEST-ID") == "none");
        CHECK(first.find("Cdest-ID: ") != std::string::npos);
    }
    CHECK(there.point.state().criteria == 1);
}

TEST_CASE("requests select by the destinations that are the caller's, used or not") {
    capture_rig at;
    CHECK(value_of(at.ask("lea1", "DELETE DTCP/0.7\nCdest-ID: cd2\n"), "CRITERIA-COUNT") == "0");
    CHECK(value_of(at.ask("lea1", "REFRESH DTCP/0.7\nCdest-ID: cd2\nTimeout-Idle: 5\n"),
                   "CRITERIA-COUNT") == "0");
    CHECK(at.status("lea1", "LIST DTCP/0.7\nCdest-ID: cd2\n") == 200);
    at.add_to("lea1", 1, "Cdest-ID: cd1,cd2\n");
    at.add_to("lea2", 1);
    CHECK(value_of(at.ask("lea1", "LIST DTCP/0.7\nCdest-ID: cd2\n"), "CDEST-ID") == "cd1,cd2");
    CHECK(value_of(at.ask("lea1", "DELETE DTCP/0.7\nCdest-ID: cd2\nFlags: STATIC\n"),
                   "CRITERIA-COUNT") == "1");
    CHECK(at.point.state().criteria == 1);
}

TEST_CASE("a priority below the control source's minimum is refused with its line") {
    tap::settings with = capture_settings();
    with.sources["lea1"].minimum_priority = 5;
    capture_rig at(with);
    const std::string low = at.ask("lea1", add_lines("Cdest-ID: cd1\nPriority: 4\n"));
    CHECK(status_of_answer(low) == 400);
    CHECK(low.find("Priority: 4\n") != std::string::npos);
    const std::string none = at.ask("lea1", add_lines("Cdest-ID: cd1\n"));
    CHECK(status_of_answer(none) == 400);
    CHECK(at.audit.records.back().detail.find("Priority") != std::string::npos);
    CHECK(at.status("lea1", add_lines("Cdest-ID: cd1\nPriority: 5\n")) == 200);
    CHECK(at.status("lea2", add_lines("Cdest-ID: cd1\n")) == 200);
}

TEST_CASE("the criteria of a group look at the inputs of its interfaces") {
    tap::settings with = capture_settings();
    with.capture_groups["g1"].interfaces = {"ge-0/0/1.0"};
    with.capture_groups["g2"].interfaces = {"ge-9/9/9.0"};
    capture_rig at(with);
    at.add_to("lea1", 1);
    at.add_to("lea3", 1);
    CHECK(at.on.pass(udp_packet(1)) == 0);
    at.on.source->port = port_id{1};
    CHECK(at.on.pass(udp_packet(1)) == 1);
    at.on.source->way = direction::egress;
    CHECK(at.on.pass(udp_packet(1)) == 0);

    // Interfaces can be given to a group, and taken, while it has criteria.
    at.on.source->way = direction::ingress;
    with.capture_groups["g1"].interfaces = {};
    with.capture_groups["g2"].interfaces = {"ge-0/0/0.0"};
    at.apply(with);
    CHECK(at.on.pass(udp_packet(1)) == 1);
    at.on.source->port = port_id{0};
    CHECK(at.on.pass(udp_packet(1)) == 2);
}

TEST_CASE("only the families that are configured are captured") {
    tap::settings with = capture_settings();
    capture_rig at(with);
    CHECK(at.status("lea1", add_lines("Cdest-ID: cd1\nDest-Address: 2001:db8::1\n")) == 432);
    with.families.insert(family::inet6);
    at.apply(with);
    CHECK(at.status("lea1", add_lines("Cdest-ID: cd1\nDest-Address: 2001:db8::1\n")) == 200);
}

TEST_CASE("above the memory threshold of its group an ADD gets 500, and a DELETE makes room") {
    tap::settings with = capture_settings();
    with.criteria_limit = 10'000;
    with.filter_memory = 1'000'000;
    with.capture_groups["g1"].memory_threshold = 20;
    capture_rig at(with);
    int added = 0;
    while (added < 10'000 && at.add_to("lea1", added % 250) == 200)
        ++added;
    REQUIRE(added > 10);
    REQUIRE(added < 10'000);
    CHECK(at.add_to("lea1", 1) == 500);
    CHECK(at.add_to("lea2", 1) == 500);
    // The other group has no threshold.
    CHECK(at.add_to("lea3", 1) == 200);
    at.ask("lea1", "DELETE DTCP/0.7\nFlags: STATIC\nCriteria-ID: 3-*\n");
    CHECK(at.add_to("lea2", 1) == 200);
}

TEST_CASE("the audit log says where copies go, with which priority, and why an ADD was refused") {
    capture_rig at;
    at.add_to("lea1", 1, "Cdest-ID: cd1,cd2\nPriority: 9\n");
    CHECK(at.audit.records.back().detail ==
          "Cdest-ID: cd1; Cdest-ID: cd2; Dest-Address: 10.0.0.1; Priority: 9; Flags: STATIC");
    at.add_to("lea1", 1, "Cdest-ID: secret\n");
    CHECK(at.audit.records.back().status == 430);
    CHECK(at.audit.records.back().detail.find("Cdest-ID: secret") != std::string::npos);
}
