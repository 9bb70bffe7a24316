// SPDX-License-Identifier: Apache-2.0
// ADD: every status code, and every check that needs a configuration.
#include <doctest/doctest.h>

#include "rig.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

struct asked {
    const char* what;
    std::string request;
    int status;
    /// The line after SEQ, or empty.
    const char* shown = "";
};

void check_each(const std::vector<asked>& table, const tap::settings& with) {
    for (const asked& one : table) {
        CAPTURE(one.what);
        rig at(with);
        const tap::session_id session = at.open("lea1");
        const std::string answer = at.ask(session, "lea1", one.request);
        CAPTURE(answer);
        CHECK(status_of_answer(answer) == one.status);
        CHECK(at.point.state().criteria == (one.status == 200 ? 1 : 0));
        CHECK(at.point.state().content_destinations == (one.status == 200 ? 1 : 0));
        CHECK(at.audit.records.back().status == one.status);
        CHECK(at.audit.records.back().event == tap::audit_event::add);
        if (one.shown[0] != '\0')
            CHECK(answer.find("SEQ: 1\n" + std::string(one.shown) + "\n") != std::string::npos);
    }
}

/// An ADD whose parameters about copies are all in `copies`.
std::string add_with(std::string_view copies) {
    return "ADD DTCP/0.7\nFlags: STATIC\nCdest-ID: cd1\n" + std::string(copies);
}

std::string add_to(std::string_view destination, std::string_view source,
                   std::string_view port = "2300") {
    std::string lines;
    lines.append("X-JTap-Cdest-Dest-Address: ").append(destination);
    lines.append("\nX-JTap-Cdest-Dest-Port: ").append(port);
    lines.append("\nX-JTap-Cdest-Source-Address: ").append(source);
    lines.append("\nX-JTap-Cdest-Source-Port: 4000\n");
    return add_with(lines);
}

} // namespace

TEST_CASE("an ADD is accepted or refused with the status of its first mistake") {
    const char* const no_destination = "X-JTap-Cdest-Dest-Port: 2300\n"
                                       "X-JTap-Cdest-Source-Address: 198.51.100.9\n"
                                       "X-JTap-Cdest-Source-Port: 4000\n";
    check_each(
        {
            {"no filter at all", add(""), 200},
            {"Junos' wildcards", add("Protocol: *\nSource-Address: *\n"), 200},
            {"a timeout", add("", "Timeout-Idle: 5\n"), 200},
            {"an address out of range", add("Source-Address: 10.0.0.256\n"), 432,
             "Source-Address: 10.0.0.256"},
            {"mixed families", add("Source-Address: 10.0.0.1\nDest-Address: 2001:db8::1\n"), 432},
            {"a reversed range", add("Dest-Port: 9-3\n"), 432, "Dest-Port: 9-3"},
            {"ports of a protocol without", add("Protocol: 1\nDest-Port: 3\n"), 432},
            {"port lists of two lengths", add("Source-Port: 1,2,3\nDest-Port: 1,2\n"), 432},
            {"a sixteenth port pair",
             add("Source-Port: 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16\n"
                 "Dest-Port: 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16\n"),
             432},
            {"no timeout", add("", ""), 433},
            {"timeouts of zero", add("", "Timeout-Total: 0\nTimeout-Bytes: 0\n"), 433},
            {"a timeout of more than a day", add("", "Timeout-Total: 86401\n"), 433,
             "Timeout-Total: 86401"},
            {"action Block", add("", "Flags: STATIC\nAction: Block\n"), 501, "Action: Block"},
            {"action Redirect", add("", "Flags: STATIC\nAction: Redirect\n"), 501},
            {"an unknown action", add("", "Flags: STATIC\nAction: Burn\n"), 501},
            {"an unknown flag", add("", "Flags: STATIC,LOUD\n"), 501},
            {"an unknown parameter", add("Whatever: 1\n"), 400, "X-OFFENDING-LINE: Whatever: 1"},
            {"an unknown X- parameter", add("X-Whatever: 1\n"), 200},
            {"priority zero", add("Priority: 0\n"), 400, "Priority: 0"},
            {"no destination", add_with(no_destination), 901},
            {"a bad destination", add_to("192.0.2.300", "198.51.100.9"), 901},
            {"three destinations",
             "ADD DTCP/0.7\nFlags: STATIC\nCdest-ID: a,b,c\n"
             "X-JTap-Cdest-Dest-Address: 192.0.2.1,192.0.2.2,192.0.2.3\n"
             "X-JTap-Cdest-Dest-Port: 1,2,3\nX-JTap-Cdest-Source-Address: 198.51.100.9\n"
             "X-JTap-Cdest-Source-Port: 4000\n",
             400},
            {"fewer ports than destinations", add_to("192.0.2.1,192.0.2.2", "198.51.100.9", "1"),
             432},
            {"copies of two families", add_to("2001:db8::5", "198.51.100.9"), 432},
            {"copies over IPv6", add_to("2001:db8::5", "2001:db8::9"), 200},
            {"a subscriber", add("X-MD-Intercept-Id: 4000ABCD\nX-UserName: bob\n"), 501,
             "X-MD-Intercept-Id: 4000ABCD"},
            {"the other version of IP", add("Source-Address: 10.0.0.1\nX-JTap-IP-Version: ipv6\n"),
             432},
        },
        usual_settings());
}

