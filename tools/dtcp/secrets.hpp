// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <flowtap/core/result.hpp>

namespace dtcp_tool {

/// The first line of a file. Errors: the operating system's; a line without anything on it is one.
flowtap::result<std::string> first_line(const std::filesystem::path& file);

/// Asks on the terminal, without showing what is typed. None without a terminal.
std::optional<std::string> ask_secret(const std::string& prompt);

/// Asks on the terminal whether the host key is to be trusted. No without a terminal.
bool ask_host_key(const std::string& host, std::string_view fingerprint);

} // namespace dtcp_tool
