// SPDX-License-Identifier: Apache-2.0
#include "compare.hpp"

#include <vector>

namespace flowtap::cli {

using config::schema_row;
using config::statement;
using config::word;

namespace {

/// A statement as text, each line behind a sign.
std::string marked(char sign, const statement& shown) {
    std::string out;
    std::string text = to_text(config::tree{{shown}});
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        out += sign;
        out += "   ";
        out.append(text, at, end - at + 1);
        at = end + 1;
    }
    return out;
}

class comparer {
public:
    void compare(const statements& before, const statements& after, const schema_row* parent,
                 const std::vector<word>& here) {
        const auto old = index_of(before, parent);
        const auto next = index_of(after, parent);
        std::string lines;
        std::vector<std::pair<const statement*, const statement*>> deeper;
        for (const statement& was : before) {
            const auto same = next.find(identity_of(parent, was));
            if (same == next.end())
                lines += marked('-', was);
            else if (!was.children.empty() || !same->second->children.empty())
                deeper.emplace_back(&was, same->second);
            else if (!(was == *same->second))
                lines += marked('-', was) + marked('+', *same->second);
        }
        for (const statement& is : after)
            if (!old.contains(identity_of(parent, is)))
                lines += marked('+', is);
        if (!lines.empty())
            text += edit_line(here) + '\n' + lines;
        for (const auto& [was, is] : deeper) {
            std::vector<word> below = here;
            below.insert(below.end(), is->words.begin(), is->words.end());
            compare(was->children, is->children, match_row(parent, is->words).row, below);
        }
    }

    std::string text;
};

} // namespace

std::string compare_text(const config::tree& before, const config::tree& after) {
    comparer compared;
    compared.compare(before.statements, after.statements, nullptr, {});
    return compared.text;
}

std::string written(std::span<const word> words) {
    statement one;
    one.words.assign(words.begin(), words.end());
    if (words.empty())
        return {};
    std::string text = to_text(config::tree{{one}});
    return text.substr(0, text.size() - 2);
}

std::string edit_line(std::span<const word> words) {
    return words.empty() ? "[edit]" : "[edit " + written(words) + ']';
}

} // namespace flowtap::cli
