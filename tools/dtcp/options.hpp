// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/dtcp/version.hpp>

namespace dtcp_tool {

/// How the tool ends.
enum exit_code : int {
    exit_ok = 0,         ///< every answer was 200
    exit_dtcp_error = 1, ///< an answer was an error
    exit_usage = 2,      ///< the command was not understood
    exit_connection = 3, ///< no connection, no login, no answer, or none that could be trusted
};

/// What the command line asks for.
struct options {
    std::string host;
    std::uint16_t port = 32001;
    /// The login, and the Csource-ID.
    std::string user;
    bool over_udp = false;
    std::filesystem::path key_file;
    std::filesystem::path password_file;
    std::filesystem::path known_hosts;
    std::vector<std::filesystem::path> identities;
    std::string host_key_fingerprint;
    std::chrono::seconds timeout{30};
    std::optional<flowtap::dtcp::version> spoken;
    std::optional<std::uint64_t> first_sequence;
    std::optional<std::filesystem::path> sequence_file;
    /// Where notifications over UDP are received.
    std::optional<flowtap::endpoint> notify;
    /// How many notifications to wait for.
    std::optional<std::size_t> await;
    bool json = false;
    /// `add`, ..., `send`, `listen` or `shell`.
    std::string command;
    /// The parameters, or the file of `send`.
    std::vector<std::string> rest;
};

/// Reads the command line. When that ends the program (help, or a mistake, which has been told on
/// standard error), its exit code.
std::variant<options, int> read_command_line(int count, char** arguments);

} // namespace dtcp_tool
