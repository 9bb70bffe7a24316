// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/config/changes.hpp>
#include <flowtap/config/load.hpp>

using namespace flowtap;
using namespace flowtap::config;

namespace {

const std::string surroundings = R"(
interfaces {
    ge-0/0/0 { unit 0 { family inet; } unit 7 { family inet; } }
    vt-0/0/1 { egress-device eth1; egress-source-port 4000; unit 0 { family inet { address 198.51.100.1/24; } family inet6 { address 2001:db8::1/64; } } }
    vt-0/0/2 { egress-device eth2; unit 0 { family inet; } unit 1 { family inet6; } }
}
routing-instances { cust-a { instance-type vrf; interface ge-0/0/0.7; } }
class-of-service { dscp gold 34; }
)";

loaded load_service(const std::string& inside) {
    return load(surroundings + "services { radius-flow-tap {\n" + inside + "\n} }\n", "f");
}

std::vector<std::string> problems(const std::string& inside) {
    std::vector<std::string> lines;
    for (const diagnostic& one : load_service(inside).found)
        lines.push_back(to_string(one));
    return lines;
}

using lines = std::vector<std::string>;

constexpr const char* source = "source-ipv4-address 198.51.100.9; ";

} // namespace

TEST_CASE("all of radius-flow-tap arrives in the model") {
    const loaded done = load_service(R"(
        interfaces [ vt-0/0/1 vt-0/0/2.0 ];
        source-ipv4-address 198.51.100.9;
        forwarding-class gold;
        routing-instance cust-a;
        session-limit 100;
        subscriber-limit 5000;
        policy quiet {
            inet {
                drop-policy a { from { source-address { 10.0.0.0/8; 192.0.2.1/32; } destination-address 203.0.113.0/24; protocol [ tcp 17 ]; source-port 1024-65535; destination-port [ 53 80 ]; } }
                drop-policy b { from { protocol icmp; icmp-type 8; icmp-code 0-3; } }
            }
            inet6 { drop-policy a { from { destination-address 2001:db8:9::/48; } } }
        }
        radius-client 192.0.2.10 { secret "s3cret"; }
        radius-client 2001:db8::10 { secret hush; }
        listen 192.0.2.1;
        accounting-port 11813;
        authorization-port 13799;
        static-subscriber office { user-name bob; accounting-session-id 4711; ip-address 10.0.0.1; ipv6-prefix [ 2001:db8:1::/48 ]; nas-port-id "p 1"; circuit-id c; remote-id r; calling-station-id s; routing-instance cust-a; logical-system ls; }
        static-subscriber leased-line { interface ge-0/0/0; }
        snmp { notify-targets [ 192.0.2.20 2001:db8::20 ]; port 10162; user zed { authentication-protocol sha; authentication-password "a secret"; privacy-password "one more"; } user amy { authentication-password 12345678; privacy-password 87654321; } }
    )");
    for (const diagnostic& one : done.found)
        MESSAGE(to_string(one));
    REQUIRE(done.found.empty());
    REQUIRE(done.settings.radius_flow_tap.has_value());
    const radius_flow_tap_settings& read = *done.settings.radius_flow_tap;

    REQUIRE(read.pool.size() == 2);
    CHECK(read.pool[0].name == "vt-0/0/1.0");
    CHECK(read.pool[0].device == "eth1");
    CHECK(read.pool[0].source_port == 4000);
    REQUIRE(read.pool[0].addresses.size() == 2);
    CHECK(to_string(read.pool[0].addresses[0]) == "198.51.100.1");
    CHECK(to_string(read.pool[0].addresses[1]) == "2001:db8::1");
    CHECK(read.pool[1].device == "eth2");
    CHECK(read.pool[1].addresses.empty());
    CHECK_FALSE(read.pool[1].source_port.has_value());
    CHECK(to_string(*read.source_address) == "198.51.100.9");
    CHECK(read.dscp == 34);
    CHECK(read.routing_instance == "cust-a");
    CHECK(read.session_limit == 100);
    CHECK(read.subscriber_limit == 5000);

    REQUIRE(read.policies.size() == 1);
    REQUIRE(read.policies[0].terms.size() == 3);
    const filter_spec& first = read.policies[0].terms[0];
    CHECK(first.families == family_set(family::inet));
    CHECK(first.source_addresses.entries.size() == 2);
    CHECK(first.source_addresses.admits({0, 0x0A123456}));
    CHECK(first.destination_addresses.admits({0, 0xCB007101}));
    CHECK(first.protocols.admits(6));
    CHECK(first.protocols.admits(17));
    CHECK_FALSE(first.protocols.admits(1));
    CHECK(first.source_ports.admits(65535));
    CHECK_FALSE(first.source_ports.admits(1023));
    CHECK(first.destination_ports.admits(80));
    CHECK(first.port_lists == port_list_mode::product);
    CHECK(read.policies[0].terms[1].icmp_types.admits(8));
    CHECK(read.policies[0].terms[1].icmp_codes.admits(3));
    CHECK(read.policies[0].terms[2].families == family_set(family::inet6));

    REQUIRE(read.clients.size() == 2);
    CHECK(read.clients[0].secret == "s3cret");
    CHECK(to_string(read.clients[1].address) == "2001:db8::10");
    REQUIRE(read.listen.size() == 1);
    CHECK(read.accounting_port == 11813);
    CHECK(read.authorization_port == 13799);

    REQUIRE(read.static_subscribers.size() == 2);
    const static_subscriber& line = read.static_subscribers[0];
    CHECK(line.name == "leased-line");
    CHECK(line.accounting_session == "leased-line");
    CHECK(line.interface == "ge-0/0/0.0");
    const static_subscriber& office = read.static_subscribers[1];
    CHECK(office.user_name == "bob");
    CHECK(office.accounting_session == "4711");
    CHECK(office.addresses.size() == 2);
    CHECK(office.nas_port_id == "p 1");
    CHECK(office.circuit_id == "c");
    CHECK(office.remote_id == "r");
    CHECK(office.calling_station == "s");
    CHECK(office.routing_instance == "cust-a");
    CHECK(office.logical_system == "ls");

    REQUIRE(read.snmp.targets.size() == 2);
    CHECK(to_string(read.snmp.targets[1]) == "2001:db8::20");
    CHECK(read.snmp.port == 10162);
    REQUIRE(read.snmp.users.size() == 2);
    CHECK(read.snmp.users[0] ==
          snmp_user{"amy", snmp_authentication::sha256, "12345678", "87654321"});
    CHECK(read.snmp.users[1] == snmp_user{"zed", snmp_authentication::sha, "a secret", "one more"});
}