TEST_CASE("families are tapped only when they are configured") {
    tap::settings only_v4 = usual_settings();
    only_v4.families = family::inet;
    check_each({{"an IPv4 address", add("Source-Address: 10.0.0.1\n"), 200},
                {"no family named", add("Dest-Port: 80\n"), 200},
                {"an IPv6 source", add("Source-Address: 2001:db8::1\n"), 432,
                 "Source-Address: 2001:db8::1"},
                {"an IPv6 destination", add("Dest-Address: 2001:db8::1\n"), 432,
                 "Dest-Address: 2001:db8::1"},
                {"IPv6 by name", add("X-JTap-IP-Version: ipv6\n"), 432, "X-JTap-IP-Version: ipv6"},
                {"copies of IPv4 over IPv6", add_to("2001:db8::5", "2001:db8::9"), 200},
                {"whole frames",
                 "ADD DTCP/0.8\nX-JTap-Filter-Family: ccc\nX-JTap-Input-Interface: ge-0/0/0\n"
                 "Flags: STATIC\n" +
                     std::string(copies_to_lab),
                 432, "X-JTap-Filter-Family: ccc"}},
               only_v4);

    tap::settings only_v6 = usual_settings();
    only_v6.families = family::inet6;
    check_each({{"an IPv4 address", add("Source-Address: 10.0.0.1\n"), 432},
                {"no family named", add("Dest-Port: 80\n"), 200}},
               only_v6);

    tap::settings frames = usual_settings();
    frames.families.insert(family::ccc);
    check_each({{"an IPv4 address", add("Source-Address: 10.0.0.1\n"), 200},
                {"no family named", add(""), 200}},
               frames);
}

namespace {

std::string add_frames(const std::string& more, const char* version = "0.8") {
    return "ADD DTCP/" + std::string(version) + "\nX-JTap-Filter-Family: ccc\nFlags: STATIC\n" +
           more + std::string(copies_to_lab);
}

} // namespace

