// SPDX-License-Identifier: Apache-2.0
//
// Every rule of the configuration check, with the exact line that a person gets to read.
#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/config/load.hpp>

using namespace flowtap::config;

namespace {

struct row {
    const char* text;
    std::vector<std::string> said;
};

/// What stands below is put behind these, so that a rule can be shown with few lines.
const std::string units = "interfaces { sp-1/2/0 { unit 0 { family inet; } unit 1 { family inet6; "
                          "} unit 2 { family inet; "
                          "family inet6; } unit 3; } }\n";

void check_rows(const std::vector<row>& rows, const std::string& before) {
    for (const row& r : rows) {
        const std::string text = r.text;
        CAPTURE(text);
        std::vector<std::string> said;
        for (const diagnostic& problem : load(before + r.text, "f").found)
            said.push_back(to_string(problem));
        CHECK(said.size() == r.said.size());
        for (std::size_t i = 0; i < std::min(said.size(), r.said.size()); ++i)
            CHECK(said[i] == r.said[i]);
        for (std::size_t i = r.said.size(); i < said.size(); ++i)
            FAIL_CHECK(said[i]);
    }
}

} // namespace

TEST_CASE("flow-tap's interface and its families") {
    check_rows(
        {
            {"services flow-tap interface sp-1/2/0;", {}},
            {"services flow-tap interface sp-1/2/0.2;\nservices flow-tap family inet6;", {}},
            {"services flow-tap tunnel-interface sp-1/2/0.2;", {}},
            {"services flow-tap interface sp-1/2/0.1;",
             {"f:2:29: error: the unit sp-1/2/0.1 needs family inet"}},
            {"services flow-tap interface sp-1/2/0.3;",
             {"f:2:29: error: the unit sp-1/2/0.3 needs family inet"}},
            {"services flow-tap interface sp-1/2/0.9;",
             {"f:2:29: error: the unit sp-1/2/0.9 is not configured under interfaces"}},
            {"services flow-tap interface sp-1/2/1;",
             {"f:2:29: error: the unit sp-1/2/1.0 is not configured under interfaces"}},
            {"services { flow-tap { interface sp-1/2/0.0; family inet6; } }",
             {"f:2:33: error: the unit sp-1/2/0.0 needs family inet6, since flow-tap has family "
              "inet6"}},
            {"services flow-tap tunnel-interface sp-1/2/0.0;",
             {"f:2:36: error: the unit sp-1/2/0.0 needs family inet6"}},
            {"services flow-tap tunnel-interface sp-1/2/0.1;",
             {"f:2:36: error: the unit sp-1/2/0.1 needs family inet"}},
            {"services { flow-tap {\n interface sp-1/2/0.0;\n tunnel-interface sp-1/2/0.2; } }",
             {"f:4:2: error: interface (FlowTap) and tunnel-interface (FlowTapLite) exclude each "
              "other"}},
            {"services { flow-tap {\n tunnel-interface sp-1/2/0.2;\n interface sp-1/2/0.0; } }",
             {"f:4:2: error: interface (FlowTap) and tunnel-interface (FlowTapLite) exclude each "
              "other"}},
            {"services { flow-tap { interface sp-1/2/0; family; } }",
             {"f:2:43: error: \"family\" needs something after it: ccc, inet, inet6"}},
            {"services { flow-tap { interface sp-1/2/0:1; } }",
             {"f:2:33: error: \"sp-1/2/0:1\": channelized interfaces cannot be used"}},
            {"services { flow-tap; }",
             {"f:2:12: warning: flow-tap has neither interface nor tunnel-interface: it runs with "
              "the limits of FlowTap"}},
        },
        units);
}

