// SPDX-License-Identifier: Apache-2.0
//
// What commands print, and what they do to the configuration.
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "rig.hpp"

using namespace flowtap;
using namespace flowtap::cli;

namespace {

constexpr std::string_view everything = "all";

struct command_case {
    std::string_view lines;
    /// What the last of them prints.
    std::string_view output;
};

void check_all(std::string_view permissions, std::initializer_list<command_case> cases) {
    for (const command_case& each : cases) {
        CAPTURE(each.lines);
        rig one(permissions);
        CHECK(one.run_all(each.lines) == each.output);
    }
}

} // namespace

TEST_CASE("show prints the configuration, a hierarchy, a statement, as text or as commands") {
    check_all(
        everything,
        {
            {"show configuration services flow-tap",
             R"(tunnel-interface vt-0/0/0.0;
family {
    inet;
}
control-source md1 {
    dtcp-key topsecret; ## SECRET-DATA
    filter-limit 40;
}
)"},
            {"show configuration services flow-tap | display set",
             R"(set services flow-tap tunnel-interface vt-0/0/0.0
set services flow-tap family inet
set services flow-tap control-source md1 dtcp-key topsecret ## SECRET-DATA
set services flow-tap control-source md1 filter-limit 40
)"},
            {"show configuration system login user",
             R"(user bob {
    class desk;
    authentication {
        encrypted-password *bob; ## SECRET-DATA
    }
}
user md1 {
    class ft-class;
    authentication {
        encrypted-password *tap; ## SECRET-DATA
    }
}
)"},
            {"show configuration system login user bob class", "class desk;\n"},
            {"sh conf sys lo us bob cl", "class desk;\n"},
            {"show configuration system login user bob class desk | display set",
             "set system login user bob class desk\n"},
            {"show configuration system authentication-order radius",
             "authentication-order [ radius password ];\n"},
            {"show configuration system login user nobody", ""},
            {"show configuration interfaces ge-0/0/0 | no-more", "unit 0 {\n    family {\n        "
                                                                 "inet;\n    }\n}\n"},
            {"show configuration | match host-name", "    host-name iap;\n"},
            {"show configuration system | match a | except auth | match host | count",
             "Count: 1 lines\n"},
            {"show flow-tap status", "criteria: 3\n"},
            {"show flow-tap statistics | match cop", "copied: 2\n"},
        });
}

TEST_CASE("what cannot be understood is told with its place") {
    rig one(everything);
    const auto fails = [&](std::string_view line, std::string_view why, std::size_t at) {
        CAPTURE(line);
        const reply done = one.session.run(line);
        CHECK(done.error == why);
        CHECK(done.fault == at);
    };
    fails("shaw", "syntax error: \"shaw\" is not known here", 0);
    fails("show  foo", "syntax error: \"foo\" is not known here", 6);
    fails("show", "syntax error: the command is not complete", 4);
    fails("show flow-tap s", "\"s\" is ambiguous: statistics status", 14);
    fails("show flow-tap status now", "syntax error: \"now\" is not known here", 21);
    fails("show configuration |", "syntax error: the command is not complete", 20);
    fails("show configuration | display xml", "syntax error: \"xml\" is not known here", 29);
    fails("show configuration | match \"a", "a string does not end", 27);
    fails("show\x01", "a control character stands in the line", 4);
    fails("set system host-name a", "syntax error: \"set\" is not known here", 0);
    one.run("configure");
    fails("set services flow-tap filter-limit 0",
          "invalid value: the number is out of range (1-1000000)", 35);
    fails("set services flow-tap filter-limit", "syntax error: the statement is not complete", 34);
    fails("set services flow-tap f 5", "\"f\" is ambiguous: family filter-limit fragments", 22);
    fails("set services flow-tap kernel-filter 5", "syntax error: \"5\" is not known here", 36);
    fails("set system login class a permissions [ ]", "syntax error: the list is empty", 39);
    fails("set system login class a permissions [ view",
          "syntax error: the statement is not complete", 43);
    fails("rollback 50", "syntax error: a number from 0 to 49 is needed", 9);
    fails("delete", "syntax error: the statement is not complete", 6);
    CHECK(one.run("rollback 7") == "error: there is no configuration 7\n");
    CHECK(one.run(std::string(9000, 'a')) == "error: the line is too long\n");
    CHECK(one.run("   ") == "");
}

