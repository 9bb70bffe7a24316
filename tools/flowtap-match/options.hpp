// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <flowtap/core/filter_spec.hpp>

namespace flowtap::tools {

/// What the command line asks for.
struct match_options {
    /// Lines of one filter, `Name: value`.
    std::vector<std::string> fields;
    /// Files with ADD requests.
    std::vector<std::string> requests;
    port_list_mode port_lists = port_list_mode::pairs;
    /// Where matching packets are written to; empty for nowhere.
    std::string write;
    bool count = false;
    bool json = false;
    std::string capture;
};

/// The options, or the status to exit with at once: help and version were shown, or a mistake.
struct parsed_options {
    std::optional<match_options> options;
    int status = 0;
};

parsed_options parse_options(int argc, char** argv);

} // namespace flowtap::tools
