// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/config/error.hpp>
#include <flowtap/core/error.hpp>

namespace flowtap::config {

/// One word of a statement.
struct word {
    /// Without quotes, escapes resolved.
    std::string text;
    text_position where = {};

    /// The text alone: where it stands does not make it another word.
    friend bool operator==(const word& a, const word& b) { return a.text == b.text; }
};

/// One statement: `words;`, `words [ list ];` or `words { children }`. An empty block is as none.
struct statement {
    /// At least one.
    std::vector<word> words;
    /// The words between `[` and `]`.
    std::vector<word> list;
    std::vector<statement> children;
    bool has_list = false;
    /// Prefixed by `inactive:`: kept and shown, and without effect.
    bool inactive = false;
    /// Followed by `## SECRET-DATA`.
    bool marked_secret = false;
    /// Only in what is shown to somebody (visible.hpp): the value was a secret and was taken out.
    bool value_hidden = false;

    friend bool operator==(const statement&, const statement&) = default;
};

/// A configuration text as statements, without meaning.
struct tree {
    std::vector<statement> statements;

    friend bool operator==(const tree&, const tree&) = default;
};

/// How much text the syntax takes.
struct syntax_limits {
    std::size_t octets = 16U << 20U;
    std::size_t depth = 64;
};

/// What became of a text.
struct parsed_tree {
    tree statements;
    /// Where the text stopped making sense; empty when it did not.
    std::vector<error> errors;
};

/// Reads the brace syntax of Junos: statements, blocks, `[ lists ]`, "strings" with `\"`, `\\`,
/// `\n`, `\t`, comments `# ...` and `/* ... */`, `inactive:`, `## SECRET-DATA`. After a mistake it
/// goes on behind the next `;` or `}`, so that every mistake is found. Never throws for bad input.
/// Lines end in LF or CRLF.
parsed_tree parse_tree(std::string_view text, const syntax_limits& limits = {});

/// The text in Junos' usual form: four blanks a level, one statement a line, words quoted where
/// they must be; comments are gone. `parse_tree` reads it back to the same tree.
std::string to_text(const tree& shown);

/// The same as `set` commands, one a line (`| display set`); `deactivate` for what is inactive.
std::string to_set_commands(const tree& shown);

} // namespace flowtap::config
