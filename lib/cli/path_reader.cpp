// SPDX-License-Identifier: Apache-2.0
#include "path_reader.hpp"

#include <algorithm>

#include <flowtap/core/error.hpp>

#include "reader.hpp"

namespace flowtap::cli {

using config::schema_row;
using config::statement;
using config::statement_kind;
using config::value_type;
using config::word;
using permission::operation;

namespace {

/// The possible values of a row, when there is a list of them.
std::vector<std::string> fixed_values(const schema_row& row) {
    std::vector<std::string> values;
    if (row.type == value_type::permission)
        for (std::size_t number = 0; number < permission::bit_count; ++number)
            values.emplace_back(permission::to_word(static_cast<permission::bit>(number)));
    for (std::string_view rest = row.choices; !rest.empty();) {
        const std::string_view one = rest.substr(0, rest.find(' '));
        values.emplace_back(one);
        rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    }
    return values;
}

std::string_view type_name(value_type type) noexcept {
    switch (type) {
    case value_type::none:
    case value_type::choice:
    case value_type::text:
        return "text";
    case value_type::name:
        return "name";
    case value_type::number:
        return "number";
    case value_type::port:
        return "port";
    case value_type::address:
    case value_type::ipv4_address:
        return "address";
    case value_type::prefix:
        return "prefix";
    case value_type::interface_name:
    case value_type::unit_name:
        return "interface";
    case value_type::device_name:
        return "device";
    case value_type::secret:
        return "secret";
    case value_type::password_hash:
        return "hash";
    case value_type::public_key:
        return "key";
    case value_type::bandwidth:
        return "bits-per-second";
    case value_type::permission:
        return "permission";
    case value_type::version:
        return "version";
    }
    return "text";
}

/// `<number>` with the help of its row, and its range.
choice placeholder(const schema_row& row) {
    std::string help(row.help);
    if (row.type == value_type::number && row.kind == statement_kind::value)
        help += " (" + std::to_string(row.least) + ".." + std::to_string(row.most) + ')';
    return {'<' + std::string(type_name(row.type)) + '>', help, true};
}

std::string unknown(const typed_word& typed) {
    constexpr std::size_t longest = 64;
    return "syntax error: \"" + escape_text(std::string_view(typed.text).substr(0, longest)) +
           (typed.text.size() > longest ? "...\"" : "\"") + " is not known here";
}

/// What is wrong with a value; never holds it.
std::string problem_with(const schema_row& row, const std::string& value) {
    const auto checked = check_value(row, value);
    if (checked)
        return {};
    std::string why = "invalid value: " + checked.error().code.message();
    if (!checked.error().subject.empty())
        why += " (" + checked.error().subject + ')';
    return why;
}

} // namespace

path_reader::path_reader(const viewer& who, path_use use, const config::tree& seen,
                         const std::vector<word>& level)
    : who_(who), use_(use), seen_(seen) {
    start_at(level);
}

void path_reader::start_at(const std::vector<word>& level) {
    for (std::span<const word> rest = level; !rest.empty();) {
        const row_match matched = match_row(row_, rest);
        if (matched.row == nullptr) {
            path_.push_back({nullptr, {rest.begin(), rest.end()}});
            break;
        }
        row_ = matched.row;
        path_.push_back({row_, {rest.begin(), rest.begin() + static_cast<long>(matched.count)}});
        rest = rest.subspan(matched.count);
    }
    level_steps_ = path_.size();
}

operation path_reader::needed() const noexcept {
    return use_ == path_use::show ? operation::view : operation::change;
}

std::vector<word> path_reader::words() const {
    std::vector<word> all = words_of(path_);
    all.insert(all.end(), pending_words_.begin(), pending_words_.end());
    if (use_ != path_use::set)
        all.insert(all.end(), members_.begin(), members_.end());
    return all;
}

bool path_reader::may_end() const {
    if (in_list_)
        return false;
    const bool goes_on_from_level = path_.size() > level_steps_ || pending_ != nullptr;
    switch (use_) {
    case path_use::show:
        return true;
    case path_use::remove:
        return goes_on_from_level;
    case path_use::edit:
        return goes_on_from_level && pending_ == nullptr;
    case path_use::set:
        break;
    }
    if (is_done_)
        return true;
    // A hierarchy with nothing in it may be one whose other half is hidden.
    return goes_on_from_level && pending_ == nullptr &&
           (row_->kind != statement_kind::hierarchy || who_.covers(*row_, operation::change));
}

std::vector<choice> path_reader::choices() const {
    if (is_done_)
        return {};
    return pending_ != nullptr ? values_here() : statements_here();
}

std::vector<choice> path_reader::statements_here() const {
    std::vector<choice> possible;
    if (row_ != nullptr && row_->kind == statement_kind::open && use_ == path_use::set)
        possible.push_back({"<text>", "Any statement", true});
    for (const schema_row* child : children_of(row_)) {
        const bool leads_on = use_ != path_use::edit || holds_others(child);
        if (!leads_on || !who_.reaches(*child, needed()))
            continue;
        if (!keyword_of(*child).empty()) {
            possible.push_back({std::string(keyword_of(*child)), std::string(child->help)});
            continue;
        }
        if (use_ == path_use::set || use_ == path_use::edit)
            possible.push_back(placeholder(*child));
        for (const statement& each : select(seen_, words_of(path_)).found)
            if (match_row(row_, each.words).row == child)
                possible.push_back({each.words.front().text, std::string(child->help)});
    }
    return possible;
}

std::vector<std::string> path_reader::keys_here() const {
    std::vector<std::string> keys;
    for (const statement& each : select(seen_, words_of(path_)).found) {
        if (match_row(row_, each.words).row != pending_)
            continue;
        for (const word& one : members_of(each))
            keys.push_back(one.text);
    }
    return keys;
}

std::vector<choice> path_reader::values_here() const {
    std::vector<choice> possible;
    const bool is_new = use_ == path_use::set || use_ == path_use::edit;
    const std::vector<std::string> fixed = fixed_values(*pending_);
    if (is_new && fixed.empty())
        possible.push_back(placeholder(*pending_));
    if (is_new && pending_->kind == statement_kind::list)
        possible.push_back(in_list_ ? choice{"]", "End of the list"}
                                    : choice{"[", "Beginning of a list"});
    if (is_new)
        for (const std::string& each : fixed)
            possible.push_back({each, std::string(pending_->help)});
    const bool has_keys = pending_->kind == statement_kind::entry ||
                          (pending_->kind == statement_kind::list && !is_new);
    if (has_keys)
        for (const std::string& each : keys_here())
            possible.push_back({each, std::string(pending_->help)});
    return possible;
}

std::string path_reader::take(const typed_word& typed) {
    if (is_done_)
        return unknown(typed);
    if (pending_ != nullptr)
        return take_value(typed);
    if (!path_.empty() && path_.back().row == nullptr)
        return take_open(typed);
    return take_statement(typed);
}

std::string path_reader::take_statement(const typed_word& typed) {
    std::vector<choice> keywords;
    const schema_row* keyless = nullptr;
    for (const schema_row* child : children_of(row_)) {
        if ((use_ == path_use::edit && !holds_others(child)) || !who_.reaches(*child, needed()))
            continue;
        if (keyword_of(*child).empty())
            keyless = child;
        else
            keywords.push_back({std::string(keyword_of(*child)), {}});
    }
    const meaning meant = typed.quoted ? meaning{} : resolve(keywords, typed.text);
    if (meant.word) {
        const schema_row& row = *child_named(row_, *meant.word);
        return begin(row, {word{*meant.word}});
    }
    if (!meant.problem.empty())
        return meant.problem;
    if (keyless != nullptr && !typed.is("[") && !typed.is("]")) {
        pending_ = keyless;
        return take_value(typed);
    }
    if (row_ != nullptr && row_->kind == statement_kind::open)
        return take_open(typed);
    return unknown(typed);
}

/// A statement's keyword was read.
std::string path_reader::begin(const schema_row& row, std::vector<word> words) {
    if (row.kind == statement_kind::entry || row.kind == statement_kind::value ||
        row.kind == statement_kind::list) {
        pending_ = &row;
        pending_words_ = std::move(words);
        return {};
    }
    path_.push_back({&row, std::move(words)});
    row_ = &row;
    is_done_ = row.kind == statement_kind::flag;
    return {};
}

std::string path_reader::take_value(const typed_word& typed) {
    const schema_row& row = *pending_;
    const bool is_list = row.kind == statement_kind::list;
    const bool is_new = use_ == path_use::set || use_ == path_use::edit;
    if (is_list && is_new && !in_list_ && typed.is("[")) {
        in_list_ = true;
        return {};
    }
    const bool ends_list = in_list_ && typed.is("]");
    if (ends_list && members_.empty())
        return "syntax error: the list is empty";
    if (!ends_list && (typed.is("[") || typed.is("]")))
        return unknown(typed);
    if (!ends_list) {
        std::string value = typed.text;
        if (is_new && row.type == value_type::choice && !typed.quoted) {
            std::vector<choice> fixed;
            for (const std::string& each : fixed_values(row))
                fixed.push_back({each, {}});
            value = resolve(fixed, typed.text).word.value_or(value);
        }
        if (is_new)
            if (std::string wrong = problem_with(row, value); !wrong.empty())
                return wrong;
        (is_list ? members_ : pending_words_).push_back({value});
        if (in_list_)
            return {};
    }
    path_.push_back({&row, std::move(pending_words_)});
    pending_words_.clear();
    row_ = pending_;
    pending_ = nullptr;
    in_list_ = false;
    is_done_ = row.kind != statement_kind::entry;
    return {};
}

/// Words of a hierarchy in which anything can stand are one statement.
std::string path_reader::take_open(const typed_word& typed) {
    if (typed.is("[") || typed.is("]"))
        return unknown(typed);
    if (path_.empty() || path_.back().row != nullptr)
        path_.push_back({nullptr, {}});
    path_.back().words.push_back({typed.text});
    return {};
}

} // namespace flowtap::cli
