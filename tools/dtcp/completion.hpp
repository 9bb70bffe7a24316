// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "session_memory.hpp"

namespace dtcp_tool {

/// How a line can go on.
struct completion {
    /// Where what is to be replaced begins: from there to the cursor.
    std::size_t begin = 0;
    /// What can stand there, sorted.
    std::vector<std::string> candidates;
    /// What follows a candidate that is chosen.
    std::string_view after = " ";

    /// The longest text that all candidates begin with.
    std::string common_start() const;
};

/// Completes a command, a parameter's name, or its value, from the line before the cursor.
completion complete_line(std::string_view before_cursor, const session_memory& memory);

} // namespace dtcp_tool
