// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>
#include <span>

#include "bound.hpp"
#include "suggestion.hpp"

namespace flowtap::config {

namespace {

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 64;
    return '"' + escape_text(text.substr(0, longest)) + (text.size() > longest ? "...\"" : "\"");
}

bool holds_others(const schema_row* row) noexcept {
    return row == nullptr || row->kind == statement_kind::hierarchy ||
           row->kind == statement_kind::entry || row->kind == statement_kind::open;
}

bool has_key(const schema_row& row) noexcept {
    return row.kind == statement_kind::entry || row.kind == statement_kind::value;
}

class binder {
public:
    explicit binder(reporter& report) : report_(report) {}

    void bind_all(node& parent, const std::vector<statement>& statements) {
        for (const statement& next : statements)
            if (!next.inactive)
                bind_words(parent, next.words, next);
    }

    /// Reports the hierarchies that say nothing.
    void check_filled(const node& checked) {
        for (const node& child : checked.children) {
            if (child.row->kind == statement_kind::hierarchy && child.row->least > 0 &&
                child.children.empty() && !child.flawed)
                report_.error(child.where,
                              '"' + std::string(keyword_of(*child.row)) +
                                  "\" needs something after it: " + possible(child.row));
            check_filled(child);
        }
    }

private:
    /// `inet, inet6, ccc`
    static std::string possible(const schema_row* parent) {
        std::string names;
        for (const schema_row* child : children_of(parent)) {
            if (!names.empty())
                names += ", ";
            names += keyword_of(*child).empty() ? std::string_view("a name") : keyword_of(*child);
        }
        return names;
    }

    /// Binds the words of a statement from the top of `parent` down, then what stands in its block:
    /// `family inet address 192.0.2.1/24;` is the same as four nested blocks.
    void bind_words(node& parent, std::span<const word> words, const statement& whole) {
        if (words.empty())
            return bind_end(parent, whole);
        const word& first = words.front();
        const schema_row* row = child_named(parent.row, first.text);
        const bool by_keyword = row != nullptr && !keyword_of(*row).empty();
        if (!by_keyword)
            row = child_named(parent.row, "");
        if (row == nullptr)
            return report_unknown(parent, first, whole);
        bind_row(parent, *row, first.where, by_keyword ? words.subspan(1) : words, whole);
    }

    void bind_row(node& parent, const schema_row& row, text_position where,
                  std::span<const word> words, const statement& whole) {
        if (row.kind == statement_kind::list)
            return bind_list(parent, row, where, words, whole);
        std::vector<word> values;
        if (has_key(row)) {
            if (words.empty()) {
                parent.flawed = true;
                return report_.error(where, '"' + std::string(keyword_of(row)) +
                                                "\" needs a value after it");
            }
            if (!check(row, words.front())) {
                parent.flawed = true;
                return;
            }
            values.push_back(words.front());
            words = words.subspan(1);
        }
        node& bound = place(parent, row, where, std::move(values));
        if (row.kind == statement_kind::open &&
            row.belongs_to == permission::target::other_configuration)
            report_.warn(where, '"' + std::string(keyword_of(row)) +
                                    "\" is ignored: this program has no business with it");
        bind_words(bound, words, whole);
    }

    /// What follows the last word: a block, a list, or nothing.
    void bind_end(node& last, const statement& whole) {
        if (whole.has_list && last.row != nullptr && last.row->kind != statement_kind::open)
            report_.error(whole.list.empty() ? whole.words.back().where : whole.list.front().where,
                          '"' + std::string(keyword_of(*last.row)) + "\" does not take a list");
        if (whole.children.empty())
            return;
        if (holds_others(last.row))
            bind_all(last, whole.children);
        else
            report_.error(whole.children.front().words.front().where,
                          "nothing can stand in a block after " +
                              in_quotes(whole.words.back().text));
    }

    void bind_list(node& parent, const schema_row& row, text_position where,
                   std::span<const word> words, const statement& whole) {
        std::vector<word> members(words.begin(), words.end());
        members.insert(members.end(), whole.list.begin(), whole.list.end());
        if (members.size() > 1 && !whole.has_list)
            report_.error(members[1].where, "several values stand between brackets: " +
                                                std::string(keyword_of(row)) + " [ ... ]");
        // An empty list of what is allowed would read as "nothing" to one and "anything" to
        // another.
        if (members.empty())
            report_.error(where, '"' + std::string(keyword_of(row)) + "\" needs a value after it");
        if (!whole.children.empty())
            report_.error(whole.children.front().words.front().where,
                          '"' + std::string(keyword_of(row)) + "\" takes a list, not a block");
        std::erase_if(members, [&](const word& member) { return !check(row, member); });
        node& bound = place(parent, row, where, {});
        // Room first: the set borrows from the values that are there.
        bound.values.reserve(bound.values.size() + members.size());
        std::set<std::string_view> known;
        for (const word& member : bound.values)
            known.insert(member.text);
        for (const word& member : members)
            if (known.insert(member.text).second)
                bound.values.push_back(member);
        if (row.most != 0 && bound.values.size() > row.most)
            report_.error(bound.values[row.most].where,
                          "at most " + std::to_string(row.most) + " can stand here");
    }

