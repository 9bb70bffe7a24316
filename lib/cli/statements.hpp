// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <flowtap/config/schema.hpp>
#include <flowtap/config/tree.hpp>

namespace flowtap::cli {

// Statements in the one form in which they are edited and compared: each hierarchy stands in one
// place, and each statement holds no more words than its own: `family inet address 192.0.2.1/24;`
// is four statements in each other. What the schema does not know stays as it was written.

using statements = std::vector<config::statement>;

/// The row that a statement's words begin with, and how many of them are its own.
struct row_match {
    /// Null when the schema does not know it.
    const config::schema_row* row = nullptr;
    std::size_t count = 0;
};
row_match match_row(const config::schema_row* parent, std::span<const config::word> words);

/// Whether other statements can stand in the row's; null is the top.
bool holds_others(const config::schema_row* row) noexcept;

/// The statements in that form.
config::tree normalized(const config::tree& written);

/// What tells a statement from others in its hierarchy: of a value, its keyword alone. Inactive
/// statements stand apart: they can be there beside those in force.
std::string identity_of(const config::schema_row* parent, const config::statement& of);

/// The statements of a hierarchy by that.
using by_identity = std::map<std::string, const config::statement*>;
by_identity index_of(const statements& level, const config::schema_row* parent);

/// The words after a list's keyword, however they are written.
std::vector<config::word> members_of(const config::statement& list);

/// A statement on the way to the one that is edited.
struct step {
    const config::schema_row* row = nullptr;
    std::vector<config::word> words;
};
using steps = std::vector<step>;

/// The words of steps, one after the other.
std::vector<config::word> words_of(std::span<const step> path);

/// Adds what the steps lead to, replaces a value that is there, appends `members` to a list.
void insert(config::tree& into, std::span<const step> path, std::span<const config::word> members);

/// Takes away what begins with the words; hierarchies that become empty go too. Returns whether
/// there was anything.
bool erase(config::tree& from, std::span<const config::word> words);

/// What stands in the hierarchy that words lead to, or the statements that begin with them.
struct selection {
    statements found;
    /// The words of the hierarchy that they stand in.
    std::vector<config::word> above;
};
selection select(const config::tree& from, std::span<const config::word> words);

/// How many octets the statements have as text, about.
std::size_t octets_of(const statements& of) noexcept;

} // namespace flowtap::cli
