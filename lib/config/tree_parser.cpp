// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <flowtap/config/tree.hpp>

#include "tokens.hpp"

namespace flowtap::config {

namespace {

/// Builds the tree from tokens, with a stack of its own: a text cannot exhaust the program's.
class builder {
public:
    builder(std::string_view text, const syntax_limits& limits) : source_(text), limits_(limits) {}

    parsed_tree build() {
        for (token next = source_.next();; next = source_.next()) {
            if (next.kind == token_kind::end) {
                finish(next);
                return std::move(done_);
            }
            take(next);
        }
    }

private:
    /// A block that is being read: the statement it belongs to, and what stands in it so far.
    struct block {
        statement head;
        text_position opened;
        std::vector<statement> children;
    };

    void report(errc problem, text_position where, std::string about = {}) {
        // After a limit nothing more is said: what follows is out of step.
        if (!given_up_)
            done_.errors.emplace_back(make_error_code(problem), where, std::move(about));
    }

    std::vector<statement>& level() {
        return blocks_.empty() ? done_.statements.statements : blocks_.back().children;
    }

    void take(token& next) {
        if (next.kind != token_kind::secret_mark)
            last_ = no_line;
        switch (next.kind) {
        case token_kind::word:
            return take_word(next);
        case token_kind::semicolon:
            return take_semicolon(next);
        case token_kind::open_brace:
            return open_block(next);
        case token_kind::close_brace:
            return close_block(next);
        case token_kind::open_bracket:
            return open_list(next);
        case token_kind::close_bracket:
            return close_list(next);
        case token_kind::secret_mark:
            return mark_secret(next);
        case token_kind::bad:
            // One is enough: `(a | b)` is one mistake.
            if (!damaged_ || next.problem != errc::unexpected_octet)
                report(next.problem, next.where, next.text);
            damaged_ = true;
            return;
        case token_kind::end:
            return;
        }
    }

    void take_word(token& next) {
        if (!in_list_ && current_.words.empty() && !current_.inactive && !next.quoted &&
            next.text == "inactive:") {
            current_.inactive = true;
            return;
        }
        if (!in_list_ && current_.has_list) {
            report(errc::missing_semicolon, next.where);
            end_statement();
        }
        (in_list_ ? current_.list : current_.words).push_back({std::move(next.text), next.where});
    }

    void open_list(const token& next) {
        if (current_.words.empty() || current_.has_list) {
            damaged_ = true;
            return report(errc::unexpected_bracket, next.where);
        }
        current_.has_list = true;
        in_list_ = true;
        list_opened_ = next.where;
    }

    void close_list(const token& next) {
        if (!in_list_)
            report(errc::unexpected_bracket, next.where);
        in_list_ = false;
    }

    /// A list that something else than `]` ends.
    void close_unfinished_list() {
        if (in_list_)
            report(errc::unfinished_list, list_opened_);
        in_list_ = false;
    }

    void take_semicolon(const token& next) {
        close_unfinished_list();
        if (current_.words.empty() && !damaged_)
            report(errc::unexpected_semicolon, next.where);
        end_statement();
        last_ = next.where.line;
    }

    /// Keeps the statement that has been read, unless something in it could not be.
    void end_statement() {
        if (!current_.words.empty() && !damaged_)
            level().push_back(std::move(current_));
        current_ = {};
        damaged_ = false;
    }

    void open_block(const token& next) {
        close_unfinished_list();
        if (current_.has_list || (current_.words.empty() && !damaged_))
            report(errc::unexpected_brace, next.where);
        current_.has_list = false;
        current_.list.clear();
        if (blocks_.size() >= limits_.depth) {
            report(errc::too_deep, next.where);
            given_up_ = true;
        }
        if (given_up_) {
            ++ignored_depth_;
            current_ = {};
            return;
        }
        blocks_.push_back({std::move(current_), next.where, {}});
        current_ = {};
        damaged_ = false;
    }

    void close_block(const token& next) {
        close_unfinished_list();
        if (!current_.words.empty() && !damaged_)
            report(errc::missing_semicolon, current_.words.front().where);
        end_statement();
        if (ignored_depth_ > 0) {
            --ignored_depth_;
            return;
        }
        if (blocks_.empty())
            return report(errc::unexpected_brace, next.where);
        leave_block();
        last_ = next.where.line;
    }

    void leave_block() {
        block closed = std::move(blocks_.back());
        blocks_.pop_back();
        closed.head.children = std::move(closed.children);
        if (!closed.head.words.empty())
            level().push_back(std::move(closed.head));
    }

    void mark_secret(const token& next) {
        if (last_ == next.where.line && !level().empty())
            level().back().marked_secret = true;
    }

    void finish(const token&) {
        close_unfinished_list();
        if (!current_.words.empty() && !damaged_)
            report(errc::missing_semicolon, current_.words.front().where);
        end_statement();
        while (!blocks_.empty()) {
            report(errc::unfinished_block, blocks_.back().opened);
            leave_block();
        }
    }

    static constexpr std::size_t no_line = 0;

    tokenizer source_;
    syntax_limits limits_;
    parsed_tree done_;
    std::vector<block> blocks_;
    statement current_;
    bool in_list_ = false;
    text_position list_opened_;
    /// Something in the current statement could not be read; the statement is left out.
    bool damaged_ = false;
    bool given_up_ = false;
    std::size_t ignored_depth_ = 0;
    /// The line in which the last statement ended, if nothing came since; else 0.
    std::size_t last_ = no_line;
};

} // namespace

parsed_tree parse_tree(std::string_view text, const syntax_limits& limits) {
    if (text.size() > limits.octets) {
        parsed_tree refused;
        refused.errors.emplace_back(make_error_code(errc::text_too_long), text_position{1, 1}, "");
        return refused;
    }
    return builder(text, limits).build();
}

} // namespace flowtap::config