    bool check(const schema_row& row, const word& value) {
        const auto checked = check_value(row, value.text);
        if (checked)
            return true;
        std::string message = checked.error().code.message();
        // A secret is never repeated, nor what may be one.
        if (row.shown == visibility::plain)
            message = in_quotes(value.text) + ": " + message;
        if (!checked.error().subject.empty())
            message += " (" + checked.error().subject + ')';
        report_.error(value.where, message);
        return false;
    }

    /// The node of a row in its parent: the one that is there already, or a new one.
    node& place(node& parent, const schema_row& row, text_position where,
                std::vector<word> values) {
        node* found = find_placed(parent, row, values);
        if (found == nullptr) {
            if (row.kind == statement_kind::entry)
                parent.entries.emplace(std::pair(&row, values.front().text),
                                       parent.children.size());
            parent.children.push_back({&row, where, std::move(values), {}, false, {}});
            check_count(parent, row);
            return parent.children.back();
        }
        if (row.kind == statement_kind::value) {
            if (found->values != values)
                report_.warn(where, "this replaces what line " + std::to_string(found->where.line) +
                                        " says: the last one counts");
            found->where = where;
            found->values = std::move(values);
        }
        return *found;
    }

    static node* find_placed(node& parent, const schema_row& row, const std::vector<word>& values) {
        if (row.kind == statement_kind::entry) {
            const auto entry = parent.entries.find(std::pair(&row, values.front().text));
            return entry != parent.entries.end() ? &parent.children[entry->second] : nullptr;
        }
        const auto found = std::find_if(parent.children.begin(), parent.children.end(),
                                        [&](const node& other) { return other.row == &row; });
        return found != parent.children.end() ? &*found : nullptr;
    }

    void check_count(const node& parent, const schema_row& row) {
        if (row.kind != statement_kind::entry || row.most == 0)
            return;
        const auto count = std::count_if(parent.children.begin(), parent.children.end(),
                                         [&](const node& other) { return other.row == &row; });
        if (static_cast<std::uint64_t>(count) > row.most)
            report_.error(parent.children.back().where,
                          "at most " + std::to_string(row.most) + " can stand here");
    }

    void report_unknown(node& parent, const word& first, const statement& whole) {
        if (parent.row != nullptr && parent.row->kind == statement_kind::open)
            return;
        parent.flawed = true;
        if (parent.row != nullptr && !holds_others(parent.row))
            return report_surplus(*parent.row, first, whole);

        std::vector<std::string_view> known;
        for (const schema_row* child : children_of(parent.row))
            known.push_back(keyword_of(*child));
        const std::string_view meant = nearest(first.text, known);
        if (!meant.empty())
            return report_.error(first.where, "there is no statement " + in_quotes(first.text) +
                                                  " here; did you mean \"" + std::string(meant) +
                                                  "\"?");
        if (parent.row == nullptr && !whole.children.empty())
            return report_.warn(first.where, in_quotes(first.text) +
                                                 " is ignored: this program does not know it");
        if (parent.row != nullptr && known.empty())
            return report_surplus(*parent.row, first, whole);
        report_.error(first.where, "there is no statement " + in_quotes(first.text) +
                                       " here; possible: " + possible(parent.row));
    }

    /// Words after a statement that is complete. Often the `;` between two lines is missing.
    void report_surplus(const schema_row& row, const word& surplus, const statement& whole) {
        const auto after =
            std::find_if(whole.words.begin(), whole.words.end(),
                         [&](const word& other) { return other.where == surplus.where; });
        if (after != whole.words.end() && after != whole.words.begin() &&
            std::prev(after)->where.line < surplus.where.line)
            return report_.error(std::prev(after)->where, "the statement does not end with a ;");
        report_.error(surplus.where, "nothing can follow the statement \"" +
                                         std::string(keyword_of(row)) + "\" but a ;");
    }

    reporter& report_;
};

} // namespace

const node* node::find(std::string_view keyword) const {
    for (const node& child : children)
        if (keyword_of(*child.row) == keyword)
            return &child;
    return nullptr;
}

const node* node::find_path(std::initializer_list<std::string_view> keywords) const {
    const node* at = this;
    for (const std::string_view keyword : keywords) {
        at = at->find(keyword);
        if (at == nullptr)
            return nullptr;
    }
    return at;
}

const word* node::value_of(std::string_view keyword) const {
    const node* found = find(keyword);
    return found != nullptr && !found->values.empty() ? &found->values.front() : nullptr;
}

diagnostics reporter::take() {
    std::stable_sort(found_.begin(), found_.end(), [](const diagnostic& a, const diagnostic& b) {
        return std::pair(a.where.line, a.where.column) < std::pair(b.where.line, b.where.column);
    });
    return std::move(found_);
}

node bind(const tree& statements, reporter& report) {
    node top;
    binder bound(report);
    bound.bind_all(top, statements.statements);
    bound.check_filled(top);
    return top;
}

} // namespace flowtap::config
