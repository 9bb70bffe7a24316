// SPDX-License-Identifier: Apache-2.0
//
// Says what a user with some permissions may see and do:
//
//     decide-permissions [--radius 'WORD...'] [WORD...]
//
// The words are those of the login class; --radius gives the words that a RADIUS server adds. Exits
// with 0 when the user may tap, else with 1.
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/permission/decide.hpp>
#include <flowtap/permission/permission_set.hpp>

namespace permission = flowtap::permission;

namespace {

struct question {
    std::string_view text;
    permission::operation what;
    permission::target where;
};

constexpr question questions[] = {
    {"log in to the access point", permission::operation::log_in, permission::target::access_point},
    {"tap flows", permission::operation::use, permission::target::flow_tap_service},
    {"list its own filters", permission::operation::view, permission::target::own_criteria},
    {"list the filters of others", permission::operation::view,
     permission::target::criteria_of_others},
    {"use the command line", permission::operation::use, permission::target::command_line},
    {"see the flow-tap configuration", permission::operation::view,
     permission::target::flow_tap_configuration},
    {"change the flow-tap configuration", permission::operation::change,
     permission::target::flow_tap_configuration},
    {"change users that tap", permission::operation::change, permission::target::flow_tap_logins},
    {"change other users", permission::operation::change, permission::target::login_configuration},
};

} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string_view> arguments(argv + 1, argv + argc);
    permission::permission_set of_class;
    std::string_view from_radius;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (arguments[i] == "--radius" && i + 1 < arguments.size())
            from_radius = arguments[++i];
        else
            of_class.insert(arguments[i]);
    }

    const permission::principal who{"somebody", permission::merge(of_class, from_radius)};
    std::cout << "permissions " << to_string(who.permissions) << '\n';
    for (const question& asked : questions)
        std::cout << (permission::allowed(who, asked.what, asked.where) ? "  may     "
                                                                        : "  may not ")
                  << asked.text << '\n';
    return permission::allowed(who, permission::operation::use,
                               permission::target::flow_tap_service)
               ? 0
               : 1;
}
