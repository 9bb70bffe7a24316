// SPDX-License-Identifier: Apache-2.0
//
// Who may do what: each permission and combination against each operation, as sessions answer. The
// table of lib/cli/README.md is this one.
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/permission/decide.hpp>

#include "rig.hpp"

using namespace flowtap;
using namespace flowtap::cli;
using permission::operation;
using permission::target;

namespace {

bool decides(std::string_view permissions, operation what, target where) {
    return allowed(permission::permission_set::parse(permissions), what, where);
}

/// Whether a person's session shows something.
bool shows(std::string_view permissions, std::string_view command) {
    if (!cli::session::admits(person(permissions)))
        return false;
    const reply done = rig(permissions).session.run(command);
    return done.ok() && !done.output.empty();
}

/// Whether a person's session can make a change and put it in force.
bool changes(std::string_view permissions, std::string_view command) {
    if (!cli::session::admits(person(permissions)))
        return false;
    rig one(permissions);
    return one.session.run("configure").ok() && one.session.run(command).ok() &&
           one.session.run("commit").ok() && one.around.committers.size() == 1;
}

/// One column of the table.
struct column {
    std::string_view title;
    bool (*is_allowed)(std::string_view permissions);
};

const std::vector<column> columns = {
    {"view",
     [](std::string_view who) { return shows(who, "show configuration services flow-tap"); }},
    {"see secrets",
     [](std::string_view who) {
         return shows(who, "show configuration services flow-tap | match topsecret");
     }},
    {"change",
     [](std::string_view who) { return changes(who, "set services flow-tap filter-limit 70"); }},
    {"status", [](std::string_view who) { return shows(who, "show flow-tap status"); }},
    {"tap",
     [](std::string_view who) {
         return decides(who, operation::use, target::flow_tap_service) &&
                decides(who, operation::change, target::own_criteria);
     }},
    {"list own",
     [](std::string_view who) { return decides(who, operation::view, target::own_criteria); }},
    {"list others'",
     [](std::string_view who) {
         return decides(who, operation::view, target::criteria_of_others);
     }},
    {"view logins",
     [](std::string_view who) { return shows(who, "show configuration system login user bob"); }},
    {"change a login",
     [](std::string_view who) { return changes(who, "set system login user bob full-name Bob"); }},
    {"give the permission to tap",
     [](std::string_view who) { return changes(who, "set system login user bob class ft-class"); }},
    {"take it away",
     [](std::string_view who) { return changes(who, "set system login user md1 class desk"); }},
    {"set a tapping user's password",
     [](std::string_view who) {
         return changes(who, "set system login user md1 authentication encrypted-password *x");
     }},
    {"change RADIUS",
     [](std::string_view who) {
         return changes(who, "set system radius-server 192.0.2.10 retry 2");
     }},
};

const std::vector<std::string_view> rows = {
    "",
    "flow-tap",
    "flow-tap-control",
    "flow-tap-operation",
    "flow-tap flow-tap-operation",
    "flow-tap-control flow-tap-operation",
    "flow-tap flow-tap-control",
    "flow-tap flow-tap-control flow-tap-operation",
    "view-configuration",
    "view-configuration flow-tap",
    "configure",
    "configure flow-tap",
    "admin",
    "admin-control",
    "admin-control flow-tap",
    "admin-control flow-tap-operation",
    "admin-control flow-tap-control",
    "system-control",
    "system-control flow-tap-control",
    "control",
    "control flow-tap-control",
    "all",
    "all flow-tap-operation",
};

std::string table() {
    std::ostringstream text;
    text << "| permissions |";
    for (const column& each : columns)
        text << ' ' << each.title << " |";
    text << "\n|---|";
    for (std::size_t count = 0; count < columns.size(); ++count)
        text << "---|";
    for (const std::string_view row : rows) {
        text << "\n| `[" << row << "]` |";
        for (const column& each : columns)
            text << (each.is_allowed(row) ? " yes |" : " |");
    }
    return text.str() + '\n';
}

} // namespace

TEST_CASE("the table in the documentation is what sessions do") {
    const std::string made = table();
    CAPTURE(made);
    const char* const root = std::getenv("FLOWTAP_SOURCE_ROOT");
    if (root == nullptr) {
        MESSAGE("SKIPPED: FLOWTAP_SOURCE_ROOT is not set");
        return;
    }
    std::ifstream file(std::string(root) + "/lib/cli/README.md");
    std::ostringstream text;
    text << file.rdbuf();
    CHECK(text.str().find(made) != std::string::npos);
}

TEST_CASE("the cells that matter most, one by one") {
    CHECK(shows("flow-tap", "show configuration services flow-tap"));
    CHECK_FALSE(changes("flow-tap", "set services flow-tap filter-limit 70"));
    CHECK(changes("flow-tap-control", "set services flow-tap filter-limit 70"));
    CHECK_FALSE(changes("admin-control configure", "set system login user bob class ft-class"));
    CHECK_FALSE(changes("admin-control configure",
                        "set system login class desk permissions flow-tap-operation"));
    CHECK_FALSE(changes("admin-control configure", "delete system login user md1"));
    CHECK(changes("admin-control flow-tap-control", "delete system login user md1"));
    CHECK(changes("admin-control", "set system login user bob full-name Bob"));
    CHECK_FALSE(cli::session::admits(person("flow-tap-operation")));
}

