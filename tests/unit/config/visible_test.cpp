// SPDX-License-Identifier: Apache-2.0
#include <ostream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/config/load.hpp>
#include <flowtap/config/visible.hpp>

using namespace flowtap;
using namespace flowtap::config;
using permission::permission_set;
using permission::target;

namespace {

const char* const lab = R"(
system {
    host-name iap;
    login {
        class taps { permissions flow-tap-operation; }
        user md1 { class taps; authentication { encrypted-password "*tap"; } }
        user bob { class operator; authentication { encrypted-password "*bob"; } }
    }
    radius-server { 192.0.2.1 { secret rad; } }
    services { flow-tap-dtcp { ssh { rate-limit 5; } } }
}
interfaces { ge-0/0/0 { unit 0 { family inet; } } }
services { flow-tap { family inet; control-source md1 { dtcp-key key; } } }
inactive: services radius-flow-tap source-ipv4-address 192.0.2.3;
protocols { bgp; }
)";

std::string seen_with(const char* permissions) {
    const loaded done = load(lab, "lab");
    return to_set_commands(
        visible_to(permission_set::parse(permissions), done.statements, done.settings.logins));
}

std::vector<word> words_of(const std::string& text) {
    return parse_tree(text + ';').statements.statements.at(0).words;
}

} // namespace

TEST_CASE("flow-tap sees the flow-tap hierarchies and nothing else, without secrets") {
    const std::string expected = R"(set system services flow-tap-dtcp ssh rate-limit 5
set services flow-tap family inet
set services flow-tap control-source md1 dtcp-key /* SECRET-DATA */ ## SECRET-DATA
set services radius-flow-tap source-ipv4-address 192.0.2.3
deactivate services radius-flow-tap source-ipv4-address 192.0.2.3
)";
    CHECK(seen_with("flow-tap") == expected);
    CHECK(seen_with("flow-tap-control") ==
          R"(set system services flow-tap-dtcp ssh rate-limit 5
set services flow-tap family inet
set services flow-tap control-source md1 dtcp-key key ## SECRET-DATA
set services radius-flow-tap source-ipv4-address 192.0.2.3
deactivate services radius-flow-tap source-ipv4-address 192.0.2.3
)");
}

TEST_CASE("without a flow-tap permission the hierarchies are not there at all") {
    CHECK(seen_with("") == "");
    CHECK(seen_with("flow-tap-operation") == "");
    CHECK(seen_with("interface") == "set interfaces ge-0/0/0 unit 0 family inet\n");
    for (const char* permissions : {"view-configuration", "admin system interface", "control",
                                    "admin-control system-control configure"}) {
        CAPTURE(permissions);
        const std::string seen = seen_with(permissions);
        CHECK(seen.find("flow-tap family") == std::string::npos);
        CHECK(seen.find("flow-tap-dtcp") == std::string::npos);
        CHECK(seen.find("radius-flow-tap") == std::string::npos);
    }
}

TEST_CASE("secrets are seen by those who may change them") {
    const auto shows = [](const char* permissions, const char* secret) {
        return seen_with(permissions).find(secret) != std::string::npos;
    };
    CHECK(shows("admin-control", "*bob"));
    CHECK_FALSE(shows("admin-control", "*tap"));
    CHECK(shows("admin-control flow-tap-control", "*tap"));
    CHECK_FALSE(shows("admin", "*bob"));
    CHECK_FALSE(shows("view-configuration", "*bob"));
    CHECK_FALSE(shows("system-control", " rad "));
    CHECK(shows("system-control flow-tap-control", " rad "));
    CHECK(shows("all", "*tap"));
    CHECK(shows("all", "dtcp-key key"));
    CHECK(shows("all", "protocols bgp"));
    CHECK_FALSE(shows("admin-control", "protocols"));
    const loaded done = load(lab, "lab");
    CHECK(to_text(visible_to(permission_set::parse("admin"), done.statements,
                             done.settings.logins)) == R"(system {
    login {
        class taps {
            permissions flow-tap-operation;
        }
        user md1 {
            class taps;
            authentication {
                encrypted-password /* SECRET-DATA */; ## SECRET-DATA
            }
        }
        user bob {
            class operator;
            authentication {
                encrypted-password /* SECRET-DATA */; ## SECRET-DATA
            }
        }
    }
}
)");
}

TEST_CASE("words lead to their row and to what they belong to") {
    const auto logins = load(lab, "lab").settings.logins;
    const auto belongs = [&](const char* text) { return target_of(words_of(text), logins); };
    CHECK(belongs("services flow-tap") == target::flow_tap_configuration);
    CHECK(belongs("services flow-tap control-source md1 dtcp-key x") ==
          target::flow_tap_configuration);
    CHECK(belongs("system services flow-tap-dtcp ssh") == target::flow_tap_configuration);
    CHECK(belongs("system services") == target::system_configuration);
    CHECK(belongs("system login user md1") == target::flow_tap_logins);
    CHECK(belongs("system login user md1 authentication encrypted-password x") ==
          target::flow_tap_logins);
    CHECK(belongs("system login user bob") == target::login_configuration);
    CHECK(belongs("system login class taps permissions") == target::flow_tap_logins);
    CHECK(belongs("system login class operator") == target::login_configuration);
    CHECK(belongs("system login user new") == target::login_configuration);
    CHECK(belongs("system radius-server 192.0.2.1 secret x") == target::access_configuration);
    CHECK(belongs("protocols bgp group x") == target::other_configuration);
    CHECK(belongs("zebra") == target::other_configuration);
    CHECK(row_at(words_of("interfaces ge-0/0/0 unit 5 vlan-id 7")) ==
          find_row("interfaces * unit * vlan-id"));
    CHECK(row_at(words_of("interfaces ge-0/0/0 unit 5 zebra 7")) ==
          find_row("interfaces * unit *"));
    CHECK(row_at(words_of("zebra")) == nullptr);
}
