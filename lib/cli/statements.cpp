// SPDX-License-Identifier: Apache-2.0
#include "statements.hpp"

#include <algorithm>

namespace flowtap::cli {

using config::schema_row;
using config::statement;
using config::statement_kind;
using config::word;

namespace {

bool has_key(const schema_row& row) noexcept {
    return row.kind == statement_kind::entry || row.kind == statement_kind::value;
}

void set_members(statement& list, std::vector<word> members) {
    list.words.resize(1);
    list.has_list = members.size() != 1;
    if (list.has_list)
        list.list = std::move(members);
    else {
        list.list.clear();
        list.words.push_back(std::move(members.front()));
    }
}

void append_members(statement& list, std::span<const word> added) {
    std::vector<word> members = members_of(list);
    for (const word& each : added)
        if (std::find(members.begin(), members.end(), each) == members.end())
            members.push_back(each);
    set_members(list, std::move(members));
}

/// The statement that these words mean, if it is there: one in force rather than an inactive one.
statement* find(statements& level, const schema_row* parent, const statement& like) {
    const std::string identity = identity_of(parent, like);
    const auto found = std::find_if(level.begin(), level.end(), [&](const statement& other) {
        return identity_of(parent, other) == identity;
    });
    return found != level.end() ? &*found : nullptr;
}

class normalizer {
public:
    static void add_all(statements& level, const schema_row* parent, const statements& written) {
        for (const statement& each : written)
            add(level, parent, each.words, each);
    }

private:
    static void add(statements& level, const schema_row* parent, std::span<const word> words,
                    const statement& whole) {
        const row_match matched = match_row(parent, words);
        if (matched.row == nullptr)
            return keep(level, words, whole);
        const bool is_list = matched.row->kind == statement_kind::list;
        const bool is_last = is_list || words.size() == matched.count;
        statement& here =
            place(level, parent, words.first(matched.count), is_last && whole.inactive);
        if (is_list) {
            append_members(here, words.subspan(matched.count));
            append_members(here, whole.list);
        } else if (!is_last) {
            return add(here.children, matched.row, words.subspan(matched.count), whole);
        } else if (whole.has_list) {
            here.has_list = true;
            here.list = whole.list;
        }
        here.marked_secret |= whole.marked_secret;
        add_all(here.children, matched.row, whole.children);
    }

    static void keep(statements& level, std::span<const word> words, const statement& whole) {
        statement kept = whole;
        kept.words.assign(words.begin(), words.end());
        if (!kept.words.empty())
            level.push_back(std::move(kept));
    }

