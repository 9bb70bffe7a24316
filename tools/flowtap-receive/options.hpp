// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <flowtap/packet/view.hpp>

#include "collector.hpp"
#include "socket_intake.hpp"
#include "watch.hpp"

namespace flowtap::tools {

/// What the command line asks for.
struct receive_options {
    /// Sockets, unless one of the next two is given.
    socket_settings sockets;
    std::vector<std::string> read;
    std::string live;
    std::string filter;
    packet::encapsulation_kind encapsulation = packet::encapsulation_kind::udp;

    collector_settings collect;
    /// A directory with a capture an intercept; empty for none.
    std::string output;
    /// A capture with all packets; empty for none.
    std::string write;
    existing_files found = existing_files::keep;

    end_conditions ends;
    /// How often counters are printed; none leaves that to whether there is a terminal.
    std::optional<std::chrono::milliseconds> interval;
    bool quiet = false;
    bool json = false;
};

/// The options, or the status to exit with at once: help and version were shown, or a mistake.
struct parsed_options {
    std::optional<receive_options> options;
    int status = 0;
};

parsed_options parse_options(int argc, char** argv);

} // namespace flowtap::tools