TEST_CASE("family ccc is about interfaces and nothing else") {
    tap::settings with = usual_settings();
    with.families.insert(family::ccc);
    const std::string in = "X-JTap-Input-Interface: ge-0/0/0\n";
    const char* const itself = "X-JTap-Filter-Family: ccc";
    check_each(
        {
            {"an input interface", add_frames(in), 200},
            {"output interfaces", add_frames("X-JTap-Output-Interface: ge-0/0/0,ge-0/0/1\n"), 200},
            {"under 0.7", add_frames(in, "0.7"), 400, itself},
            {"under 0.6", add_frames(in, "0.6"), 400, itself},
            {"without an interface", add_frames(""), 901, itself},
            {"with a routing instance", add_frames("X-JTap-VRF-Name: cust-a\n"), 901, itself},
            {"with an unknown interface", add_frames("X-JTap-Input-Interface: ge-9/9/9\n"), 901,
             "X-JTap-Input-Interface: ge-9/9/9"},
            {"with both", add_frames(in + "X-JTap-Output-Interface: ge-0/0/1\n"), 432},
            {"with a source address", add_frames(in + "Source-Address: 10.0.0.1\n"), 432,
             "Source-Address: 10.0.0.1"},
            {"with a destination address", add_frames(in + "Dest-Address: *\n"), 432},
            {"with a source port", add_frames(in + "Source-Port: 1\n"), 432},
            {"with a destination port", add_frames(in + "Dest-Port: 53\n"), 432},
            {"with a protocol", add_frames(in + "Protocol: 17\n"), 432, "Protocol: 17"},
            {"with an ICMP type", add_frames(in + "ICMP-Type: 8\n"), 432},
            {"with an ICMP code", add_frames(in + "ICMP-Code: 0\n"), 432},
            {"with a version of IP", add_frames(in + "X-JTap-IP-Version: ipv4\n"), 432},
            {"another family",
             "ADD DTCP/0.8\nX-JTap-Filter-Family: inet\nFlags: STATIC\n" + in +
                 std::string(copies_to_lab),
             901, "X-JTap-Filter-Family: inet"},
        },
        with);
    with.families.erase(family::ccc);
    check_each({{"when it is not configured", add_frames(in), 432, itself}}, with);
}

TEST_CASE("a scope names what is configured") {
    check_each(
        {
            {"an input interface", add("X-JTap-Input-Interface: ge-0/0/0\n"), 200},
            {"with its unit", add("X-JTap-Input-Interface: ge-0/0/0.100\n"), 200},
            {"twice the same", add("X-JTap-Input-Interface: ge-0/0/1,ge-0/0/1.0\n"), 200},
            {"an output interface", add("X-JTap-Output-Interface: ge-0/0/1.0\n"), 200},
            {"a routing instance", add("X-JTap-VRF-Name: cust-a\n"), 200},
            {"an unknown unit", add("X-JTap-Input-Interface: ge-0/0/1.7\n"), 901,
             "X-JTap-Input-Interface: ge-0/0/1.7"},
            {"one unknown of two", add("X-JTap-Output-Interface: ge-0/0/1,ge-9/9/9\n"), 901,
             "X-JTap-Output-Interface: ge-0/0/1,ge-9/9/9"},
            {"an unknown routing instance", add("X-JTap-VRF-Name: cust-b\n"), 901,
             "X-JTap-VRF-Name: cust-b"},
            {"two scopes", add("X-JTap-VRF-Name: cust-a\nX-JTap-Input-Interface: ge-0/0/0\n"), 432},
        },
        usual_settings());
}

TEST_CASE("copies go to unicast addresses, not to loopback or the access point itself") {
    tap::settings with = usual_settings();
    with.own_addresses = {parse_ip_address("192.0.2.1").value()};
    const char* const good = "198.51.100.9";
    check_each(
        {{"any unicast address", add_to("203.0.113.1", good), 200},
         {"loopback", add_to("127.0.0.1", good), 901, "X-JTap-Cdest-Dest-Address: 127.0.0.1"},
         {"multicast", add_to("224.0.0.9", good), 901},
         {"broadcast", add_to("255.255.255.255", good), 901},
         {"nowhere", add_to("0.0.0.0", good), 901},
         {"the access point", add_to("192.0.2.1", good), 901},
         {"loopback of IPv6", add_to("::1", "2001:db8::9"), 901},
         {"IPv4 in clothes", add_to("::ffff:127.0.0.1", "2001:db8::9"), 901},
         {"port zero", add_to("192.0.2.5", good, "0"), 901},
         {"one of two",
          "ADD DTCP/0.7\nFlags: STATIC\nCdest-ID: a,b\n"
          "X-JTap-Cdest-Dest-Address: 192.0.2.5,127.0.0.1\n"
          "X-JTap-Cdest-Dest-Port: 1,2\nX-JTap-Cdest-Source-Address: 198.51.100.9\n"
          "X-JTap-Cdest-Source-Port: 4000\n",
          901},
         {"from loopback", add_to("192.0.2.5", "127.0.0.1"), 901,
          "X-JTap-Cdest-Source-Address: 127.0.0.1"},
         {"from the access point", add_to("192.0.2.5", "192.0.2.1"), 901}},
        with);
}