    /// The statement with these words; of a value, the one that they replace.
    static statement& place(statements& level, const schema_row* parent,
                            std::span<const word> words, bool inactive) {
        statement wanted;
        wanted.words.assign(words.begin(), words.end());
        wanted.inactive = inactive;
        if (statement* const found = find(level, parent, wanted)) {
            if (match_row(parent, words).row->kind == statement_kind::value)
                found->words = wanted.words;
            return *found;
        }
        level.push_back(std::move(wanted));
        return level.back();
    }
};

void insert(statements& level, const schema_row* parent, std::span<const step> path,
            std::span<const word> members) {
    if (path.empty())
        return;
    const step& next = path.front();
    statement wanted;
    wanted.words = next.words;
    statement* here = find(level, parent, wanted);
    if (here == nullptr) {
        wanted.inactive = true;
        here = find(level, parent, wanted);
    }
    if (here == nullptr) {
        wanted.inactive = false;
        level.push_back(wanted);
        here = &level.back();
    }
    if (next.row != nullptr && next.row->kind == statement_kind::value)
        here->words = next.words;
    if (next.row != nullptr && next.row->kind == statement_kind::list)
        return append_members(*here, members);
    insert(here->children, next.row, path.subspan(1), members);
}

bool is_list(const schema_row* row) noexcept {
    return row != nullptr && row->kind == statement_kind::list;
}

bool starts_with(std::span<const word> words, std::span<const word> start) {
    return start.size() <= words.size() && std::equal(start.begin(), start.end(), words.begin());
}

/// Takes a member out of a list; true if it was there.
bool erase_member(statement& list, const word& member) {
    std::vector<word> members = members_of(list);
    const auto found = std::find(members.begin(), members.end(), member);
    if (found == members.end())
        return false;
    members.erase(found);
    set_members(list, std::move(members));
    return true;
}

/// A hierarchy that has lost its last statement says nothing any more; an entry still does.
bool is_spent(const statement& of, const schema_row* row) noexcept {
    return of.children.empty() && !of.has_list &&
           (row == nullptr || row->kind != statement_kind::entry);
}

bool erase(statements& level, const schema_row* parent, std::span<const word> words) {
    bool erased = false;
    for (auto each = level.begin(); each != level.end();) {
        const schema_row* row = match_row(parent, each->words).row;
        if (!(is_list(row) && words.size() > 1) && starts_with(each->words, words)) {
            each = level.erase(each);
            erased = true;
            continue;
        }
        bool gone = false;
        if (is_list(row) && words.size() == 2 && each->words.front() == words.front()) {
            gone = erase_member(*each, words[1]);
            if (gone && members_of(*each).empty()) {
                each = level.erase(each);
                erased = true;
                continue;
            }
        } else if (words.size() > each->words.size() && starts_with(words, each->words)) {
            gone = erase(each->children, row, words.subspan(each->words.size()));
            if (gone && is_spent(*each, row)) {
                each = level.erase(each);
                erased = true;
                continue;
            }
        }
        erased |= gone;
        ++each;
    }
    return erased;
}

void select(const statements& level, std::span<const word> words, selection& chosen) {
    for (const statement& each : level) {
        if (words.size() < each.words.size() || each.children.empty()) {
            // Of a list, a member may be named, too.
            const bool names_member =
                words.size() == 2 && each.has_list && each.words.front() == words.front() &&
                std::find(each.list.begin(), each.list.end(), words[1]) != each.list.end();
            if (starts_with(each.words, words) || names_member)
                chosen.found.push_back(each);
        } else if (starts_with(words, each.words)) {
            chosen.above.insert(chosen.above.end(), each.words.begin(), each.words.end());
            const auto rest = words.subspan(each.words.size());
            if (rest.empty())
                chosen.found = each.children;
            else
                select(each.children, rest, chosen);
            return;
        }
    }
}

} // namespace

bool holds_others(const schema_row* row) noexcept {
    return row == nullptr || row->kind == statement_kind::hierarchy ||
           row->kind == statement_kind::entry || row->kind == statement_kind::open;
}

row_match match_row(const schema_row* parent, std::span<const word> words) {
    if (words.empty() || !holds_others(parent))
        return {};
    const schema_row* row = child_named(parent, words.front().text);
    const bool by_keyword = row != nullptr && !keyword_of(*row).empty();
    if (!by_keyword)
        row = child_named(parent, "");
    if (row == nullptr)
        return {};
    const std::size_t count = (by_keyword ? 1 : 0) + (has_key(*row) ? 1 : 0);
    if (count > words.size())
        return {};
    return {row, count};
}

config::tree normalized(const config::tree& written) {
    config::tree made;
    normalizer::add_all(made.statements, nullptr, written.statements);
    return made;
}

std::string identity_of(const schema_row* parent, const statement& of) {
    const row_match matched = match_row(parent, of.words);
    std::size_t count = of.words.size();
    if (matched.row != nullptr && matched.row->kind == statement_kind::value)
        count = matched.count - 1;
    else if (is_list(matched.row))
        count = 1;
    // A value of secrets that is hidden has its keyword alone.
    std::string identity(1, of.inactive ? '-' : '+');
    for (const word& each : std::span(of.words).first(std::min(count, of.words.size()))) {
        identity += each.text;
        identity += '\0';
    }
    return identity;
}

by_identity index_of(const statements& level, const schema_row* parent) {
    by_identity names;
    for (const statement& each : level)
        names.emplace(identity_of(parent, each), &each);
    return names;
}

std::vector<word> members_of(const statement& list) {
    std::vector<word> members(list.words.begin() + (list.words.empty() ? 0 : 1), list.words.end());
    members.insert(members.end(), list.list.begin(), list.list.end());
    return members;
}

std::vector<word> words_of(std::span<const step> path) {
    std::vector<word> words;
    for (const step& each : path)
        words.insert(words.end(), each.words.begin(), each.words.end());
    return words;
}

void insert(config::tree& into, std::span<const step> path, std::span<const word> members) {
    insert(into.statements, nullptr, path, members);
}

bool erase(config::tree& from, std::span<const word> words) {
    return erase(from.statements, nullptr, words);
}

selection select(const config::tree& from, std::span<const word> words) {
    selection chosen;
    if (words.empty())
        chosen.found = from.statements;
    else
        select(from.statements, words, chosen);
    return chosen;
}

std::size_t octets_of(const statements& of) noexcept {
    std::size_t octets = 0;
    for (const statement& each : of) {
        octets += 2 + octets_of(each.children);
        for (const word& one : each.words)
            octets += one.text.size() + 1;
        for (const word& one : each.list)
            octets += one.text.size() + 1;
    }
    return octets;
}

} // namespace flowtap::cli
