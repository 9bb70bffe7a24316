// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <flowtap/cli/session.hpp>

#include "statements.hpp"
#include "viewer.hpp"
#include "words.hpp"

namespace flowtap::cli {

/// What the path to a statement is for.
enum class path_use : std::uint8_t {
    show,   ///< to what is there
    remove, ///< to what is there and may be changed
    set,    ///< to a statement with its value
    edit,   ///< to a hierarchy
};

/// Reads the path to a statement, word by word, as the schema has it. What somebody may not see, or
/// with `set`, `remove` and `edit` may not change, is not in the schema for it.
class path_reader {
public:
    /// `seen` is what the person sees of the configuration; `level` the words of a hierarchy where
    /// the path begins.
    path_reader(const viewer& who, path_use use, const config::tree& seen,
                const std::vector<config::word>& level);

    /// What can come next.
    std::vector<choice> choices() const;
    /// Whether the path can end here.
    bool may_end() const;
    /// Takes a word. Returns what is wrong with it, or an empty text.
    std::string take(const typed_word& typed);

    const steps& path() const noexcept { return path_; }
    /// Of a list: what was named.
    const std::vector<config::word>& members() const noexcept { return members_; }
    /// The words, those of `level` first, and those of a statement that is not complete.
    std::vector<config::word> words() const;

private:
    permission::operation needed() const noexcept;
    void start_at(const std::vector<config::word>& level);
    std::vector<choice> statements_here() const;
    std::vector<choice> values_here() const;
    std::vector<std::string> keys_here() const;
    std::string take_statement(const typed_word& typed);
    std::string begin(const config::schema_row& row, std::vector<config::word> words);
    std::string take_value(const typed_word& typed);
    std::string take_open(const typed_word& typed);

    const viewer& who_;
    path_use use_;
    const config::tree& seen_;
    steps path_;
    std::vector<config::word> members_;
    /// The hierarchy that has been reached; null is the top.
    const config::schema_row* row_ = nullptr;
    /// The statement whose keyword was read and whose key, value or list comes next.
    const config::schema_row* pending_ = nullptr;
    std::vector<config::word> pending_words_;
    bool in_list_ = false;
    bool is_done_ = false;
    std::size_t level_steps_ = 0;
};

} // namespace flowtap::cli
