// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace flowtap::cli {

/// One word of a line.
struct typed_word {
    /// Without quotes, escapes resolved.
    std::string text;
    /// Its column, from 0.
    std::size_t at = 0;
    bool quoted = false;

    /// A sign of the language (`|`, `[`, `]`), not a word that is spelled like it.
    bool is(std::string_view sign) const noexcept { return !quoted && text == sign; }
};

/// A line as words.
struct typed_line {
    std::vector<typed_word> words;
    /// Why it cannot be read; empty when it can.
    std::string problem;
    std::size_t problem_at = 0;
    /// The last word ends with the line: more letters would be a part of it.
    bool is_last_open = false;
};

/// Cuts a line at its blanks; `"..."` keeps them in, with `\"`, `\\`, `\n` and `\t` inside. `|`,
/// `[` and `]` are words of their own. A string that does not end, and a control character, are
/// problems.
typed_line read_words(std::string_view line);

} // namespace flowtap::cli
