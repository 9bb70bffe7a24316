// SPDX-License-Identifier: Apache-2.0
#include "check.hpp"

#include <algorithm>
#include <vector>

#include <flowtap/config/load.hpp>

#include "compare.hpp"

namespace flowtap::cli {

using config::statement;
using config::word;

namespace {

/// Where each statement of a configuration stands: its number takes the place of a line.
struct numbering {
    struct place {
        std::vector<word> above;
        std::vector<word> words;
    };
    std::vector<place> places;

    void number(statements& level, const std::vector<word>& above) {
        for (statement& each : level) {
            places.push_back({above, each.words});
            std::size_t column = 0;
            for (word& one : each.words)
                one.where = {places.size(), ++column};
            for (word& one : each.list)
                one.where = {places.size(), ++column};
            std::vector<word> below = above;
            below.insert(below.end(), each.words.begin(), each.words.end());
            number(each.children, below);
        }
    }
};

std::string shown(const config::diagnostic& problem, const numbering& where) {
    std::string text;
    const std::size_t line = problem.where.line;
    if (line > 0 && line <= where.places.size()) {
        const numbering::place& place = where.places[line - 1];
        // The last word may be a secret; what a statement is begins with its keyword.
        const auto keyword = std::span(place.words).first(1);
        text += edit_line(place.above) + "\n  '" + written(keyword) + "'\n    ";
    }
    if (problem.level == config::severity::warning)
        text += "warning: ";
    return text + problem.message + '\n';
}

} // namespace

verdict check(const viewer& who, const version& checked) {
    version numbered = checked;
    numbering where;
    where.number(numbered.written.statements, {});
    const config::loaded all = config::load(numbered.written, "");
    const config::loaded seen = config::load(who.visible(numbered), "");
    verdict said{all.ok(), {}};
    for (const config::diagnostic& problem : all.found)
        if (std::find(seen.found.begin(), seen.found.end(), problem) != seen.found.end())
            said.text += shown(problem, where);
    return said;
}

} // namespace flowtap::cli