TEST_CASE("set, delete and compare change the candidate alone until commit") {
    check_all(
        everything,
        {
            {"configure; set services flow-tap filter-limit 70; compare",
             "[edit services flow-tap]\n+   filter-limit 70;\n"},
            {"configure; set services flow-tap control-source md1 filter-limit 41; show | compare",
             "[edit services flow-tap control-source md1]\n-   filter-limit 40;\n"
             "+   filter-limit 41;\n"},
            {"configure; delete services flow-tap control-source md1; compare",
             R"([edit services flow-tap]
-   control-source md1 {
-       dtcp-key topsecret; ## SECRET-DATA
-       filter-limit 40;
-   }
)"},
            {"configure; set system login class desk permissions reset; compare",
             "[edit system login class desk]\n-   permissions [ view configure ];\n"
             "+   permissions [ view configure reset ];\n"},
            {"configure; set system login class desk permissions [ reset trace ];"
             "delete system login class desk permissions view; show system login class desk",
             "permissions [ configure reset trace ];\n"},
            {"configure; edit services flow-tap; set udp listen 127.0.0.1 port [ 2101 2102 ]; "
             "show udp",
             "listen 127.0.0.1 {\n    port [ 2101 2102 ];\n}\n"},
            {"configure; set services flow-tap fragments al; show services flow-tap fragments",
             "fragments all;\n"},
            {"configure; delete services flow-tap filter-limit", "error: statement not found\n"},
            {"configure; delete routing-instances cust-a instance-type; delete routing-instances "
             "cust-a interface; show routing-instances",
             "cust-a;\n"},
            {"configure; set interfaces ge-0/0/1 unit 5 family inet address 192.0.2.1/24; show "
             "interfaces ge-0/0/1 | display set",
             "set interfaces ge-0/0/1 unit 5 family inet address 192.0.2.1/24\n"},
            {"configure; set class-of-service dscp gold 34; set class-of-service dscp gold 35; "
             "show class-of-service | display set",
             "set class-of-service dscp gold 35\n"},
            {"configure; set snmp community public; delete snmp community; show snmp", ""},
            {"configure; set services flow-tap control-source md1 dtcp-key other; show services "
             "flow-tap control-source md1 dtcp-key",
             "dtcp-key \"$9$QQQQnCuIEyreW36rv\"; ## SECRET-DATA\n"},
            {"configure; set services flow-tap filter-limit 70; run show configuration | match "
             "filter-limit",
             "            filter-limit 40;\n"},
            {"configure; edit system; set host-name lab; exit; show | match host",
             "    host-name lab;\n"},
        });
}

TEST_CASE("a level is where paths begin, and the prompt says so") {
    rig one(everything);
    CHECK(one.session.prompt() == "ann@iap> ");
    one.run("configure");
    CHECK(one.session.prompt() == "\n[edit]\nann@iap# ");
    one.run("edit system login user bob");
    CHECK(one.session.prompt() == "\n[edit system login user bob]\nann@iap# ");
    CHECK(one.run("show class") == "class desk;\n");
    one.run("up");
    CHECK(one.session.prompt() == "\n[edit system login]\nann@iap# ");
    one.run("edit user new");
    one.run("set class desk");
    one.run("top");
    CHECK(one.run("show system login user new") == "class desk;\n");
    one.run("exit");
    CHECK(one.session.prompt() == "ann@iap> ");
    one.run("exit");
    CHECK(one.session.is_over());
}