TEST_CASE("what cannot stand beside flow-tap is refused, and only beside it") {
    const std::string flow_tap = units + "services flow-tap interface sp-1/2/0.2;\n";
    check_rows(
        {
            {"services dynamic-flow-capture capture-group g { control-source c { shared-key k; "
             "service-port 1; allowed-destinations d; } content-destination d address 192.0.2.1; }",
             {"f:3:10: error: dynamic-flow-capture and flow-tap exclude each other"}},
            {"firewall { filter x { term 1 { then syslog; } } }",
             {"f:3:37: error: a firewall filter with \"then syslog\" cannot stand beside services "
              "flow-tap"}},
            {"firewall { family inet { filter x { term 1 { from { protocol tcp; } then { accept; "
             "syslog; } } } } }",
             {"f:3:84: error: a firewall filter with \"then syslog\" cannot stand beside services "
              "flow-tap"}},
            {"firewall family inet6 filter x term 1 then syslog;",
             {"f:3:44: error: a firewall filter with \"then syslog\" cannot stand beside services "
              "flow-tap"}},
            {"firewall { filter x { term 1 { then { accept; count y; } } } }", {}},
            {"interfaces { ge-0/0/0:1 { unit 0 { family inet; } } }",
             {"f:3:14: error: \"ge-0/0/0:1\": channelized interfaces cannot be used"}},
            {"routing-instances { a { interface ge-0/0/0:1.0; } }",
             {"f:3:35: error: \"ge-0/0/0:1.0\": channelized interfaces cannot be used"}},
        },
        flow_tap);
    check_rows({{"services dynamic-flow-capture;",
                 {"f:1:10: warning: dynamic-flow-capture has no control source: nobody can ask for "
                  "anything"}},
                {"firewall { filter x { term 1 { then syslog; } } }", {}},
                {"forwarding-options port-mirroring { input; }", {}},
                {"security ipsec;", {}}},
               "");
}

TEST_CASE("statements about logins without effect are warned of") {
    check_rows({{"system { login { retry-options { maximum-time 60; } } }", {}},
                {"system { login { retry-options { minimum-time 20; } } }",
                 {"f:1:34: warning: minimum-time has no effect here: maximum-time ends "
                  "connections"}},
                {"system { login { retry-options { lockout-period 5; } } }",
                 {"f:1:34: warning: lockout-period has no effect here: addresses are kept away, "
                  "not users (source-failure-limit)"}}},
               "");
}

TEST_CASE("what may disturb flow-tap is warned of") {
    const std::string mirroring = "port mirroring might not work beside services flow-tap";
    const std::string loops =
        "tapping over an IPsec tunnel of this system can loop: check where the copies go";
    const std::string sampling =
        "on some hardware sampling of IPv6 and flow-tap with family inet6 exclude each other";
    const std::string flow_tap = units + "services { flow-tap { interface sp-1/2/0.2; } }\n";
    const std::string with_inet6 =
        units + "services { flow-tap { interface sp-1/2/0.2; family inet6; } }\n";
    check_rows(
        {{"forwarding-options { port-mirroring { input { rate 1; } } }",
          {"f:3:22: warning: " + mirroring}},
         {"firewall { family inet { filter x { term 1 { then { port-mirror; accept; } } } } }",
          {"f:3:53: warning: " + mirroring}},
         {"interfaces { st0 { unit 0 { family inet; } } }", {"f:3:14: warning: " + loops}},
         {"services { ipsec-vpn { rule x; } }", {"f:3:12: warning: " + loops}},
         {"security { ipsec { vpn y; } ike; }", {"f:3:12: warning: " + loops}},
         {"forwarding-options { sampling { family inet6 { output; } } }", {}},
         {"protocols { bgp { group x { type internal; } } }",
          {"f:3:1: warning: \"protocols\" is ignored: this program has no business with it"}}},
        flow_tap);
    check_rows({{"forwarding-options { sampling { family inet6 { output; } } }",
                 {"f:3:40: warning: " + sampling}},
                {"forwarding-options { sampling { instance i { family inet6 { output; } } } }",
                 {"f:3:53: warning: " + sampling}},
                {"forwarding-options { sampling { family inet { output; } } }", {}},
                {"interfaces { ge-0/0/0 { unit 0 { family inet6 { sampling { input; } } } } }",
                 {"f:3:49: warning: " + sampling}}},
               with_inet6);
}

