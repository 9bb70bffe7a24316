// SPDX-License-Identifier: Apache-2.0
#include <ostream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/config/changes.hpp>
#include <flowtap/config/load.hpp>

using namespace flowtap::config;

namespace {

const std::string before = R"(
system {
    login {
        class taps { permissions flow-tap-operation; }
        class sees { permissions flow-tap; }
        user md1 { class taps; authentication { encrypted-password "!one"; } }
        user md2 { class taps; }
        user eve { class sees; }
    }
    services { flow-tap-dtcp { ssh { rate-limit 100; } } }
    radius-server { 192.0.2.1 { secret x; } }
}
interfaces {
    sp-0/0/0 { unit 0 { family inet; family inet6; } unit 1 { family inet; } }
    ge-0/0/0 { capture-device eth0; unit 0 { family inet; } unit 5 { vlan-id 5; } }
}
routing-instances { a { interface ge-0/0/0.5; } }
class-of-service { dscp gold 34; }
services { flow-tap {
    interface sp-0/0/0.0;
    family inet;
    udp { listen 127.0.0.1 port 32002; }
    control-source md1 { filter-limit 5; }
    control-source lea { udp; dtcp-key k; }
} }
)";

changes after(const std::string& what, const std::string& with) {
    std::string text = before;
    const std::size_t at = text.find(what);
    REQUIRE_MESSAGE(at != std::string::npos, what);
    text.replace(at, what.size(), with);
    const loaded next = load(text, "next");
    for (const auto& problem : next.found)
        CHECK_MESSAGE(problem.level == severity::warning, to_string(problem));
    return apply(load(before, "old").settings, next.settings);
}

using names = std::vector<std::string>;

/// What `set` makes of no change at all.
template <class Set>
changes only(Set set) {
    changes expected;
    set(expected);
    return expected;
}

} // namespace

TEST_CASE("nothing changes when nothing does") {
    CHECK(after("gold 34", "gold  34").empty());
    CHECK(after("user md2 { class taps; }", "user md2 { class taps; full-name M; uid 200; }")
              .empty());
}

TEST_CASE("a user who goes loses sessions and criteria, and nobody else does") {
    CHECK(after("user md2 { class taps; }", "") == only([](changes& c) {
              c.logins_changed = {"md2"};
              c.tapping_ended = {"md2"};
          }));
    CHECK(after("user eve { class sees; }", "") ==
          only([](changes& c) { c.logins_changed = {"eve"}; }));
    CHECK(after("user eve", "user new { class taps; } user eve").empty());
}

TEST_CASE("a permission that goes ends tapping") {
    CHECK(after("permissions flow-tap-operation", "permissions view") == only([](changes& c) {
              c.logins_changed = {"md1", "md2"};
              c.tapping_ended = {"md1", "md2"};
          }));
    CHECK(after("user md2 { class taps; }", "user md2 { class sees; }") == only([](changes& c) {
              c.logins_changed = {"md2"};
              c.tapping_ended = {"md2"};
          }));
    CHECK(after("permissions flow-tap-operation", "permissions [ flow-tap-operation view ]") ==
          only([](changes& c) {
              c.logins_changed = {"md1", "md2"};
          }));
}

TEST_CASE("new credentials close sessions and leave criteria") {
    CHECK(after("!one", "!two") == only([](changes& c) { c.logins_changed = {"md1"}; }));
}

TEST_CASE("the service's interface, family or mode restarts it") {
    const changes restarted = only([](changes& c) { c.service_restarted = true; });
    CHECK(after("interface sp-0/0/0.0", "interface sp-0/0/0.1") == restarted);
    CHECK(after("family inet;\n    udp", "family inet6;\n    udp") == restarted);
    CHECK(after("interface sp-0/0/0.0;", "interface sp-0/0/0;").empty());
    const changes lite = after("interface sp-0/0/0.0", "tunnel-interface sp-0/0/0.0");
    CHECK(lite.service_restarted);
    CHECK(lite.filter_limit_changed);
}

TEST_CASE("a service that goes or comes says so") {
    const configuration full = load(before, "old").settings;
    configuration none = full;
    none.flow_tap.reset();
    CHECK(apply(full, none) == only([](changes& c) { c.service_restarted = true; }));
    CHECK(apply(none, full) == only([](changes& c) { c.service_started = true; }));
}