TEST_CASE("commit puts the candidate in force, and rollback goes back") {
    rig one(everything);
    one.around.notes = {"all filters are deleted"};
    one.run_all("configure; set services flow-tap filter-limit 70");
    CHECK(one.run("commit check") == "configuration check succeeds\n");
    CHECK(one.around.committers.empty());
    CHECK(one.run("commit") == "all filters are deleted\ncommit complete\n");
    CHECK(one.around.committers == std::vector<std::string>{"ann"});
    CHECK(one.around.in_force().find("filter-limit 70\n") != std::string::npos);
    CHECK(one.run("compare") == "");
    CHECK(one.run("compare rollback 1") == "[edit services flow-tap]\n+   filter-limit 70;\n");
    CHECK(one.run("rollback 1") == "load complete\n");
    CHECK(one.run("compare") == "[edit services flow-tap]\n-   filter-limit 70;\n");
    CHECK(one.run("commit and-quit") ==
          "all filters are deleted\ncommit complete\nExiting configuration mode\n");
    CHECK(one.around.in_force() == rig(everything).around.in_force());
    // Nothing has changed: there is nothing to put in force.
    CHECK(one.run_all("configure; commit") == "commit complete\n");
    CHECK(one.around.committers.size() == 2);
}

TEST_CASE("a commit that fails changes nothing and can be repeated") {
    rig one(everything);
    one.run_all("configure; set services flow-tap filter-limit 70");
    one.around.is_full = true;
    CHECK(one.run("commit") == "error: commit failed: No space left on device: \"iap.conf\"\n");
    CHECK(one.session.has_changes());
    one.around.is_full = false;
    CHECK(one.run("commit") == "commit complete\n");
}

TEST_CASE("a candidate that cannot be used is refused with what is wrong") {
    check_all(everything,
              {{"configure; set system login user eve full-name Eve; commit",
                R"([edit system login]
  'user'
    the user "eve" has no class
error: configuration check-out failed
)"},
               {"configure; set services flow-tap interface vt-0/0/0.0; commit check | count",
                "syntax error: \"|\" is not known here\n"}});
    rig one(everything);
    one.run_all("configure; set firewall filter f term t then syslog");
    CHECK(one.run("commit").find("syslog") != std::string::npos);
    CHECK(one.around.committers.empty());
}

TEST_CASE("two people's changes go together unless they are to the same statement") {
    rig one(everything);
    cli::session other(person("all", "ben"), one.around, session::style::batch);
    other.run("configure");
    one.run_all("configure; set services flow-tap filter-limit 70; set system host-name one");
    other.run("set services flow-tap fragments all");
    other.run("set system host-name two");
    CHECK(one.run("commit") == "commit complete\n");
    CHECK(other.run("commit").error ==
          "error: somebody else has changed the same: system host-name\n(rollback 0 begins anew "
          "with what is in force)");
    CHECK(other.run("rollback 0").output == "load complete\n");
    other.run("set services flow-tap fragments all");
    CHECK(other.run("commit").ok());
    CHECK(one.around.in_force().find("filter-limit 70\n") != std::string::npos);
    CHECK(one.around.in_force().find("fragments all\n") != std::string::npos);
    CHECK(one.around.in_force().find("host-name one\n") != std::string::npos);

    // And without a conflict.
    one.run_all("rollback 0; delete services flow-tap filter-limit");
    other.run("delete services flow-tap fragments");
    CHECK(one.run("commit") == "commit complete\n");
    CHECK(other.run("commit").ok());
    CHECK(one.around.in_force().find("services flow-tap filter-limit") == std::string::npos);
    CHECK(one.around.in_force().find("fragments") == std::string::npos);
}

