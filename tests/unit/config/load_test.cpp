// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/config/load.hpp>
#include <flowtap/config/secret.hpp>

using namespace flowtap;
using namespace flowtap::config;

namespace {

/// Loads without an error, or says which.
configuration ok(std::string_view text) {
    const loaded done = load(text, "lab.conf");
    for (const diagnostic& problem : done.found)
        CHECK_MESSAGE(problem.level == severity::warning, to_string(problem));
    return done.settings;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
    const std::size_t at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), with);
}

/// Junos' own statements, as the documentation has them.
const char* const junos_block = R"(
system {
    login {
        class ft-class { permissions [ flow-tap-operation ]; }
        user ft-user1 { uid 2000; class ft-class; authentication { encrypted-password "$6$..."; ssh-ed25519 "..."; } }
    }
    radius-server { 192.0.2.10 { port 1812; secret "..."; timeout 3; retry 3; } }
    authentication-order [ radius password ];
    services { flow-tap-dtcp { ssh { connection-limit 5; rate-limit 5; } } }
}
interfaces { sp-1/2/0 { unit 100 { family inet; family inet6; } } }
services { flow-tap { interface sp-1/2/0.100; family inet; family inet6; } }
)";

/// This project's own statements.
const char* const own_block = R"(
interfaces {
    ge-0/0/0 { capture-device eth0; unit 0 { family inet; } unit 100 { vlan-id 100; family inet; } }   # binds a name to a device
}
routing-instances { cust-a { instance-type vrf; interface ge-0/0/0.100; } }                            # as in Junos
class-of-service { dscp gold 34; }
services { flow-tap {
    filter-limit 100000;                                 # in place of 100 / 3000
    fragments all;                                       # in place of the first of each packet
    kernel-filter;                                       # off unless given
    udp { listen 127.0.0.1 port 32002; }
    control-source lea1 {
        dtcp-key "..."; port-lists pairs; sequence-check on; filter-limit 40; notify; udp;
        notification-targets { 192.0.2.7 port 2100; } notification-version 0.7;
        allowed-destinations [ 192.0.2.0/24 ]; allowed-source-addresses [ 198.51.100.9/32 ];
    }
} }
)";

} // namespace

TEST_CASE("Junos' block loads and every value arrives") {
    const configuration lab = ok(junos_block);

    const permission::user* user = lab.logins.find_user("ft-user1");
    REQUIRE(user != nullptr);
    CHECK(user->uid == 2000);
    CHECK(user->class_name == "ft-class");
    CHECK(user->password_hash == "$6$...");
    CHECK(user->keys.empty());
    CHECK(to_string(lab.logins.permissions_of("ft-user1")) == "[flow-tap-operation]");

    REQUIRE(lab.radius_servers.size() == 1);
    CHECK(lab.radius_servers[0] ==
          radius_server{ip_address::v4(0xC000020A), 1812, "...", std::chrono::seconds(3), 3, {}});
    CHECK(lab.authentication_order ==
          std::vector{authentication_method::radius, authentication_method::password});
    CHECK(lab.flow_tap_dtcp == ssh_limits{5, 5});

    REQUIRE(lab.flow_tap.has_value());
    CHECK(lab.flow_tap->mode == flow_tap_mode::flow_tap);
    CHECK(lab.flow_tap->service_interface == "sp-1/2/0.100");
    CHECK(lab.flow_tap->families == (family_set(family::inet) | family::inet6));
    CHECK(lab.flow_tap->filter_limit == 100);
    CHECK(lab.flow_tap->fragments == copied_fragments::first);
    CHECK_FALSE(lab.flow_tap->kernel_filter);
    CHECK(lab.flow_tap->control_sources.empty());
}

