// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <flowtap/config/error.hpp>
#include <flowtap/core/error.hpp>

namespace flowtap::config {

enum class token_kind : std::uint8_t {
    end,
    word,
    open_brace,
    close_brace,
    open_bracket,
    close_bracket,
    semicolon,
    secret_mark, ///< the comment `## SECRET-DATA`
    bad,         ///< what cannot stand here; `problem` says why
};

struct token {
    token_kind kind = token_kind::end;
    /// Of a word: without quotes, escapes resolved. Of what is bad: what it is about.
    std::string text;
    text_position where;
    errc problem = errc::unexpected_octet;
    /// A word that stood in quotes, and so is no `inactive:`.
    bool quoted = false;
};

/// Cuts a text into tokens, one at a time; blanks and comments are left out.
class tokenizer {
public:
    explicit tokenizer(std::string_view text) noexcept : rest_(text) {}

    token next();

private:
    /// Moves past `count` octets.
    void consume(std::size_t count) noexcept;

    std::string_view rest_;
    text_position where_{1, 1};
};

/// Whether a word can stand without quotes.
bool is_plain_word(std::string_view text) noexcept;

} // namespace flowtap::config