TEST_CASE("limits, control sources and UDP change without touching criteria") {
    CHECK(after("udp { listen", "filter-limit 50; udp { listen") ==
          only([](changes& c) { c.filter_limit_changed = true; }));
    CHECK(after("udp { listen", "fragments all; udp { listen") ==
          only([](changes& c) { c.fragments_changed = true; }));
    CHECK(after("udp { listen", "kernel-filter; udp { listen") ==
          only([](changes& c) { c.kernel_filter_changed = true; }));
    CHECK(after("udp { listen", "remote-login-lifetime 60; udp { listen") ==
          only([](changes& c) { c.remote_login_lifetime_changed = true; }));
    CHECK(after("login {", "login { retry-options { backoff-factor 6; }") ==
          only([](changes& c) { c.ssh_limits_changed = true; }));
    CHECK(after("rate-limit 100", "rate-limit 99") ==
          only([](changes& c) { c.ssh_limits_changed = true; }));
    CHECK(after("32002", "32003") == only([](changes& c) { c.udp_listen_changed = true; }));
    CHECK(after("filter-limit 5", "filter-limit 6") ==
          only([](changes& c) { c.control_sources_changed = {"md1"}; }));
    CHECK(after("control-source lea { udp; dtcp-key k; }", "") == only([](changes& c) {
              c.control_sources_changed = {"lea"};
              c.udp_ended = {"lea"};
          }));
    CHECK(after("control-source md1", "control-source default { notify; } control-source md1") ==
          only([](changes& c) { c.control_sources_changed = {"default"}; }));
    CHECK(after("secret x", "secret y") ==
          only([](changes& c) { c.authentication_changed = true; }));
    CHECK(after("gold 34", "gold 35") ==
          only([](changes& c) { c.forwarding_classes_changed = true; }));
}

TEST_CASE("dynamic flow capture: sources, groups, ports, and the other service") {
    const std::string capture = R"(services dynamic-flow-capture {
        capture-group g {
            control-source a { shared-key k; service-port 1; allowed-destinations d; }
            control-source b { shared-key k; service-port 1; allowed-destinations d; }
            content-destination d address 192.0.2.1;
        }
        capture-group h {
            content-destination d address 192.0.2.2;
        }
    })";
    const auto changed = [&](const std::string& what, const std::string& with) {
        std::string text = capture;
        const std::size_t at = text.find(what);
        REQUIRE_MESSAGE(at != std::string::npos, what);
        text.replace(at, what.size(), with);
        const loaded next = load(text, "next");
        for (const auto& problem : next.found)
            CHECK_MESSAGE(problem.level == severity::warning, to_string(problem));
        return apply(load(capture, "old").settings, next.settings);
    };
    CHECK(changed("192.0.2.1", "192.0.2.1").empty());
    CHECK(changed("shared-key k", "shared-key l") ==
          only([](changes& c) { c.control_sources_changed = {"a"}; }));
    CHECK(changed("service-port 1", "service-port 2") == only([](changes& c) {
              c.control_sources_changed = {"a"};
              c.udp_listen_changed = true;
          }));
    const std::string second = "control-source b { shared-key k; service-port 1; "
                               "allowed-destinations d; }";
    CHECK(changed(second, "") == only([](changes& c) {
              c.control_sources_changed = {"b"};
              c.udp_ended = {"b"};
          }));
    CHECK(changed(second, "content-destination d address 192.0.2.1; } capture-group i { " +
                              second) == only([](changes& c) {
              c.control_sources_changed = {"b"};
              c.udp_ended = {"b"};
              c.capture_groups_changed = {"i"};
          }));
    CHECK(changed("192.0.2.2", "192.0.2.3") ==
          only([](changes& c) { c.capture_groups_changed = {"h"}; }));
    CHECK(changed("capture-group h {", "g-max-duplicates 7; capture-group h {") ==
          only([](changes& c) {
              c.capture_groups_changed = {"g", "h"};
          }));

    const configuration capturing = load(capture, "old").settings;
    const configuration tapping = load("services flow-tap;", "old").settings;
    CHECK(apply(tapping, capturing) == only([](changes& c) { c.service_restarted = true; }));
    CHECK(apply(capturing, tapping) == only([](changes& c) { c.service_restarted = true; }));
    CHECK(apply(capturing, configuration{}) ==
          only([](changes& c) { c.service_restarted = true; }));
    CHECK(apply(configuration{}, capturing) == only([](changes& c) { c.service_started = true; }));
}

TEST_CASE("interfaces and routing instances that go are named") {
    CHECK(after("unit 5 { vlan-id 5; }", "") == only([](changes& c) {
              c.interfaces_removed = {"ge-0/0/0.5"};
              c.interfaces_changed = true;
          }));
    CHECK(after("routing-instances { a { interface ge-0/0/0.5; } }", "") == only([](changes& c) {
              c.instances_removed = {"a"};
              c.instances_changed = true;
          }));
    CHECK(after("eth0", "eth1") == only([](changes& c) { c.interfaces_changed = true; }));
}