TEST_CASE("the statements of our own load and every value arrives") {
    const configuration lab = ok(own_block);

    REQUIRE(lab.interfaces.size() == 1);
    CHECK(lab.interfaces[0].name == "ge-0/0/0");
    CHECK(lab.interfaces[0].capture_device == "eth0");
    REQUIRE(lab.interfaces[0].units.size() == 2);
    CHECK(lab.interfaces[0].units[1] ==
          logical_interface{"ge-0/0/0.100", 100, std::uint16_t{100}, family::inet, {}});
    CHECK(lab.find_unit("ge-0/0/0") == &lab.interfaces[0].units[0]);
    CHECK(lab.find_unit("ge-0/0/0.100") == &lab.interfaces[0].units[1]);
    CHECK(lab.find_unit("ge-0/0/0.1") == nullptr);

    REQUIRE(lab.find_instance("cust-a") != nullptr);
    CHECK(lab.find_instance("cust-a")->interfaces == std::vector<std::string>{"ge-0/0/0.100"});
    CHECK(lab.find_instance("cust-a")->instance_type == "vrf");
    CHECK(lab.forwarding_classes.at("gold") == 34);
    CHECK(lab.forwarding_classes.at("best-effort") == 0);
    CHECK(lab.forwarding_classes.at("assured-forwarding") == 10);
    CHECK(lab.forwarding_classes.at("expedited-forwarding") == 46);
    CHECK(lab.forwarding_classes.at("network-control") == 48);

    REQUIRE(lab.flow_tap.has_value());
    CHECK(lab.flow_tap->filter_limit == 100000);
    CHECK(lab.flow_tap->fragments == copied_fragments::all);
    CHECK(lab.flow_tap->kernel_filter);
    CHECK(lab.flow_tap->families == family_set(family::inet));
    CHECK(lab.flow_tap->udp_listen == std::vector<endpoint>{{ip_address::v4(0x7F000001), 32002}});
    REQUIRE(lab.flow_tap->control_sources.size() == 1);
    const control_source& source = lab.flow_tap->control_sources[0];
    CHECK(source.name == "lea1");
    CHECK(source.dtcp_key == "...");
    CHECK(source.port_lists == port_list_mode::pairs);
    CHECK(source.sequence_check == true);
    CHECK(source.filter_limit == 40);
    CHECK(source.notify);
    CHECK(source.udp);
    CHECK(source.notification_targets == std::vector{endpoint{ip_address::v4(0xC0000207), 2100}});
    CHECK(source.notification_version == protocol_version{0, 7});
    CHECK(source.allowed_destinations == std::vector{ip_prefix{ip_address::v4(0xC0000200), 24}});
    CHECK(source.allowed_source_addresses ==
          std::vector{ip_prefix{ip_address::v4(0xC6336409), 32}});
}

TEST_CASE("how logins may be tried loads and every value arrives") {
    const configuration lab = ok(R"(
system {
    login {
        retry-options {
            tries-before-disconnect 4; backoff-threshold 1; backoff-factor 7;
            maximum-time 60; minimum-time 20; lockout-period 5;
        }
        class ops { permissions [ flow-tap ]; idle-timeout 15; }
        user ann { class ops; }
    }
    services { flow-tap-dtcp { ssh { source-connection-limit 4; source-failure-limit 9; } } }
}
services { flow-tap { remote-login-lifetime 43200; } }
)");
    CHECK(lab.retries == login_retries{4, 1, std::chrono::seconds(7), std::chrono::seconds(60)});
    CHECK(lab.logins.class_of("ann")->idle_timeout == std::chrono::minutes(15));
    CHECK(lab.flow_tap_dtcp == ssh_limits{75, 150, 4, 9});
    CHECK(lab.flow_tap->remote_login_lifetime == std::chrono::hours(24 * 30));

    const configuration usual = ok(junos_block);
    CHECK(usual.retries == login_retries{3, 2, std::chrono::seconds(5), std::chrono::seconds(120)});
    CHECK(usual.logins.class_of("ft-user1")->idle_timeout == std::chrono::minutes(0));
    CHECK_FALSE(usual.flow_tap->remote_login_lifetime.has_value());
}