TEST_CASE("control sources") {
    const std::string flow_tap = "interfaces sp-0/0/0 unit 0 family inet;\n"
                                 "services flow-tap interface sp-0/0/0;\n";
    check_rows(
        {
            {"services { flow-tap { udp { listen 127.0.0.1 port 1; } control-source a { udp; } } }",
             {"f:3:75: error: a control source on UDP needs its own dtcp-key"}},
            {"services { flow-tap { udp { listen 127.0.0.1 port 1; } control-source a { udp; "
             "dtcp-key "
             "x; } } }",
             {}},
            {"services { flow-tap { control-source a { udp; dtcp-key x; } } }",
             {"f:3:42: warning: nothing listens on UDP: services flow-tap udp is not configured"}},
            {"services { flow-tap { udp { listen 127.0.0.1 port 1; } control-source default { udp; "
             "dtcp-key x; } } }",
             {"f:3:81: error: UDP needs a control source of its own name, with its own dtcp-key"}},
            {"services { flow-tap { udp { listen 127.0.0.1; } } }",
             {"f:3:29: error: the address needs a port after it: 127.0.0.1 port NUMBER"}},
            {"services { flow-tap { udp { listen 127.0.0.1 port [ 1 2 ]; listen ::1 port 1; "
             "listen :: port 3; } } }",
             {}},
            {"services { flow-tap { udp { listen 127.0.0.1 { port [ 1 0 ]; } } } }",
             {"f:3:57: error: \"0\": the number is out of range (1-65535)"}},
            {"services { flow-tap { udp { listen 127.0.0.1 port 1 2; } } }",
             {"f:3:53: error: several values stand between brackets: port [ ... ]"}},
            {"services { flow-tap { udp { listen 127.0.0.1 port [ 1 2 ]; listen 0.0.0.0 port "
             "[ 2 3 ]; } } }",
             {"f:3:82: error: the port is taken by listen 127.0.0.1 already"}},
            {"services { flow-tap { control-source a { source-addresses 192.0.2.0/24; } } }",
             {"f:3:42: warning: source-addresses is about requests over UDP, which the control "
              "source may not send: it has no \"udp\""}},
            {"services { flow-tap { control-source a { filter-limit 60; }\n"
             "control-source b { filter-limit 40; } } }",
             {}},
            {"services { flow-tap { control-source a { filter-limit 60; }\n"
             "control-source b { filter-limit 41; } } }",
             {"f:4:33: error: the filter-limits of the control sources add up to more than the 100 "
              "of the system"}},
            {"services { flow-tap { filter-limit 200; control-source a { filter-limit 101; } } }",
             {}},
            {"system { login { class t { permissions flow-tap-operation; } user x { class t; } "
             "user y "
             "{ class t; } user a { class t; } } }\n"
             "services { flow-tap { control-source default { filter-limit 50; }\n"
             "control-source a { filter-limit 1; } } }",
             {"f:5:33: error: the filter-limits of the control sources add up to more than the 100 "
              "of the system"}},
            {"services { flow-tap { control-source a { dtcp-key \"$9$hush\"; } } }",
             {"f:3:51: error: the secret starts with $9$ but cannot be decoded"}},
            {"services { flow-tap { control-source a { notification-targets { 192.0.2.7; } } } }",
             {"f:3:65: error: the address needs a port after it: 192.0.2.7 port NUMBER"}},
            {"services { flow-tap { control-source a { allowed-destinations [ 192.0.2.0/24 "
             "192.0.2.0/40 ]; } } }",
             {"f:3:78: error: \"192.0.2.0/40\": this is not an address or a prefix"}},
        },
        flow_tap);
}