TEST_CASE("defaults of radius-flow-tap are those of Junos and of RADIUS") {
    const loaded done =
        load_service(std::string(source) + "radius-client 192.0.2.10 { secret x; }");
    CHECK(done.found.empty());
    const radius_flow_tap_settings& read = *done.settings.radius_flow_tap;
    CHECK(read.session_limit == 2048);
    CHECK(read.subscriber_limit == 100'000);
    CHECK_FALSE(read.dscp.has_value());
    CHECK(read.accounting_port == 1813);
    CHECK(read.authorization_port == 3799);
    CHECK(read.snmp.targets.empty());
    CHECK(read.snmp.port == 162);
    CHECK(read.listen == std::vector{ip_address::v4(0)});
    CHECK_FALSE(load(surroundings, "f").settings.radius_flow_tap.has_value());
}

TEST_CASE("what does not go together in radius-flow-tap is said with its place") {
    struct row {
        std::string inside;
        lines found;
    };
    const std::string with = source;
    const row rows[] = {
        {"",
         {"f:9:12: warning: copies have no source address: there is neither a "
          "source-ipv4-address nor a pool of interfaces"}},
        {"source-ipv4-address 224.0.0.1;",
         {"f:10:21: error: copies cannot come from this address: it is not unicast"}},
        {with + "interfaces vt-0/0/3;",
         {"f:10:46: error: the unit vt-0/0/3.0 is not configured under interfaces"}},
        {with + "interfaces vt-0/0/2.1;",
         {"f:10:46: error: the unit vt-0/0/2.1 needs family inet"}},
        {"interfaces vt-0/0/2;",
         {"f:10:12: error: copies through the unit vt-0/0/2.0 have no source address: it has none "
          "of its own, and there is no source-ipv4-address"}},
        {"interfaces [ vt-0/0/1 vt-0/0/1.0 ];",
         {"f:10:23: warning: the unit stands in the pool already"}},
        {with + "forwarding-class silver;",
         {"f:10:52: error: there is no forwarding class \"silver\" under class-of-service dscp"}},
        {with + "routing-instance cust-b;",
         {"f:10:52: error: the routing instance \"cust-b\" is not configured under "
          "routing-instances"}},
        {with + "multicast-interception;",
         {"f:10:35: error: multicast-interception is not built: multicast that a subscriber "
          "joined is not mirrored"}},
        {with + "snmp { notify-targets 192.0.2.1; }",
         {"f:10:42: error: notify-targets need a user: in clear, notifications would tell "
          "everybody on their way who is mirrored"}},
        {with + "snmp { notify-targets 224.0.0.1; user u { authentication-password 12345678; "
                "privacy-password 12345678; } }",
         {"f:10:57: error: notifications cannot go to this address: it is not unicast"}},
        {with + "snmp { user u { authentication-password 12345678; } }",
         {"f:10:47: error: the user of SNMP has no privacy-password"}},
        {with + "snmp { user u { privacy-password 12345678; } }",
         {"f:10:47: error: the user of SNMP has no authentication-password"}},
        {with + "snmp { user u1234567890123456789012345678901x { authentication-password 12345678; "
                "privacy-password 12345678; } }",
         {"f:10:47: error: the name of a user of SNMP has 32 octets at most"}},
        {with + "snmp { user u { authentication-password 12345678; privacy-password 1234567; } }",
         {"f:10:102: error: this is not one of the possible values (at least 8 octets)"}},
        {with + "snmp { user u { authentication-password 1234567; privacy-password 12345678; } }",
         {"f:10:75: error: this is not one of the possible values (at least 8 octets)"}},
        {with + "snmp { user u { authentication-password 12345678; privacy-password 12345678; } }",
         {}},
        {with + "radius-client 192.0.2.1;", {"f:10:49: error: the RADIUS client has no secret"}},
        {with + "authorization-port 1813;",
         {"f:10:54: error: accounting and authorization cannot have one port"}},
        {with + "policy p { inet { drop-policy t; } }",
         {"f:10:53: warning: the term has no \"from\": nothing of this family is mirrored"}},
        {with + "policy p { inet { drop-policy t { from { protocol 256; } } } }",
         {"f:10:85: error: there is no protocol of this name: a number from 0 to 255 does as "
          "well"}},
        {with + "policy p { inet { drop-policy t { from { source-port 9-8; } } } }",
         {"f:10:88: error: a number or a range of them is expected here, from 0 to 65535"}},
        {with + "policy p { inet { drop-policy t { from { source-address 2001:db8::/32; } } } }",
         {"f:10:91: error: the address is not of the family it stands in"}},
        {with + "static-subscriber s { user-name bob; }",
         {"f:10:53: error: nothing tells the subscriber's packets: it needs an ip-address, an "
          "ipv6-prefix or an interface"}},
        {with + "static-subscriber s { interface ge-0/0/9; }",
         {"f:10:67: error: the unit ge-0/0/9.0 is not configured under interfaces"}},
        {with + "static-subscriber s { ipv6-prefix 10.0.0.0/8; }",
         {"f:10:69: error: this is no prefix of IPv6"}},
    };
    for (const row& one : rows) {
        CAPTURE(one.inside);
        CHECK(problems(one.inside) == one.found);
    }
}

TEST_CASE("a commit tells whether anything about subscribers changes, and whether RADIUS does") {
    const std::string base = source;
    const configuration none = load(surroundings, "f").settings;
    const configuration plain = load_service(base).settings;
    const configuration pooled = load_service(base + "interfaces vt-0/0/1;").settings;
    const configuration fed =
        load_service(base + "radius-client 192.0.2.10 { secret x; }").settings;
    CHECK(apply(plain, plain).empty());
    CHECK(apply(none, plain).radius_flow_tap_changed);
    CHECK(apply(plain, none).radius_flow_tap_changed);
    CHECK(apply(plain, pooled).radius_flow_tap_changed);
    CHECK_FALSE(apply(plain, pooled).radius_clients_changed);
    CHECK(apply(plain, fed).radius_clients_changed);
}
