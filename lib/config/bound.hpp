// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <flowtap/config/diagnostic.hpp>
#include <flowtap/config/schema.hpp>
#include <flowtap/config/tree.hpp>

namespace flowtap::config {

/// A statement with its meaning: the schema's row, and what was written for its key or value.
/// However the text spreads a hierarchy, it is one node here.
struct node {
    /// Null for the top.
    const schema_row* row = nullptr;
    /// Of the keyword, or of the key where there is no keyword.
    text_position where;
    /// The key of an entry, the value, the members of a list; checked by the schema.
    std::vector<word> values;
    std::vector<node> children;
    /// Something that stood in it was wrong and was left out: what is missing is no mistake then.
    bool flawed = false;
    /// Where the entries with a key are among the children.
    std::map<std::pair<const schema_row*, std::string>, std::size_t, std::less<>> entries;

    /// The first child with this keyword; null when there is none.
    const node* find(std::string_view keyword) const;
    /// The node at the end of these keywords; null when one is missing.
    const node* find_path(std::initializer_list<std::string_view> keywords) const;
    /// The value of the child with this keyword; null when there is none.
    const word* value_of(std::string_view keyword) const;
    /// The first value, which entries and values have.
    const word& key() const { return values.front(); }
};

/// Collects what is wrong with one text.
class reporter {
public:
    explicit reporter(std::string_view file) : file_(file) {}

    void error(text_position where, std::string message) {
        found_.push_back({severity::error, file_, where, std::move(message)});
    }
    void warn(text_position where, std::string message) {
        found_.push_back({severity::warning, file_, where, std::move(message)});
    }
    /// Everything so far, in the order of the text.
    diagnostics take();

private:
    std::string file_;
    diagnostics found_;
};

/// Gives each statement its meaning, checks it against the schema and reports what does not fit;
/// what does not fit is left out. Inactive statements are left out silently.
node bind(const tree& statements, reporter& report);

} // namespace flowtap::config