TEST_CASE("dynamic flow capture") {
    const std::string group = "interfaces ge-0/0/0 unit 0 family inet;\n"
                              "services dynamic-flow-capture capture-group g {\n"
                              "control-source c { shared-key k; service-port 1; "
                              "allowed-destinations d; }\n"
                              "content-destination d { address 192.0.2.1; }\n";
    check_rows(
        {
            {"}", {}},
            {"interfaces [ ge-0/0/0 ge-0/0/0.0 ]; }", {}},
            {"interfaces [ ge-0/0/0.0 ge-0/0/1 ]; }",
             {"f:5:25: error: the unit ge-0/0/1.0 is not configured under interfaces"}},
            {"control-source e { service-port 1; allowed-destinations d; } }",
             {"f:5:16: error: the control source has no shared-key"}},
            {"control-source e { shared-key k; allowed-destinations d; } }",
             {"f:5:16: error: the control source has no service-port"}},
            {"control-source e { shared-key k; service-port 0; allowed-destinations d; } }",
             {"f:5:47: error: \"0\": the number is out of range (1-65535)"}},
            {"control-source e { shared-key k; service-port 1; } }",
             {"f:5:16: warning: the control source can capture nothing: it has no "
              "allowed-destinations"}},
            {"control-source e { shared-key k; service-port 1; allowed-destinations [ d e ]; } }",
             {"f:5:75: error: the capture group has no content destination \"e\""}},
            {"control-source c { notification-targets 192.0.2.7; } }",
             {"f:5:41: error: the address needs a port after it: 192.0.2.7 port NUMBER"}},
            {"content-destination e; }", {"f:5:21: error: the content destination has no address"}},
            {"content-destination e address 2001:db8::1; }",
             {"f:5:31: error: \"2001:db8::1\": this is not an address of the kind that is needed "
              "here (an IPv4 address)"}},
            {"content-destination e address 224.0.0.1; }",
             {"f:5:31: error: copies cannot go to this address: it is not unicast"}},
            {"max-duplicates 65; }", {"f:5:16: error: \"65\": the number is out of range (1-64)"}},
            {"pic-memory-threshold percentage 101; }",
             {"f:5:33: error: \"101\": the number is out of range (0-100)"}},
        },
        group);
    check_rows(
        {
            {"control-source c { shared-key k; service-port 2; allowed-destinations e; }\n"
             "content-destination e address 192.0.2.1; }",
             {"f:6:16: error: the control source belongs to the capture group g already"}},
            {"control-source e { shared-key k; service-port 1; allowed-destinations d; } }",
             {"f:6:71: error: the capture group has no content destination \"d\""}},
        },
        group + "} services dynamic-flow-capture capture-group h {\n");
}

TEST_CASE("a limit of a content destination needs its other half") {
    const std::string destination = "services dynamic-flow-capture capture-group g {\n"
                                    "control-source c { shared-key k; service-port 1; "
                                    "allowed-destinations d; }\n"
                                    "content-destination d { address 192.0.2.1;\n";
    check_rows(
        {
            {"soft-limit 2m; soft-limit-clear 1m; hard-limit 3m; hard-limit-target 2m; } }", {}},
            {"soft-limit 1m; soft-limit-clear 1000k; } }", {}},
            {"soft-limit 2m; } }", {"f:4:1: error: soft-limit needs soft-limit-clear beside it"}},
            {"soft-limit-clear 2m; } }",
             {"f:4:1: error: soft-limit-clear needs soft-limit beside it"}},
            {"hard-limit 2m; } }", {"f:4:1: error: hard-limit needs hard-limit-target beside it"}},
            {"hard-limit-target 2m; } }",
             {"f:4:1: error: hard-limit-target needs hard-limit beside it"}},
            {"soft-limit 2m; soft-limit-clear x; } }",
             {"f:4:33: error: \"x\": this is not a number (bit/s, with k, m or g)"}},
            {"soft-limit 2m; soft-limit-clear 3m; } }",
             {"f:4:33: error: soft-limit-clear is above soft-limit"}},
            {"hard-limit 2m; hard-limit-target 2001k; } }",
             {"f:4:34: error: hard-limit-target is above hard-limit"}},
            {"soft-limit 4m; soft-limit-clear 1m; hard-limit 3m; hard-limit-target 2m; } }",
             {"f:4:12: warning: soft-limit is above hard-limit: criteria are purged before anybody "
              "is told"}},
        },
        destination);
}

TEST_CASE("dynamic flow capture has the limits of Junos") {
    struct limit {
        const char* before;
        const char* one; // with # for a number
        unsigned most;
    };
    const std::string group = "services dynamic-flow-capture capture-group g ";
    const std::string source = group + "control-source c ";
    for (const limit& checked :
         {limit{"services dynamic-flow-capture { ", "capture-group g#; ", 16},
          limit{"services dynamic-flow-capture capture-group g { ", "control-source c#; ", 64},
          limit{"services dynamic-flow-capture capture-group g { ", "content-destination d#; ", 64},
          limit{"services dynamic-flow-capture capture-group g control-source c { ",
                "source-addresses 192.0.2.#; ", 8},
          limit{"services dynamic-flow-capture capture-group g control-source c { ",
                "notification-targets 192.0.2.# port 1; ", 8},
          limit{"services dynamic-flow-capture capture-group g control-source c { ",
                "allowed-destinations d#; ", 16}}) {
        const auto too_many = [&](unsigned count) {
            std::string text = checked.before;
            for (unsigned i = 1; i <= count; ++i)
                text += std::string(checked.one)
                            .replace(std::string(checked.one).find('#'), 1, std::to_string(i));
            const loaded done = load(text + '}', "f");
            return std::any_of(done.found.begin(), done.found.end(), [&](const diagnostic& said) {
                return said.message ==
                       "at most " + std::to_string(checked.most) + " can stand here";
            });
        };
        CAPTURE(checked.one);
        CHECK_FALSE(too_many(checked.most));
        CHECK(too_many(checked.most + 1));
    }
}

