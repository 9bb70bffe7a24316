// SPDX-License-Identifier: Apache-2.0
#include "words.hpp"

#include <algorithm>

#include <flowtap/cli/session.hpp>

namespace flowtap::cli {

namespace {

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

bool is_sign(char c) noexcept {
    return c == '|' || c == '[' || c == ']';
}

bool is_control(char c) noexcept {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

/// Reads a string from behind its opening quote to behind its closing one; false if it has none.
bool read_string(std::string_view line, std::size_t& at, std::string& text) {
    for (; at < line.size(); ++at) {
        char letter = line[at];
        if (letter == '"') {
            ++at;
            return true;
        }
        constexpr std::string_view escapes = "\"\\nt";
        constexpr std::string_view meanings = "\"\\\n\t";
        if (letter == '\\' && at + 1 < line.size())
            if (const std::size_t which = escapes.find(line[at + 1]);
                which != std::string_view::npos) {
                letter = meanings[which];
                ++at;
            }
        text += letter;
    }
    return false;
}

} // namespace

typed_line read_words(std::string_view line) {
    typed_line read;
    if (const auto bad = std::find_if(line.begin(), line.end(), is_control); bad != line.end()) {
        read.problem = "a control character stands in the line";
        read.problem_at = static_cast<std::size_t>(bad - line.begin());
        return read;
    }
    for (std::size_t at = 0; at < line.size();) {
        if (is_blank(line[at])) {
            ++at;
            continue;
        }
        typed_word next{{}, at, line[at] == '"'};
        if (next.quoted) {
            if (!read_string(line, ++at, next.text)) {
                read.problem = "a string does not end";
                read.problem_at = next.at;
                return read;
            }
        } else if (is_sign(line[at])) {
            next.text = line[at++];
        } else {
            while (at < line.size() && !is_blank(line[at]) && !is_sign(line[at]) && line[at] != '"')
                next.text += line[at++];
        }
        read.is_last_open = at == line.size() && !next.quoted && !is_sign(next.text.front());
        read.words.push_back(std::move(next));
    }
    return read;
}

std::vector<std::string_view> split_commands(std::string_view lines) {
    std::vector<std::string_view> commands;
    bool in_string = false;
    std::size_t start = 0;
    for (std::size_t at = 0; at <= lines.size(); ++at) {
        const char letter = at < lines.size() ? lines[at] : '\n';
        const char after = at + 1 < lines.size() ? lines[at + 1] : '\n';
        if (in_string && letter == '\\' && (after == '"' || after == '\\')) {
            ++at;
        } else if (letter == '"') {
            in_string = !in_string;
        } else if (letter == '\n' || (letter == ';' && !in_string)) {
            // A string ends on its line.
            in_string = false;
            std::string_view command = lines.substr(start, at - start);
            while (!command.empty() && (is_blank(command.front()) || command.front() == '\r'))
                command.remove_prefix(1);
            while (!command.empty() && (is_blank(command.back()) || command.back() == '\r'))
                command.remove_suffix(1);
            if (!command.empty())
                commands.push_back(command);
            start = std::min(at + 1, lines.size());
        }
    }
    return commands;
}

} // namespace flowtap::cli
