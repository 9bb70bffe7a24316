// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/permission/decide.hpp>
#include <flowtap/permission/login.hpp>

using namespace flowtap::permission;

namespace {

/// The columns of the matrix: an operation on a target, and how the documentation calls it.
struct column {
    const char* title;
    operation what;
    target where;
};

const std::vector<column> columns = {
    {"log in", operation::log_in, target::access_point},
    {"command line", operation::use, target::command_line},
    {"tap", operation::use, target::flow_tap_service},
    {"list own", operation::view, target::own_criteria},
    {"list others'", operation::view, target::criteria_of_others},
    {"status", operation::view, target::flow_tap_status},
    {"view flow-tap", operation::view, target::flow_tap_configuration},
    {"change flow-tap", operation::change, target::flow_tap_configuration},
    {"view logins", operation::view, target::login_configuration},
    {"change logins", operation::change, target::login_configuration},
    {"change flow-tap logins", operation::change, target::flow_tap_logins},
    {"change RADIUS", operation::change, target::access_configuration},
    {"view interfaces", operation::view, target::interface_configuration},
    {"change interfaces", operation::change, target::interface_configuration},
};

/// `x` allowed, `-` refused; a letter for each column.
struct row {
    const char* permissions;
    const char* decisions;
};

const std::vector<row> matrix = {
    {"", "--------------"},
    {"flow-tap", "xx---xx-------"},
    {"flow-tap-control", "xx---xxx------"},
    {"flow-tap-operation", "x-xx----------"},
    {"flow-tap flow-tap-operation", "xxxx-xx-------"},
    {"flow-tap-control flow-tap-operation", "xxxx-xxx------"},
    {"flow-tap flow-tap-control", "xx---xxx------"},
    {"flow-tap flow-tap-control flow-tap-operation", "xxxx-xxx------"},
    {"view-configuration", "-x------x---x-"},
    {"view-configuration flow-tap", "xx---xx-x---x-"},
    {"configure", "-x------------"},
    {"admin", "-x------x-----"},
    {"admin-control", "-x------xx----"},
    {"admin-control flow-tap", "xx---xx-xx----"},
    {"admin-control flow-tap-control", "xx---xxxxxx---"},
    {"admin-control flow-tap-operation", "xxxx----xx----"},
    {"system-control", "-x------------"},
    {"system-control flow-tap-control", "xx---xxx---x--"},
    {"interface", "-x----------x-"},
    {"interface-control", "-x----------xx"},
    {"control", "-x------xx--xx"},
    {"control flow-tap-control", "xx---xxxxxxxxx"},
    {"all", "xx---xxxxxxxxx"},
    {"all flow-tap-operation", "xxxx-xxxxxxxxx"},
    {"clear network reset trace view", "-x------------"},
    {"floppy", "--------------"},
    {"flow-tap-everything", "--------------"},
};

std::string markdown_line(const row& r) {
    std::string line = "| `[" + std::string(r.permissions) + "]` |";
    for (const char* decision = r.decisions; *decision != '\0'; ++decision)
        line += *decision == 'x' ? " yes |" : " |";
    return line;
}

} // namespace

TEST_CASE("each permission and combination is allowed what the matrix says") {
    for (const row& r : matrix) {
        const principal who{"somebody", permission_set::parse(r.permissions)};
        REQUIRE(std::string(r.decisions).size() == columns.size());
        for (std::size_t i = 0; i < columns.size(); ++i) {
            CAPTURE(r.permissions);
            CAPTURE(columns[i].title);
            CHECK(allowed(who, columns[i].what, columns[i].where) == (r.decisions[i] == 'x'));
        }
    }
}

TEST_CASE("the matrix stands in the documentation") {
    const char* root = std::getenv("FLOWTAP_SOURCE_ROOT");
    if (root == nullptr) {
        MESSAGE("SKIPPED: FLOWTAP_SOURCE_ROOT is not set");
        return;
    }
    std::ifstream file(std::string(root) + "/lib/permission/README.md");
    std::stringstream text;
    text << file.rdbuf();
    const std::string readme = text.str();
    std::string title = "| permissions |";
    for (const column& c : columns)
        title += std::string(" ") + c.title + " |";
    INFO("expected line: ", title);
    CHECK(readme.find(title + '\n') != std::string::npos);
    for (const row& r : matrix) {
        const std::string line = markdown_line(r);
        INFO("expected line: ", line);
        CHECK(readme.find(line + '\n') != std::string::npos);
    }
}

TEST_CASE("nobody may touch another control source's criteria") {
    permission_set everything;
    for (std::size_t number = 0; number < bit_count; ++number)
        everything.insert(static_cast<bit>(number));
    for (std::size_t what = 0; what < operation_count; ++what)
        CHECK_FALSE(allowed(everything, static_cast<operation>(what), target::criteria_of_others));
}

TEST_CASE("a wider set of permissions is never allowed less") {
    for (const rule& r : rules()) {
        permission_set held;
        for (std::size_t number = 0; number < bit_count; ++number) {
            const bool before = allowed(held, r.what, r.where);
            held.insert(static_cast<bit>(number));
            CHECK(allowed(held, r.what, r.where) >= before);
        }
        CHECK(allowed(held, r.what, r.where));
    }
}

TEST_CASE("no operation on a target has two rules, and who may change may see") {
    std::set<std::pair<operation, target>> seen;
    for (const rule& r : rules()) {
        CHECK(seen.emplace(r.what, r.where).second);
        CHECK_FALSE(to_string(r.what).empty());
        CHECK_FALSE(to_string(r.where).empty());
    }
    for (std::size_t number = 0; number < bit_count; ++number)
        for (std::size_t other = 0; other < bit_count; ++other)
            for (std::size_t where = 0; where < target_count; ++where) {
                const permission_set held{static_cast<bit>(number), static_cast<bit>(other)};
                const auto on = static_cast<target>(where);
                if (allowed(held, operation::change, on))
                    CHECK(allowed(held, operation::view, on));
                if (on != target::own_criteria)
                    CHECK(allowed(held, operation::change, on) ==
                          allowed(held, operation::view_secret, on));
            }
}

TEST_CASE("predefined classes neither tap nor see flow-tap, but for super-user's configuration") {
    const login_directory logins;
    for (const login_class& c : logins.classes()) {
        CAPTURE(c.name);
        const bool super = c.name == "super-user" || c.name == "superuser";
        CHECK_FALSE(allowed(c.permissions, operation::use, target::flow_tap_service));
        CHECK(allowed(c.permissions, operation::view, target::flow_tap_configuration) == super);
        CHECK(has_flow_tap_permission(c.permissions) == super);
    }
}
