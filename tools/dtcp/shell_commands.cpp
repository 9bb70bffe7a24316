// SPDX-License-Identifier: Apache-2.0
#include "shell_commands.hpp"

#include <algorithm>
#include <cctype>

namespace dtcp_tool {

namespace {

using flowtap::dtcp::parameter;

std::vector<parameter> from_to(parameter first, parameter last) {
    std::vector<parameter> made;
    for (auto number = static_cast<unsigned>(first); number <= static_cast<unsigned>(last);
         ++number)
        made.push_back(static_cast<parameter>(number));
    return made;
}

std::vector<parameter> add_parameters() {
    auto made = from_to(parameter::source_address, parameter::x_router_instance);
    made.insert(made.begin(), {parameter::cdest_id, parameter::flags});
    return made;
}

std::vector<parameter> refresh_parameters() {
    auto made = from_to(parameter::timeout_idle, parameter::timeout_bytes);
    made.insert(made.begin(), {parameter::criteria_id, parameter::cdest_id});
    return made;
}

std::vector<shell_command> make_commands() {
    using enum parameter;
    constexpr std::string_view fields = "[NAME: VALUE]...";
    constexpr std::string_view selection = "[CRITERIA-ID] [NAME: VALUE]...";
    return {
        {"add",
         fields,
         "taps what the filter admits",
         true,
         {"STATIC", "SendAsync"},
         add_parameters()},
        {"delete", selection, "ends criteria", true, {"STATIC"}, {criteria_id, cdest_id, flags}},
        {"list",
         selection,
         "shows criteria",
         true,
         {"Both", "Stats", "Criteria"},
         {criteria_id, cdest_id, flags}},
        {"refresh", selection, "gives criteria new timeouts", true, {}, refresh_parameters()},
        {"noop", fields, "asks for nothing but an answer", true, {"SendAsync"}, {flags}},
        {"enable",
         selection,
         "switches a drop policy on",
         true,
         {"STATIC"},
         {criteria_id, cdest_id, flags, x_drop_policy}},
        {"disable",
         selection,
         "switches a drop policy off",
         true,
         {"STATIC"},
         {criteria_id, cdest_id, flags, x_drop_policy}},
        {"send", "FILE", "sends the requests of a file", false, {}, {}},
        {"listen",
         "[COUNT]",
         "waits until COUNT notifications have come since the last listen, or for Ctrl-C",
         false,
         {},
         {}},
        {"help", "[COMMAND]", "shows the commands, or what one of them takes", false, {}, {}},
        {"quit", "", "ends the shell, as Ctrl-D does", false, {}, {}},
    };
}

} // namespace

bool starts_with_any_case(std::string_view text, std::string_view start) {
    return text.size() >= start.size() && std::equal(start.begin(), start.end(), text.begin(),
                                                     [](unsigned char a, unsigned char b) {
                                                         return std::tolower(a) == std::tolower(b);
                                                     });
}

std::span<const shell_command> shell_commands() {
    static const std::vector<shell_command> all = make_commands();
    return all;
}

const shell_command* find_shell_command(std::string_view name) {
    if (name == "exit")
        name = "quit";
    for (const shell_command& one : shell_commands())
        if (one.name.size() == name.size() && starts_with_any_case(one.name, name))
            return &one;
    return nullptr;
}

} // namespace dtcp_tool
