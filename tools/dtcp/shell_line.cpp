// SPDX-License-Identifier: Apache-2.0
#include "shell_line.hpp"

#include <algorithm>
#include <cctype>

#include <flowtap/dtcp/parameter.hpp>

#include "shell_commands.hpp"

namespace dtcp_tool {

namespace {

bool is_blank(char letter) {
    return letter == ' ' || letter == '\t';
}

std::string_view without_blanks(std::string_view text) {
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

void append(std::string& value, std::string_view word) {
    if (!value.empty() && !word.empty())
        value += ' ';
    value += word;
}

} // namespace

std::vector<shell_word> split_words(std::string_view line) {
    std::vector<shell_word> words;
    std::size_t at = 0;
    for (;;) {
        while (at < line.size() && is_blank(line[at]))
            ++at;
        if (at == line.size() || line[at] == '#')
            return words;
        shell_word word{{}, at, false};
        char quote = '\0';
        for (; at < line.size() && (quote != '\0' || !is_blank(line[at])); ++at) {
            const char letter = line[at];
            if (quote == '\0' && (letter == '"' || letter == '\''))
                quote = letter;
            else if (letter == quote)
                quote = '\0';
            else
                word.text += letter;
        }
        word.is_open = quote != '\0';
        words.push_back(std::move(word));
    }
}

std::optional<std::size_t> name_length(std::string_view word) {
    const std::size_t colon = word.find(':');
    if (colon == std::string_view::npos || colon == 0)
        return std::nullopt;
    const std::string_view name = word.substr(0, colon);
    const bool is_word = std::isalpha(static_cast<unsigned char>(name.front())) != 0;
    if (flowtap::dtcp::find_parameter(name) || starts_with_any_case(name, "X-") ||
        (is_word && colon + 1 == word.size()))
        return colon;
    return std::nullopt;
}

shell_arguments split_arguments(const std::vector<shell_word>& words, std::size_t first) {
    shell_arguments made;
    for (std::size_t index = first; index < words.size(); ++index) {
        const std::string_view word = words[index].text;
        const auto length = name_length(word);
        if (length)
            made.fields.emplace_back(word.substr(0, *length),
                                     without_blanks(word.substr(*length + 1)));
        else
            append(made.fields.empty() ? made.selection : made.fields.back().second, word);
    }
    return made;
}

} // namespace dtcp_tool
