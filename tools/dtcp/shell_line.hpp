// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dtcp_tool {

/// A word of a line, without its quotes.
struct shell_word {
    std::string text;
    /// Where it begins in the line, its quote included.
    std::size_t begin = 0;
    /// Its quote is not closed.
    bool is_open = false;
};

/// The words of a line: separated by blanks, which a word in single or double quotes may contain.
/// A `#` where a word begins ends the line.
std::vector<shell_word> split_words(std::string_view line);

/// The length of the name that a word begins with, if it begins a parameter: what stands before a
/// colon and is the name of a known parameter or begins with `X-`, or is the whole word but for the
/// colon. An IPv6 address does not begin one.
std::optional<std::size_t> name_length(std::string_view word);

/// The arguments of a request.
struct shell_arguments {
    /// What stands before the first name.
    std::string selection;
    std::vector<std::pair<std::string, std::string>> fields;
};

/// `7,9 Flags: STATIC` from its words: a value goes on until the next name.
shell_arguments split_arguments(const std::vector<shell_word>& words, std::size_t first);

} // namespace dtcp_tool
