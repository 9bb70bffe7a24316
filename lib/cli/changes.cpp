// SPDX-License-Identifier: Apache-2.0
#include "changes.hpp"

#include <map>
#include <optional>
#include <set>

namespace flowtap::cli {

using config::schema_row;
using config::statement;
using config::word;

namespace {

const statement* look_up(const by_identity& among, const std::string& name) {
    const auto there = among.find(name);
    return there != among.end() ? there->second : nullptr;
}

const statements& children_of_one(const statement* parent) {
    static const statements none;
    return parent != nullptr ? parent->children : none;
}

const schema_row* row_of(const schema_row* parent, const statement& of) {
    return match_row(parent, of.words).row;
}

/// Calls `visit` with each name of several levels once, in their order.
template <class Visit>
void each_name(const schema_row* parent, std::initializer_list<const statements*> levels,
               Visit visit) {
    std::set<std::string> seen;
    for (const statements* level : levels)
        for (const statement& each : *level)
            if (std::string name = identity_of(parent, each); seen.insert(name).second)
                visit(name);
}

std::vector<word> joined(std::vector<word> above, const statement& below) {
    above.insert(above.end(), below.words.begin(), below.words.end());
    return above;
}

void compare(const statements& before, const statements& after, const schema_row* parent,
             const std::vector<word>& above, std::vector<change>& out) {
    const by_identity old = index_of(before, parent);
    const by_identity next = index_of(after, parent);
    each_name(parent, {&before, &after}, [&](const std::string& name) {
        const statement* const was = look_up(old, name);
        const statement* const is = look_up(next, name);
        if (was != nullptr && is != nullptr && *was == *is)
            return;
        const statement& named = is != nullptr ? *is : *was;
        const std::vector<word> words = joined(above, named);
        if (children_of_one(was).empty() && children_of_one(is).empty())
            out.push_back({words, was, is});
        else
            compare(children_of_one(was), children_of_one(is), row_of(parent, named), words, out);
    });
}

/// Goes from one configuration towards another as far as somebody may.
class walker {
public:
    walker(const viewer& who, const version& from, const version& to)
        : who_(who), from_(from), to_(to) {}

    statements walk(const statements& from, const statements& to, const schema_row* parent,
                    const std::vector<word>& above) {
        const by_identity old = index_of(from, parent);
        const by_identity next = index_of(to, parent);
        statements reached;
        each_name(parent, {&from, &to}, [&](const std::string& name) {
            if (auto one = walk(look_up(old, name), look_up(next, name), parent, above))
                reached.push_back(std::move(*one));
        });
        return reached;
    }

    bool whole = true;

private:
    std::optional<statement> walk(const statement* was, const statement* is,
                                  const schema_row* parent, const std::vector<word>& above) {
        if (was != nullptr && is != nullptr && *was == *is)
            return *was;
        const statement& named = is != nullptr ? *is : *was;
        const std::vector<word> words = joined(above, named);
        if (children_of_one(was).empty() && children_of_one(is).empty()) {
            const bool allowed = who_.may_change(words, from_.logins, to_.logins);
            whole &= allowed;
            const statement* const taken = allowed ? is : was;
            return taken != nullptr ? std::optional(*taken) : std::nullopt;
        }
        statement here = named;
        here.children =
            walk(children_of_one(was), children_of_one(is), row_of(parent, named), words);
        // It is there when something in it is, or when it itself was to be.
        if (here.children.empty() && (is == nullptr || !is->children.empty()))
            return std::nullopt;
        return here;
    }

    const viewer& who_;
    const version& from_;
    const version& to_;
};

bool same(const statement* a, const statement* b) {
    return a == b || (a != nullptr && b != nullptr && *a == *b);
}

class merger {
public:
    statements merge(const statements& base, const statements& mine, const statements& theirs,
                     const schema_row* parent, const std::vector<word>& above) {
        const by_identity old = index_of(base, parent);
        const by_identity ours = index_of(mine, parent);
        const by_identity other = index_of(theirs, parent);
        statements made;
        each_name(parent, {&theirs, &mine, &base}, [&](const std::string& name) {
            if (auto one = merge(look_up(old, name), look_up(ours, name), look_up(other, name),
                                 parent, above))
                made.push_back(std::move(*one));
        });
        return made;
    }

    std::vector<std::vector<word>> conflicts;

private:
    std::optional<statement> merge(const statement* base, const statement* mine,
                                   const statement* theirs, const schema_row* parent,
                                   const std::vector<word>& above) {
        if (same(base, mine) || same(mine, theirs))
            return theirs != nullptr ? std::optional(*theirs) : std::nullopt;
        if (same(base, theirs))
            return mine != nullptr ? std::optional(*mine) : std::nullopt;
        const statement& named = theirs != nullptr ? *theirs : mine != nullptr ? *mine : *base;
        const std::vector<word> words = joined(above, named);
        if (children_of_one(base).empty() && children_of_one(mine).empty() &&
            children_of_one(theirs).empty()) {
            conflicts.push_back(words);
            return named;
        }
        statement here = named;
        here.children = merge(children_of_one(base), children_of_one(mine), children_of_one(theirs),
                              row_of(parent, named), words);
        if (here.children.empty() && (mine == nullptr || theirs == nullptr))
            return std::nullopt;
        return here;
    }
};

} // namespace

std::vector<change> changes_between(const config::tree& before, const config::tree& after) {
    std::vector<change> found;
    compare(before.statements, after.statements, nullptr, {}, found);
    return found;
}

std::vector<change> forbidden(const viewer& who, const version& before, const version& after) {
    std::vector<change> found = changes_between(before.written, after.written);
    std::erase_if(found, [&](const change& each) {
        return who.may_change(each.words, before.logins, after.logins);
    });
    return found;
}

config::tree with_allowed_changes(const viewer& who, const version& from, const version& to,
                                  bool& whole) {
    walker walked(who, from, to);
    config::tree reached{walked.walk(from.written.statements, to.written.statements, nullptr, {})};
    whole = walked.whole;
    // All of it was allowed: the order of the statements, too.
    return whole ? to.written : reached;
}

merged merge(const config::tree& base, const config::tree& mine, const config::tree& theirs) {
    merger merging;
    merged made;
    made.result.statements =
        merging.merge(base.statements, mine.statements, theirs.statements, nullptr, {});
    made.conflicts = std::move(merging.conflicts);
    return made;
}

} // namespace flowtap::cli
