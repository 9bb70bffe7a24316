// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <flowtap/core/result.hpp>

#include "session.hpp"

namespace dtcp_tool {

/// Where the shell gets its lines from. While it waits for one, notifications are shown.
class line_source {
public:
    virtual ~line_source();

    /// The next line; none at the end. Errors: those of the way to the access point.
    virtual flowtap::result<std::optional<std::string>> next() = 0;
};

/// Lines of standard input as they come, after `prompt` each.
std::unique_ptr<line_source> plain_lines(session& way, interruption& signals, std::string prompt);

/// Lines that are edited on a terminal, with a history and completion. Null where this program was
/// built without.
std::unique_ptr<line_source> edited_lines(session& way, interruption& signals, std::string prompt);

} // namespace dtcp_tool