TEST_CASE("logins and RADIUS") {
    check_rows(
        {
            {"system { login { user a { class operator; } } }", {}},
            {"system { login { user a; } }", {"f:1:23: error: the user \"a\" has no class"}},
            {"system { login { user a { class ft; } } }",
             {"f:1:33: error: there is no login class \"ft\""}},
            {"system { login { class ft-class; user a { class ft-clas; } } }",
             {"f:1:49: error: there is no login class \"ft-clas\"; did you mean \"ft-class\"?"}},
            {"system { login { user a { class later; } class later { permissions view; } } }", {}},
            {"system { login { class operator { permissions all; } } }",
             {"f:1:24: error: the class \"operator\" is predefined and cannot be changed"}},
            {"system { login { class c { permissions [ flow-tap-operaton warp ]; } } }",
             {"f:1:42: warning: there is no permission \"flow-tap-operaton\"; it grants nothing; "
              "did "
              "you mean \"flow-tap-operation\"?",
              "f:1:60: warning: there is no permission \"warp\"; it grants nothing"}},
            {"system { login { user a { uid 200; class operator; }\nuser b { uid 200; class "
             "operator; } "
             "} }",
             {"f:2:14: error: the user \"a\" has this uid already"}},
            {"system { login { user a { class operator; authentication { encrypted-password "
             "secret; "
             "} } } }",
             {"f:1:79: warning: nobody can log in with this password: it is not hashed as "
              "/etc/shadow has it ($6$, $y$, ...)"}},
            {"system { login { user a { class operator; authentication { encrypted-password \"*\"; "
             "} } "
             "} }",
             {}},
            {"system { login { user a { class operator; authentication { ssh-rsa \"ssh-ed25519 "
             "AAAAC3NzaC1lZDI1NTE5AAAAIKms3ceru/mE6XMypMHSwj5JXrJoLwF1iJk6Ad3N0nks\"; } } } }",
             {"f:1:68: error: the statement \"ssh-rsa\" cannot hold a key of ssh-ed25519"}},
            {"system { radius-server { 192.0.2.1; } }",
             {"f:1:26: error: the RADIUS server has no secret"}},
            {"system { radius-server { 192.0.2.1 { secret x; source-address ::1; } } }",
             {"f:1:63: error: the source address is not of the server's family"}},
            {"system { authentication-order [ password radius ]; }",
             {"f:1:42: warning: there is no RADIUS server to ask"}},
            {"system { authentication-order [ tacplus password ]; }",
             {"f:1:33: error: \"tacplus\": this is not one of the possible values (password "
              "radius)"}},
        },
        "");
}

TEST_CASE("interfaces and routing instances") {
    check_rows(
        {
            {"interfaces { ge-0/0/0 { unit 1 { vlan-id 5; } unit 2 { vlan-id 5; } } }",
             {"f:1:64: error: the frames of this VLAN belong to ge-0/0/0.1 already"}},
            {"interfaces { ge-0/0/0 { capture-device eth0; } ge-0/0/1 { capture-device eth0; } }",
             {"f:1:74: error: the device is captured for ge-0/0/0 already"}},
            {"interfaces { ge-0/0/0 { capture-device eth0; unit 7; } }",
             {"f:1:46: warning: the unit takes no frames: it has no vlan-id, and only unit 0 takes "
              "those that no other unit claims"}},
            {"interfaces { ge-0/0/0 { unit 0 { family inet { address 2001:db8::1/64; } } } }",
             {"f:1:56: error: the address is not of the family it stands in"}},
            {"interfaces { ge-0/0/0.5 { family inet; } }",
             {"f:1:14: error: \"ge-0/0/0.5\": this is the name of a unit, but a physical interface "
              "is "
              "needed here"}},
            {"interfaces ge-0/0/0 unit 0;\n"
             "routing-instances { a { interface ge-0/0/0; } b { interface ge-0/0/0.0; } }",
             {"f:2:61: error: the unit belongs to the routing instance a already"}},
            {"routing-instances { a { interface ge-0/0/0.4; } }",
             {"f:1:35: warning: the unit ge-0/0/0.4 is not configured under interfaces"}},
            {"class-of-service { dscp gold; dscp lead 64; }",
             {"f:1:20: error: the forwarding class \"gold\" needs a DSCP after it",
              "f:1:41: error: \"64\": the number is out of range (0-63)"}},
        },
        "");
}