TEST_CASE("what somebody may not see is as if it did not exist") {
    rig one("view-configuration interface-control system-control firewall-control");
    for (const std::string_view hidden :
         {"services flow-tap", "system services flow-tap-dtcp", "services radius-flow-tap"}) {
        CAPTURE(hidden);
        // The same words as for what there is not.
        const std::string unknown(hidden.substr(hidden.rfind(' ') + 1));
        CHECK(one.run("show configuration " + std::string(hidden)) ==
              "syntax error: \"" + unknown + "\" is not known here\n");
    }
    CHECK(one.run("show flow-tap status") == "syntax error: \"flow-tap\" is not known here\n");
    CHECK(one.run("show configuration | match tap").find("flow-tap {") == std::string::npos);
    CHECK(one.offered("show configuration services ") == "<[Enter]> ipsec-vpn |");
    CHECK(one.run("show configuration services") == "");

    one.run("configure");
    CHECK(one.run("set services flow-tap filter-limit 70") ==
          "syntax error: \"flow-tap\" is not known here\n");
    CHECK(one.run("delete services") == "error: statement not found\n");
    // An empty hierarchy would tell whether there is something in it.
    CHECK(one.run("set services") == "syntax error: the statement is not complete\n");
    CHECK(one.run("compare") == "");
}

TEST_CASE("hidden parts survive every edit and rollback") {
    rig one("all");
    one.run_all("configure; set services flow-tap filter-limit 70; set system host-name x; commit");

    cli::session other(person("system-control interface-control", "ben"), one.around,
                       session::style::batch);
    other.run("configure");
    CHECK(other.run("rollback 1").output == "load complete\n");
    CHECK(other.run("compare").output == "[edit system]\n-   host-name x;\n+   host-name iap;\n");
    CHECK(other.run("commit").output == "commit complete\n");
    CHECK(one.around.in_force().find("filter-limit 70\n") != std::string::npos);
    CHECK(one.around.in_force().find("host-name iap\n") != std::string::npos);

    CHECK(other.run("delete system host-name").ok());
    CHECK(other.run("delete system").error ==
          "error: permission denied: system authentication-order");
    CHECK(other.run("delete interfaces ge-0/0/0").ok());
    CHECK(one.around.in_force().find("dtcp-key topsecret") != std::string::npos);
}

TEST_CASE("somebody else's hidden commit is neither undone nor a conflict") {
    rig one("all");
    cli::session other(person("system-control", "ben"), one.around, session::style::batch);
    other.run("configure");
    other.run("set system host-name y");
    one.run_all("configure; set services flow-tap filter-limit 70; commit");
    CHECK(other.run("commit").output == "commit complete\n");
    CHECK(one.around.in_force().find("filter-limit 70\n") != std::string::npos);
    CHECK(one.around.in_force().find("host-name y\n") != std::string::npos);
}

TEST_CASE("a check tells of hidden causes no more than that it failed") {
    // The unit that the hidden service uses is visible; that it is needed is not.
    rig one("interface-control");
    one.run_all("configure; delete interfaces vt-0/0/0");
    CHECK(one.run("commit") == "error: configuration check-out failed\n");
    rig two("interface-control flow-tap-control");
    two.run_all("configure; delete interfaces vt-0/0/0");
    CHECK(two.run("commit").find("[edit services flow-tap]") != std::string::npos);

    // What the person can see is told.
    rig three("interface-control");
    three.run_all("configure; set interfaces ge-0/0/0 unit 1 vlan-id 5; set interfaces ge-0/0/0 "
                  "unit 2 vlan-id 5");
    CHECK(three.run("commit").find("[edit interfaces ge-0/0/0 unit 2]") != std::string::npos);

    // What the program says of a commit is about the service.
    rig four("system-control");
    four.around.notes = {"all filters are deleted"};
    CHECK(four.run_all("configure; set system host-name z; commit") == "commit complete\n");
    four.around.is_full = true;
    CHECK(four.run_all("set system host-name q; commit") == "error: commit failed\n");
}

TEST_CASE("secrets are shown to those who may change them, and marked") {
    const auto secrets = [](std::string_view permissions) {
        rig one(permissions);
        return one.run("show configuration | display set | match SECRET-DATA");
    };
    CHECK(secrets("flow-tap") ==
          "set services flow-tap control-source md1 dtcp-key /* SECRET-DATA */ ## SECRET-DATA\n");
    CHECK(secrets("flow-tap-control") ==
          "set services flow-tap control-source md1 dtcp-key topsecret ## SECRET-DATA\n");
    CHECK(secrets("admin").find("*bob") == std::string::npos);
    CHECK(secrets("admin-control").find("*bob") != std::string::npos);
    CHECK(secrets("admin-control").find("*tap") == std::string::npos);
    CHECK(secrets("admin-control flow-tap-control").find("*tap") != std::string::npos);
    // Neither a match nor a comparison finds out more.
    rig one("flow-tap");
    CHECK(one.run("show configuration | match topsecret") == "");
}

TEST_CASE("no two steps lead where one may not go") {
    // A class is emptied, a user moved into it, the class filled: each step is refused or harmless.
    rig one("admin-control");
    one.run_all("configure; set system login class new permissions view; "
                "set system login user eve class new");
    CHECK(one.run("set system login class new permissions flow-tap")
              .starts_with("error: permission denied: system login class new"));
    CHECK(one.run("set system login user eve class super-user")
              .starts_with("error: permission denied: system login user eve class"));

    // A class that another commit has filled meanwhile.
    rig two("all");
    cli::session other(person("admin-control", "ben"), two.around, session::style::batch);
    other.run("configure");
    CHECK(other.run("set system login user eve class desk").ok());
    two.run_all("configure; set system login class desk permissions flow-tap; commit");
    CHECK(other.run("commit").error.starts_with("error: permission denied: system login user eve"));
}
