// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/cli/environment.hpp>

#include "path_reader.hpp"
#include "pipe.hpp"
#include "reader.hpp"

namespace flowtap::cli {

/// What a line asks for.
enum class verb : std::uint8_t {
    show_configuration, ///< `show configuration`, and `show` in configuration mode
    show_report,        ///< `show flow-tap ...`
    configure,
    leave, ///< `exit`, `quit`
    set,
    remove, ///< `delete`
    edit,
    up,
    top,
    compare,
    rollback,
    check,           ///< `commit check`
    commit,          ///< `commit`
    commit_and_quit, ///< `commit and-quit`
};

/// How statements are shown.
enum class notation : std::uint8_t { braces, set_commands };

/// A line with its meaning.
struct command {
    verb what = verb::leave;
    steps path = {};
    /// Of `set` and a list: what is added.
    std::vector<config::word> members = {};
    /// The words that the path has, from the top.
    std::vector<config::word> words = {};
    report which = report::status;
    /// Of `rollback` and `compare`.
    std::optional<unsigned> number = std::nullopt;
    notation how = notation::braces;
    std::vector<filter> filters = {};
    /// `show configuration`, from configuration mode, of what is in force.
    bool of_committed = false;
};

/// What the meaning of a line depends on.
struct situation {
    const viewer& who;
    bool is_configuring = false;
    /// What the person sees of what is in force, and of the candidate.
    const config::tree& committed;
    const config::tree& candidate;
    /// The words that `edit` has led to.
    const std::vector<config::word>& level;
};

/// How many versions `rollback` reaches back.
inline constexpr unsigned most_rollback = 49;

/// Reads a line; none if it is wrong or, in completing, not whole: the reader knows why.
std::optional<command> parse(reader& line, const situation& in);

} // namespace flowtap::cli