TEST_CASE("leaving with changes asks, and a script is told that they are gone") {
    rig batch(everything);
    CHECK(batch.run_all("configure; set system host-name x; exit") ==
          "warning: uncommitted changes are discarded\nExiting configuration mode\n");

    memory_environment around;
    cli::session asked(person("all"), around, session::style::interactive);
    asked.run("configure");
    asked.run("set system host-name x");
    CHECK(asked.run("exit").output == "The configuration has been changed but not committed\n");
    CHECK(asked.prompt() == "Discard uncommitted changes? [yes,no] (yes) ");
    CHECK(asked.run("maybe").error == "error: please answer yes or no");
    CHECK(asked.run("no").ok());
    CHECK(asked.has_changes());
    asked.run("quit");
    CHECK(asked.run("").output == "Exiting configuration mode\n");
    CHECK_FALSE(asked.has_changes());
}

TEST_CASE("completion and help come from the schema and from what is configured") {
    rig one(everything);
    CHECK(one.offered("") == "configure exit quit show");
    CHECK(one.offered("show ") == "configuration flow-tap");
    CHECK(one.offered("show flow-tap s") == "statistics status");
    CHECK(one.session.complete("sh").rest == "ow ");
    CHECK(one.session.complete("show flow-tap s").rest == "tat");
    CHECK(one.session.complete("show flow-tap statu").rest == "s ");
    CHECK(one.session.complete("foo ").error == "syntax error: \"foo\" is not known here");
    CHECK(one.offered("show configuration | d") == "display");
    CHECK(one.offered("show configuration system login user ") == "<[Enter]> bob md1 |");
    one.run("configure");
    CHECK(one.offered("set services flow-tap f") == "family filter-limit fragments");
    CHECK(one.offered("set services flow-tap filter-limit ") == "<number>");
    CHECK(one.offered("set services flow-tap fragments ") == "all first");
    CHECK(one.offered("set system login user ") == "<name> bob md1");
    CHECK(one.session.complete("set system login user b").rest == "ob ");
    CHECK(one.offered("delete system login class desk permissions ") == "<[Enter]> configure view");
    CHECK(one.offered("edit services flow-tap ") == "<[Enter]> control-source family udp");
    CHECK(one.run("set services flow-tap filter-limit ?") ==
          "Possible completions:\n  <number>  Filters of all control sources together (100, "
          "FlowTapLite 3000) (1..1000000)\n");
}

TEST_CASE("limits hold: output, candidates") {
    memory_environment around;
    session_limits small;
    small.output = 100;
    small.candidate = 800;
    cli::session one(person("all"), around, session::style::batch, small);
    CHECK(one.run("show configuration")
              .output.ends_with("... the output is too long: it ends here\n"));
    CHECK(one.run("show configuration").output.size() <= 100 + 41);
    one.run("configure");
    std::string last;
    for (int number = 0; number < 100 && last.empty(); ++number)
        last = one.run("set system login user u" + std::to_string(number) + " class desk").error;
    CHECK(last == "error: the configuration is too long");

    std::vector<std::unique_ptr<cli::session>> many;
    for (std::size_t number = 1; number < environment::most_candidates; ++number) {
        many.push_back(
            std::make_unique<cli::session>(person("all"), around, session::style::batch));
        CHECK(many.back()->run("configure").ok());
    }
    cli::session late(person("all"), around, session::style::batch);
    CHECK(late.run("configure").error == "error: too many sessions are changing the configuration");
    many.pop_back();
    CHECK(late.run("configure").ok());
}

TEST_CASE("commands of a script are cut at semicolons and lines, but not within quotes") {
    using commands = std::vector<std::string_view>;
    CHECK(split_commands("a; b ;;c\r\nd") == commands{"a", "b", "c", "d"});
    CHECK(split_commands("set x \"a;b\"; c") == commands{"set x \"a;b\"", "c"});
    CHECK(split_commands("set x \"a\\\";b\"; c") == commands{"set x \"a\\\";b\"", "c"});
    CHECK(split_commands("x \"a\nb") == commands{"x \"a", "b"});
    CHECK(split_commands("x \"\\") == commands{"x \"\\"});
    CHECK(split_commands("") == commands{});
}
