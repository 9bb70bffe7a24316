// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include <flowtap/dtcp/parameter.hpp>

namespace dtcp_tool {

/// A command of the shell.
struct shell_command {
    std::string_view name;
    /// What stands behind it.
    std::string_view usage;
    std::string_view summary;
    /// Whether it is a request of that name.
    bool is_request = false;
    /// The values of its Flags.
    std::vector<std::string_view> flags;
    /// The parameters that it may have.
    std::vector<flowtap::dtcp::parameter> parameters;
};

/// Every command, in the order of `help`.
std::span<const shell_command> shell_commands();

/// The command of that name, regardless of case, or null.
const shell_command* find_shell_command(std::string_view name);

bool starts_with_any_case(std::string_view text, std::string_view start);

} // namespace dtcp_tool
