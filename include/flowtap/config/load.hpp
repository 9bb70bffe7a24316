// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <flowtap/config/configuration.hpp>
#include <flowtap/config/diagnostic.hpp>
#include <flowtap/config/tree.hpp>

namespace flowtap::config {

/// What became of a configuration text.
struct loaded {
    /// Usable when `ok()`; otherwise what could be understood.
    configuration settings;
    /// Everything that is wrong, in the order of the text.
    diagnostics found;
    /// The statements as written, for `show configuration` and for edits.
    tree statements;

    bool ok() const noexcept { return !has_errors(found); }
};

/// Reads a configuration in the brace syntax of Junos, checks all of it and resolves it. Reports
/// every mistake; never throws for bad input, never stops at the first. `filename` is only named in
/// diagnostics.
///
/// Pure and thread-safe. Time is linear in the text; a text of more than `syntax_limits` allows is
/// one error.
///
/// Example:
/// ```
/// const auto lab = config::load(text, "lab.conf");
/// for (const auto& problem : lab.found)
///     std::cerr << to_string(problem) << '\n';
/// ```
loaded load(std::string_view text, std::string_view filename);

/// The same for statements that have been read or edited already.
loaded load(tree statements, std::string_view filename);

/// Reads the file first; one that cannot be read is one error at 0:0.
loaded load_file(const std::string& path);

} // namespace flowtap::config
