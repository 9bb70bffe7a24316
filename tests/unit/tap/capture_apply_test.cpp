// SPDX-License-Identifier: Apache-2.0
// Dynamic flow capture: what a new configuration does to the criteria that are there.
#include <doctest/doctest.h>

#include "capture_rig.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

/// lea1 with criteria to cd1, to cd2 and to both; lea2 with one to cd1 and one to secret; lea3 with
/// one to its cd1. All want packets to 10.0.0.1.
struct stocked_rig : capture_rig {
    stocked_rig() {
        add_to("lea1", 1, "Cdest-ID: cd1\n");
        add_to("lea1", 1, "Cdest-ID: cd2\n");
        add_to("lea1", 1, "Cdest-ID: cd1,cd2\n");
        add_to("lea2", 1, "Cdest-ID: cd1\n");
        add_to("lea2", 1, "Cdest-ID: secret\n");
        add_to("lea3", 1, "Cdest-ID: cd1\n");
        REQUIRE(point.state().criteria == 6);
    }

    std::string ids(std::string_view source) {
        const std::string text = ask(source, "LIST DTCP/0.7\nFlags: Stats\n");
        std::string found;
        const std::string_view line = "\nCRITERIA-ID: ";
        for (std::size_t at = text.find(line); at != std::string::npos;
             at = text.find(line, at + 1))
            found += text.substr(at + line.size(), 1);
        return found;
    }
};

} // namespace

TEST_CASE("a right that is taken away takes the criteria with it, and no others") {
    stocked_rig at;
    tap::settings with = capture_settings();
    with.sources["lea1"].content_destinations = {"cd1"};
    at.apply(with);
    CHECK(at.ids("lea1") == "1");
    CHECK(at.ids("lea2") == "12");
    CHECK(at.audit.count(tap::audit_event::purge) == 2);
    CHECK(at.audit.records[at.audit.records.size() - 4].principal == "lea1");
    CHECK(at.on.pass(udp_packet(1)) == 4);
    // It does not come back with the right.
    at.apply(capture_settings());
    CHECK(at.ids("lea1") == "1");
}

TEST_CASE("a destination that is taken away takes the criteria with it") {
    stocked_rig at;
    tap::settings with = capture_settings();
    with.capture_groups["g1"].content_destinations.erase("cd1");
    at.apply(with);
    CHECK(at.ids("lea1") == "2");
    CHECK(at.ids("lea2") == "2");
    CHECK(at.ids("lea3") == "1");
    CHECK(at.status("lea1", "LIST DTCP/0.7\nCdest-ID: cd1\n") == 430);
}

TEST_CASE("a group that is taken away, or another group, takes the criteria with it") {
    stocked_rig at;
    tap::settings with = capture_settings();
    with.capture_groups.erase("g2");
    with.sources["lea1"].capture_group = "g3";
    with.capture_groups["g3"] = with.capture_groups["g1"];
    at.apply(with);
    CHECK(at.ids("lea1").empty());
    CHECK(at.ids("lea2") == "12");
    CHECK(at.ids("lea3").empty());
    CHECK(at.add_to("lea1", 1) == 200);
    CHECK(at.add_to("lea3", 1) == 430);
}

TEST_CASE("a destination that moves takes its copies with it") {
    stocked_rig at;
    tap::settings with = capture_settings();
    with.capture_groups["g1"].content_destinations["cd1"].address = ip_address::v4(0xC00002C8);
    with.capture_groups["g1"].content_destinations["cd2"].ttl = 9;
    at.apply(with);
    CHECK(at.point.state().criteria == 6);
    CHECK(at.point.state().content_destinations == 5);
    REQUIRE(at.on.pass(udp_packet(1)) == 5);
    int moved = 0;
    int shorter = 0;
    for (const auto& copy : at.on.sink->delivered) {
        CHECK(copy.around.destination.address != ip_address::v4(0xC0000201));
        moved += copy.around.destination.address == ip_address::v4(0xC00002C8) ? 1 : 0;
        shorter += copy.around.ttl == 9 ? 1 : 0;
    }
    CHECK(moved == 2);
    CHECK(shorter == 1);
    // The counters go on, and so do the criteria.
    CHECK(value_of(at.ask("lea1", "LIST DTCP/0.7\nCriteria-ID: 1\n"), "MATCHING-PACKETS") == "1");
    at.ask("lea1", "DELETE DTCP/0.7\nCriteria-ID: *\nFlags: STATIC\n");
    CHECK(at.on.pass(udp_packet(1)) == 3);
    CHECK(at.point.state().content_destinations == 3);
}

TEST_CASE("another service has none of the criteria") {
    stocked_rig at;
    tap::settings with = usual_settings();
    with.sources["lea1"] = capture_settings().sources["lea1"];
    at.apply(with);
    CHECK(at.point.state().criteria == 0);
    CHECK(at.on.pass(udp_packet(1)) == 0);
    at.apply(capture_settings());
    CHECK(at.add_to("lea1", 1) == 200);
}
