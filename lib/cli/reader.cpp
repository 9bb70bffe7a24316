// SPDX-License-Identifier: Apache-2.0
#include "reader.hpp"

#include <algorithm>
#include <utility>

#include <flowtap/core/error.hpp>

namespace flowtap::cli {

namespace {

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 64;
    return '"' + escape_text(text.substr(0, longest)) + (text.size() > longest ? "...\"" : "\"");
}

} // namespace

reader::reader(typed_line line, purpose what) : line_(std::move(line)), what_(what) {
    if (!line_.problem.empty())
        fail_at(line_.problem, line_.problem_at);
    else if (is_completing() && line_.is_last_open && !line_.words.empty()) {
        partial_ = std::move(line_.words.back().text);
        line_.words.pop_back();
    }
}

const typed_word* reader::next() const noexcept {
    return is_at_end() ? nullptr : &line_.words[at_];
}

std::optional<std::string> reader::pick(const std::vector<choice>& choices) {
    const typed_word* const typed = next();
    if (typed == nullptr) {
        offer(choices);
        return std::nullopt;
    }
    meaning meant = typed->quoted ? meaning{} : resolve(choices, typed->text);
    if (!meant.word) {
        fail(meant.problem.empty()
                 ? "syntax error: " + in_quotes(typed->text) + " is not known here"
                 : meant.problem);
        return std::nullopt;
    }
    pass();
    return meant.word;
}

void reader::offer(const std::vector<choice>& choices) {
    if (!is_completing())
        return fail("syntax error: the command is not complete");
    for (const choice& each : choices) {
        // A word that has begun is not the end.
        if (each.word == end_of_line && !partial_.empty())
            continue;
        if (each.placeholder || each.word.starts_with(partial_))
            offered_.push_back(each);
    }
    std::stable_sort(offered_.begin(), offered_.end(), [](const choice& a, const choice& b) {
        return std::pair(!a.placeholder, std::string_view(a.word)) <
               std::pair(!b.placeholder, std::string_view(b.word));
    });
}

void reader::fail(std::string why) {
    const typed_word* const typed = next();
    std::size_t column = typed != nullptr ? typed->at : 0;
    if (typed == nullptr && !line_.words.empty())
        column = line_.words.back().at + line_.words.back().text.size();
    fail_at(std::move(why), column);
}

void reader::fail_at(std::string why, std::size_t column) {
    if (has_failed())
        return;
    error_ = std::move(why);
    fault_ = column;
}

meaning resolve(const std::vector<choice>& choices, std::string_view typed) {
    std::vector<std::string_view> possible;
    for (const choice& each : choices) {
        if (each.placeholder)
            continue;
        if (each.word == typed)
            return {each.word, {}};
        if (!typed.empty() && each.word.starts_with(typed))
            possible.push_back(each.word);
    }
    if (possible.size() == 1)
        return {std::string(possible.front()), {}};
    if (possible.empty())
        return {};
    std::sort(possible.begin(), possible.end());
    std::string problem = in_quotes(typed) + " is ambiguous:";
    for (const std::string_view each : possible)
        (problem += ' ') += each;
    return {std::nullopt, problem};
}

} // namespace flowtap::cli