TEST_CASE("statements that are not what they should be") {
    check_rows(
        {
            {"systme { login; }",
             {"f:1:1: error: there is no statement \"systme\" here; did you mean \"system\"?"}},
            {"zebra { x; }",
             {"f:1:1: warning: \"zebra\" is ignored: this program does not know it"}},
            {"system { login { users a; } }",
             {"f:1:18: error: there is no statement \"users\" here; did you mean \"user\"?"}},
            {"system { login { zebra; } }",
             {"f:1:18: error: there is no statement \"zebra\" here; possible: class, message, "
              "retry-options, "
              "user"}},
            {"system { login { user; } }", {"f:1:18: error: \"user\" needs a value after it"}},
            {"interfaces {\n ge-0/0/0 {\n  unit 0 {\n   vlan-id 5\n   family inet;\n } } }",
             {"f:4:12: error: the statement does not end with a ;"}},
            {"interfaces { ge-0/0/0 { unit 0 { vlan-id 5 6; } } }",
             {"f:1:44: error: nothing can follow the statement \"vlan-id\" but a ;"}},
            {"interfaces { ge-0/0/0 { unit 0 { vlan-id 5 { x; } } } }",
             {"f:1:46: error: nothing can stand in a block after \"5\""}},
            {"interfaces { ge-0/0/0 { unit 0 { vlan-id [ 5 ]; } } }",
             {"f:1:34: error: \"vlan-id\" needs a value after it"}},
            {"interfaces { ge-0/0/0 { unit 0 { vlan-id 5; vlan-id 6; } } }",
             {"f:1:45: warning: this replaces what line 1 says: the last one counts"}},
            {"system { authentication-order password radius; }",
             {"f:1:40: error: several values stand between brackets: authentication-order [ ... ]",
              "f:1:40: warning: there is no RADIUS server to ask"}},
            {"system { authentication-order; }",
             {"f:1:10: error: \"authentication-order\" needs a value after it"}},
            {"services { flow-tap { interface sp-0/0/0; control-source a { allowed-destinations [ "
             "]; } "
             "} }\ninterfaces sp-0/0/0 unit 0 family inet;",
             {"f:1:62: error: \"allowed-destinations\" needs a value after it"}},
            {"a (b | c);", {"f:1:3: error: this character must stand in quotes: \"(\""}},
            {"system {", {"f:1:8: error: the block is not closed by }"}},
        },
        "");
}

TEST_CASE("all mistakes of a text are reported together, in its order") {
    const loaded done = load("system { login { usr a; } }\nzz;\nservices { flow-tap { famly inet; "
                             "filter-limit 0; } }\ninterfaces { a:1; }\n}",
                             "f");
    std::vector<std::size_t> lines;
    for (const diagnostic& problem : done.found)
        lines.push_back(problem.where.line);
    CHECK(lines == std::vector<std::size_t>{1, 2, 3, 3, 4, 5});
}

TEST_CASE("no diagnostic repeats a secret") {
    for (const char* text :
         {"services flow-tap control-source a dtcp-key \"$9$topsecret\";",
          "system radius-server 192.0.2.1 secret \"$9$topsecret\";",
          "system login user a authentication encrypted-password topsecret;",
          "system login user a authentication ssh-rsa topsecret;",
          "services dynamic-flow-capture capture-group g control-source c shared-key "
          "topsecrettopsecrettopsecret;"}) {
        CAPTURE(text);
        const loaded done = load(text, "f");
        CHECK_FALSE(done.found.empty());
        for (const diagnostic& problem : done.found)
            CHECK(problem.message.find("topsecret") == std::string::npos);
    }
}