TEST_CASE("a list of allowed addresses decides alone, but for what is not unicast") {
    tap::settings with = usual_settings();
    with.own_addresses = {parse_ip_address("127.0.0.1").value()};
    with.default_source.allowed_destinations = {parse_ip_prefix("127.0.0.0/8").value(),
                                                parse_ip_prefix("224.0.0.0/4").value()};
    with.default_source.allowed_source_addresses = {parse_ip_prefix("198.51.100.9/32").value()};
    check_each({{"in the list", add_to("127.0.0.1", "198.51.100.9"), 200},
                {"not in the list", add_to("192.0.2.5", "198.51.100.9"), 901},
                {"multicast in the list", add_to("224.0.0.9", "198.51.100.9"), 901},
                {"a source not in the list", add_to("127.0.0.1", "198.51.100.8"), 901}},
               with);

    with.default_source.allowed_destinations = std::vector<ip_prefix>{};
    check_each({{"an empty list", add_to("192.0.2.5", "198.51.100.9"), 901}}, with);
}

TEST_CASE("ids count from 1 for each control source, and none is used twice") {
    rig at;
    const tap::session_id one = at.open("lea1");
    const tap::session_id other = at.open("lea3");
    CHECK(value_of(at.ask(one, "lea1", add("")), "CRITERIA-ID") == "1");
    CHECK(value_of(at.ask(one, "lea1", add("")), "CRITERIA-ID") == "2");
    CHECK(value_of(at.ask(other, "lea3", add("")), "CRITERIA-ID") == "1");
    at.ask(one, "lea1", "DELETE DTCP/0.7\nCriteria-ID: 2\nFlags: STATIC\n");
    CHECK(value_of(at.ask(one, "lea1", add("Dest-Port: x\n")), "CRITERIA-ID") == "none");
    CHECK(value_of(at.ask(one, "lea1", add("")), "CRITERIA-ID") == "3");
    at.point.restart(at.now);
    at.turn();
    CHECK(value_of(at.ask(at.open("lea1"), "lea1", add("")), "CRITERIA-ID") == "4");
}

TEST_CASE("two destinations with one address and port are one content destination") {
    rig at;
    const tap::session_id session = at.open("lea1");
    const std::string answer =
        at.ask(session, "lea1",
               "ADD DTCP/0.7\nFlags: STATIC\nCdest-ID: a,b\n"
               "X-JTap-Cdest-Dest-Address: 192.0.2.5,192.0.2.5\nX-JTap-Cdest-Dest-Port: 1,1\n"
               "X-JTap-Cdest-Source-Address: 198.51.100.9\nX-JTap-Cdest-Source-Port: 4000\n");
    CHECK(status_of_answer(answer) == 200);
    CHECK(at.point.state().content_destinations == 1);
}

TEST_CASE("the example of a mediation device's habits is accepted") {
    rig at;
    const std::string answer =
        at.ask(at.open("ftap"), "ftap",
               "ADD DTCP/0.8\nCdest-ID:  cd1\n"
               "Source-Address: 2001:db8:abcd:ef12:3456:78ab:abc8:1235/112\n"
               "Dest-Address: 2001:db8:affe::1:1\nSource-Port: 1234\nDest-Port: 2345\n"
               "Protocol: *\nPriority: 2\nX-JTap-Input-Interface: ge-0/0/1\n"
               "X-JTap-Cdest-Dest-Address: 192.0.2.5\nX-JTap-Cdest-Dest-Port: 2300\n"
               "X-JTap-Cdest-Source-Address: 198.51.100.9\nX-JTap-Cdest-Source-Port: 65535\n"
               "X-JTap-Cdest-TTL: 255\nX-JTap-IP-Version: ipv6\nFlags: STATIC\n");
    CHECK(answer.starts_with("DTCP/0.8 200 OK\nSEQ: 1\nCRITERIA-ID: 1\n"));
}
