// SPDX-License-Identifier: Apache-2.0
#include "tokens.hpp"

#include <algorithm>

#include <boost/spirit/home/x3.hpp>

namespace flowtap::config {

namespace {

namespace x3 = boost::spirit::x3;
using x3::char_;
using x3::lit;

// The grammar, one rule a token. Octets from 0x80 are taken as they come.
//
//     blank         = SP / HTAB / CR / LF
//     line-comment  = "#" *octet-but-LF
//     block-comment = "/*" ... "*/"
//     word          = 1*(octet but blanks, controls and any of ; { } [ ] ( ) | " )
//     string        = DQUOTE *(escape / octet but DQUOTE, backslash, controls) DQUOTE
//     escape        = "\" (DQUOTE / "\" / "n" / "t")      ; any other "\" stands for itself

const auto blank = char_(" \t\r\n");
const auto line_comment = lit('#') >> *(char_ - '\n');
const auto block_comment = lit("/*") >> *(char_ - "*/") >> "*/";
const auto skipped = +blank | block_comment;

const auto control = char_('\x01', '\x08') | char_('\x0B', '\x1F') | char_('\x7F') | char_('\0');
const auto special = char_(";{}[]()|\"");
const auto word_octet = char_ - blank - control - special - "/*";
const auto word = +word_octet;

struct escape_symbols : x3::symbols<char> {
    escape_symbols() { add("\\\"", '"')("\\\\", '\\')("\\n", '\n')("\\t", '\t'); }
};
const escape_symbols escape;
const auto string_octet = escape | (char_ - control - '"' - '\n');
const auto quoted = lit('"') >> *string_octet >> '"';

/// How many octets of `text` a rule takes from its start; 0 when it does not match.
template <class Rule>
std::size_t match(std::string_view text, const Rule& rule) {
    auto at = text.begin();
    return x3::parse(at, text.end(), rule) ? static_cast<std::size_t>(at - text.begin()) : 0;
}

template <class Rule>
std::size_t match(std::string_view text, const Rule& rule, std::string& into) {
    auto at = text.begin();
    return x3::parse(at, text.end(), rule, into) ? static_cast<std::size_t>(at - text.begin()) : 0;
}

token_kind punctuation(char letter) noexcept {
    switch (letter) {
    case '{':
        return token_kind::open_brace;
    case '}':
        return token_kind::close_brace;
    case '[':
        return token_kind::open_bracket;
    case ']':
        return token_kind::close_bracket;
    case ';':
        return token_kind::semicolon;
    default:
        return token_kind::bad;
    }
}

/// Whether a comment is the mark that Junos puts behind a secret.
bool marks_secret(std::string_view comment) noexcept {
    comment = comment.substr(0, comment.find_last_not_of(" \t\r") + 1);
    return comment == "## SECRET-DATA";
}

/// A string ends on its line. One that does not is taken to the `;` that ends the line, or whole.
std::size_t length_of_broken_string(std::string_view text) noexcept {
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::size_t last = line.find_last_not_of(" \t\r");
    return line[last] == ';' ? last : line.size();
}

} // namespace

bool is_plain_word(std::string_view text) noexcept {
    return !text.empty() && text.front() != '#' && text.find('$') == std::string_view::npos &&
           match(text, word) == text.size();
}

void tokenizer::consume(std::size_t count) noexcept {
    for (const char letter : rest_.substr(0, count)) {
        if (letter == '\n') {
            ++where_.line;
            where_.column = 1;
        } else {
            ++where_.column;
        }
    }
    rest_.remove_prefix(count);
}

token tokenizer::next() {
    while (!rest_.empty()) {
        if (rest_.front() == '#') {
            const std::string_view comment = rest_.substr(0, match(rest_, line_comment));
            token mark{token_kind::secret_mark, {}, where_};
            consume(comment.size());
            if (marks_secret(comment))
                return mark;
            continue;
        }
        const std::size_t blank_length = match(rest_, skipped);
        if (blank_length == 0)
            break;
        consume(blank_length);
    }

    token found{token_kind::end, {}, where_};
    if (rest_.empty())
        return found;

    std::size_t length = 1;
    found.kind = punctuation(rest_.front());
    if (found.kind != token_kind::bad) {
        consume(length);
        return found;
    }
    if (rest_.front() == '"') {
        found.kind = token_kind::word;
        found.quoted = true;
        length = match(rest_, quoted, found.text);
        if (length == 0) {
            found = {token_kind::bad, {}, where_, errc::unfinished_string};
            length = length_of_broken_string(rest_);
        }
    } else if (rest_.starts_with("/*")) {
        found.problem = errc::unfinished_comment;
        length = rest_.size();
    } else if (const std::size_t word_length = match(rest_, word); word_length != 0) {
        found.kind = token_kind::word;
        length = word_length;
        found.text = rest_.substr(0, length);
    } else {
        const bool is_special = match(rest_, special) != 0;
        found.problem = is_special ? errc::unexpected_octet : errc::control_octet;
        found.text = rest_.substr(0, 1);
    }
    consume(length);
    return found;
}

} // namespace flowtap::config
