// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/cli/environment.hpp>
#include <flowtap/permission/principal.hpp>

namespace flowtap::cli {

/// What one session may use.
struct session_limits {
    /// Octets of a line.
    std::size_t line = 8UL * 1024;
    /// Octets that one command prints; what is more is cut off, and said.
    std::size_t output = 32UL * 1024 * 1024;
    /// Octets of the candidate configuration, as text.
    std::size_t candidate = 16UL * 1024 * 1024;
};

/// What became of a command.
struct reply {
    /// What it prints: whole lines.
    std::string output;
    /// Why it failed: one line or more, without the last newline; empty when it did not.
    std::string error;
    /// The column of the line, from 0, that the error is about.
    std::optional<std::size_t> fault;

    bool ok() const noexcept { return error.empty(); }
};

/// Something that can come next on a line.
struct choice {
    /// The word, or `<name>` for one of the operator's own.
    std::string word;
    std::string help;
    bool placeholder = false;

    friend bool operator==(const choice&, const choice&) = default;
};

/// What can come at the end of a line that is being typed.
struct completion {
    /// In alphabetical order, placeholders first. Only those that begin as the last word does.
    std::vector<choice> choices;
    /// What can be appended without a doubt: the rest of the word, with a blank if it is whole.
    std::string rest;
    /// Why nothing can come: the line is wrong before its end.
    std::string error;
    std::optional<std::size_t> fault;
};

/// The operator's commands for one authenticated person: lines in, texts out. No I/O and no clock.
///
/// Everything that is shown, completed, edited, compared and complained about is what the person
/// may see (`permission::allowed`, `config::visible_to`): the rest of the configuration is as if it
/// did not exist, and survives every edit. Commands and statements may be abbreviated as long as
/// that is unambiguous among what the person may see.
///
/// `configure` opens a candidate configuration of the session's own; `commit` merges its changes
/// into what is in force by then. Candidates are not shared: a shared one would have one person
/// commit what another has edited and the first may not even see.
///
/// Time of a command is linear in the size of the configuration. The environment must outlive it.
///
/// Example:
/// ```
/// cli::session session(who, around, cli::session::style::batch);
/// for (std::string line; !session.is_over() && std::getline(std::cin, line);) {
///     const cli::reply done = session.run(line);
///     std::cout << done.output;
///     std::cerr << done.error << '\n';
/// }
/// ```
class session {
public:
    /// Whether somebody is there to answer questions.
    enum class style : std::uint8_t { interactive, batch };

    session(permission::principal who, environment& around, style how, session_limits limits = {});
    ~session();
    session(const session&) = delete;
    session& operator=(const session&) = delete;

    /// Whether somebody may use the command line at all.
    static bool admits(const permission::principal& who);

    /// Does what one line says. Any octets may stand in it. An empty line does nothing.
    reply run(std::string_view line);

    /// What may follow what has been typed: for TAB and for `?`.
    completion complete(std::string_view line) const;

    /// What stands before the next line: `ann@iap> `; in configuration mode with `[edit]` above it.
    std::string prompt() const;

    /// The prompt is a question, and the next line its answer.
    bool is_asking() const noexcept;

    /// The session was left.
    bool is_over() const noexcept;

    /// There is a candidate configuration with changes that are not committed.
    bool has_changes() const;

private:
    class implementation;
    std::unique_ptr<implementation> implementation_;
};

/// What can come next as `?` shows it: a line each.
std::string help_text(const completion& shown);

/// Cuts a line into commands at each `;` and end of line outside quotes, as `ssh host "a; b"` gives
/// them. Borrows from the line.
std::vector<std::string_view> split_commands(std::string_view lines);

} // namespace flowtap::cli
