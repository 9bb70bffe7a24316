// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace dfcd {

/// Writes one line to the operational log, standard error, at once. No login, peer, target or
/// destination ever stands in it: those are the audit log's.
void log_line(std::string_view text);

/// Shows `text` on the last line of the terminal that standard error is, in the place of what it
/// showed before. A line of the log takes it away.
void show_status(std::string_view text);
void clear_status();

/// Writes one line to standard error as it is, for programs to read.
void print_line(std::string_view text);

template <class... Arguments>
void log(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    log_line(fmt::format(format, std::forward<Arguments>(arguments)...));
}

} // namespace dfcd