TEST_CASE("UDP has several addresses, ports and filters") {
    const configuration lab =
        ok(replaced(replaced(own_block, "listen 127.0.0.1 port 32002;",
                             "listen 127.0.0.1 port 32002; listen ::1 port [ 32002 32003 ];"),
                    "udp;", "udp; source-addresses [ 192.0.2.7 2001:db8::/32 ];"));
    const ip_address loopback_v6(family::inet6, {0, 1});
    CHECK(lab.flow_tap->udp_listen == std::vector<endpoint>{{ip_address::v4(0x7F000001), 32002},
                                                            {loopback_v6, 32002},
                                                            {loopback_v6, 32003}});
    CHECK(lab.flow_tap->control_sources.at(0).source_addresses ==
          std::vector{ip_prefix{ip_address::v4(0xC0000207), 32},
                      ip_prefix{ip_address(family::inet6, {0x20010DB8'00000000, 0}), 32}});
}

TEST_CASE("dynamic flow capture loads and every value arrives") {
    const configuration lab = ok(R"(
interfaces { ge-0/0/0 { unit 0 { family inet; } } }
services { dynamic-flow-capture {
    g-max-duplicates 5;
    g-duplicates-dropped-periodicity 60;
    capture-group south {
        interfaces ge-0/0/0;
        input-packet-rate-threshold 100000;
        max-duplicates 2;
        duplicates-dropped-periodicity 10;
        pic-memory-threshold percentage 80;
        control-source lea2 { shared-key two; service-port 2402; allowed-destinations cd2; }
        control-source lea1 {
            source-addresses [ 192.0.2.7 192.0.2.8 ];
            service-port 2401;
            notification-targets { 192.0.2.7 port 2100; 192.0.2.8 port 2101; }
            shared-key "$9$LbHX-wg4Z";
            allowed-destinations [ cd2 cd1 ];
            minimum-priority 3;
            no-syslog;
        }
        content-destination cd2 { address 203.0.113.2; }
        content-destination cd1 {
            address 203.0.113.1;
            ttl 9;
            soft-limit 2m; soft-limit-clear 1500k;
            hard-limit 1g; hard-limit-target 900m;
        }
    }
    capture-group north;
} }
)");
    REQUIRE(lab.dynamic_flow_capture.has_value());
    CHECK_FALSE(lab.flow_tap.has_value());
    REQUIRE(lab.dynamic_flow_capture->groups.size() == 2);
    CHECK(lab.dynamic_flow_capture->groups[0] ==
          capture_group{"north", {}, {}, 5, std::chrono::seconds(60), {}, {}, {}});

    const capture_group& south = lab.dynamic_flow_capture->groups[1];
    CHECK(south.name == "south");
    CHECK(south.interfaces == std::vector<std::string>{"ge-0/0/0.0"});
    CHECK(south.input_packet_rate_threshold == 100'000);
    CHECK(south.max_duplicates == 2);
    CHECK(south.duplicates_dropped_periodicity == std::chrono::seconds(10));
    CHECK(south.memory_threshold == 80);
    REQUIRE(south.content_destinations.size() == 2);
    CHECK(south.content_destinations[0] ==
          content_destination{"cd1", ip_address::v4(0xCB007101), 9,
                              bandwidth_limit{2'000'000, 1'500'000},
                              bandwidth_limit{1'000'000'000, 900'000'000}});
    CHECK(south.content_destinations[1] ==
          content_destination{"cd2", ip_address::v4(0xCB007102), 255, {}, {}});
    REQUIRE(south.control_sources.size() == 2);
    const ip_address first = ip_address::v4(0xC0000207);
    const ip_address second = ip_address::v4(0xC0000208);
    CHECK(south.control_sources[0] == capture_control_source{"lea1",
                                                             {first, second},
                                                             2401,
                                                             {{first, 2100}, {second, 2101}},
                                                             *reveal_secret("$9$LbHX-wg4Z"),
                                                             {"cd2", "cd1"},
                                                             3,
                                                             true});
    CHECK(south.control_sources[1] ==
          capture_control_source{"lea2", {}, 2402, {}, "two", {"cd2"}, 0, false});
}

TEST_CASE("a capture group has the usual values where nothing is said") {
    const configuration lab = ok("services dynamic-flow-capture capture-group g;");
    REQUIRE(lab.dynamic_flow_capture.has_value());
    CHECK(lab.dynamic_flow_capture->groups ==
          std::vector{capture_group{"g", {}, {}, 3, std::chrono::seconds(30), {}, {}, {}}});
}

TEST_CASE("the other alternatives of the block load, too") {
    const std::string text = replaced(replaced(own_block, "pairs", "product"), "sequence-check on",
                                      "sequence-check off");
    const control_source source = ok(text).flow_tap->control_sources.at(0);
    CHECK(source.port_lists == port_list_mode::product);
    CHECK(source.sequence_check == false);
}

TEST_CASE("FlowTapLite's block loads with its limit") {
    const configuration lab = ok("interfaces { vt-0/0/0 { unit 0 { family inet; family inet6; } } }"
                                 "services { flow-tap { tunnel-interface vt-0/0/0.0; } }");
    CHECK(lab.flow_tap->mode == flow_tap_mode::flow_tap_lite);
    CHECK(lab.flow_tap->filter_limit == 3000);
    CHECK(lab.flow_tap->service_interface == "vt-0/0/0.0");
    CHECK(lab.flow_tap->families == family_set(family::inet));
}

TEST_CASE("the configuration blocks of the shared document load as they stand there") {
    const char* shared = std::getenv("FLOWTAP_SHARED_DATA");
    std::ifstream file(std::string(shared != nullptr ? shared : "") + "/juniper.md");
    if (shared == nullptr || !file) {
        MESSAGE("SKIPPED: FLOWTAP_SHARED_DATA is not there");
        std::cout << "SKIPPED: FLOWTAP_SHARED_DATA is not there\n";
        return;
    }
    std::stringstream text;
    text << file.rdbuf();
    std::vector<std::string> blocks;
    std::string rest = text.str();
    for (std::size_t start = rest.find("```\n"); start != std::string::npos;
         start = rest.find("```\n")) {
        const std::size_t end = rest.find("\n```", start + 4);
        blocks.push_back(rest.substr(start + 4, end - start - 3));
        rest.erase(0, end + 4);
    }
    REQUIRE(blocks.size() >= 2);
    ok(blocks[0]);
    CHECK(ok(blocks[0]) == ok(junos_block));
    // `(a | b)` is how the document writes a choice.
    const std::string own =
        replaced(replaced(blocks[1], "(pairs | product)", "pairs"), "(on | off)", "on");
    ok(own);
    // Statements that came after the document.
    CHECK(ok(replaced(own, "filter-limit 100000;",
                      "filter-limit 100000; fragments all; kernel-filter;")) == ok(own_block));
}

TEST_CASE("braces, one line and the usual form say the same") {
    const configuration nested = ok(own_block);
    CHECK(ok(to_text(load(own_block, "").statements)) == nested);
    std::string commands = to_set_commands(load(own_block, "").statements);
    std::string one_liners;
    std::istringstream lines(commands);
    for (std::string line; std::getline(lines, line);)
        one_liners += line.substr(4) + ";\n";
    CHECK(ok(one_liners) == nested);
}

TEST_CASE("a control source is its login's own, else the default") {
    const configuration lab = ok("services { flow-tap {"
                                 "control-source default { port-lists product; }"
                                 "control-source lea2 { dtcp-key \"$9$LbHX-wg4Z\"; }"
                                 "control-source lea1 { notify; } } }");
    const flow_tap_settings& flow_tap = *lab.flow_tap;
    CHECK(flow_tap.control_sources.size() == 2);
    CHECK(flow_tap.control_sources[0].name == "lea1");
    CHECK(flow_tap.settings_of("lea1").notify);
    CHECK_FALSE(flow_tap.settings_of("lea1").port_lists.has_value());
    CHECK(flow_tap.settings_of("lea2").dtcp_key == "lc");
    CHECK(flow_tap.settings_of("anybody").port_lists == port_list_mode::product);
    CHECK(flow_tap.settings_of("anybody").name == "anybody");
}

TEST_CASE("an empty configuration has the defaults") {
    const loaded done = load("", "empty.conf");
    CHECK(done.ok());
    CHECK(done.found.empty());
    CHECK(done.settings == configuration());
    CHECK_FALSE(done.settings.flow_tap.has_value());
    CHECK_FALSE(done.settings.flow_tap_dtcp.has_value());
    CHECK(ok("system { services { flow-tap-dtcp { ssh; } } }").flow_tap_dtcp ==
          ssh_limits{75, 150});
    CHECK(done.settings.authentication_order == std::vector{authentication_method::password});
}

TEST_CASE("inactive statements have no effect") {
    const configuration lab = ok("services { inactive: flow-tap { nonsense; } }\n"
                                 "inactive: system { login { user x; } }");
    CHECK(lab == configuration());
}

TEST_CASE("a hierarchy may be spread over the text") {
    const configuration lab = ok("interfaces { ge-0/0/0 { unit 0 { family inet; } } }\n"
                                 "interfaces ge-0/0/0 unit 0 family inet6;\n"
                                 "interfaces { ge-0/0/0 { capture-device eth1; } }");
    REQUIRE(lab.interfaces.size() == 1);
    CHECK(lab.interfaces[0].capture_device == "eth1");
    REQUIRE(lab.interfaces[0].units.size() == 1);
    CHECK(lab.interfaces[0].units[0].families == (family_set(family::inet) | family::inet6));
}

TEST_CASE("a public key and addresses are taken from their statements") {
    const configuration lab = ok(
        "system { login { user md1 { class read-only; authentication { ssh-ed25519 "
        "\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKms3ceru/mE6XMypMHSwj5JXrJoLwF1iJk6Ad3N0nks md1\";"
        "} } } }\n"
        "interfaces { ge-0/0/0 { unit 0 { family inet { address 192.0.2.1/24; } } } }");
    REQUIRE(lab.logins.find_user("md1") != nullptr);
    REQUIRE(lab.logins.find_user("md1")->keys.size() == 1);
    CHECK(lab.logins.find_user("md1")->keys[0].comment == "md1");
    CHECK(lab.interfaces[0].units[0].addresses ==
          std::vector{ip_prefix{ip_address::v4(0xC0000201), 24}});
}

TEST_CASE("a configuration cut at any octet is refused or loads, never crashes") {
    for (const std::string_view text : {std::string_view(junos_block), std::string_view(own_block)})
        for (std::size_t length = 0; length < text.size(); ++length) {
            const loaded done = load(text.substr(0, length), "cut");
            for (const diagnostic& problem : done.found)
                CHECK_FALSE(problem.message.empty());
        }
}

TEST_CASE("a file that cannot be read is one error, with the reason") {
    const std::pair<const char*, const char*> table[] = {
        {"/nonexistent/lab.conf", "/nonexistent/lab.conf: error: the file cannot be read: "
                                  "No such file or directory"},
        {"/", "/: error: the file cannot be read: Is a directory"},
        {"/dev/zero", "/dev/zero:1:1: error: the configuration is too long"},
    };
    for (const auto& [path, message] : table) {
        const loaded done = load_file(path);
        CHECK_FALSE(done.ok());
        REQUIRE(done.found.size() == 1);
        CHECK(to_string(done.found[0]) == message);
    }
}

TEST_CASE("an empty file is an empty configuration") {
    const loaded done = load_file("/dev/null");
    CHECK(done.ok());
    CHECK_FALSE(done.settings.flow_tap);
}
