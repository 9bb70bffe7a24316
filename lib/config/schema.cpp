// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_map>

#include <flowtap/config/schema.hpp>

namespace flowtap::config {

namespace {

std::string_view without_last_word(std::string_view path) {
    const std::size_t blank = path.rfind(' ');
    return blank == std::string_view::npos ? std::string_view() : path.substr(0, blank);
}

/// What follows from the table: built once, read only.
class schema_index {
public:
    schema_index() {
        for (const schema_row& row : schema())
            by_path_.emplace(row.path, &row);
        for (const schema_row& row : schema())
            add(row);
        for (auto& [parent, rows] : children_)
            std::sort(rows.begin(), rows.end(), [&](const schema_row* a, const schema_row* b) {
                return keywords_.at(a) < keywords_.at(b);
            });
    }

    const schema_row* find(std::string_view path) const {
        const auto found = by_path_.find(path);
        return found != by_path_.end() ? found->second : nullptr;
    }

    std::span<const schema_row* const> children(const schema_row* parent) const {
        const auto found = children_.find(parent);
        if (found == children_.end())
            return {};
        return found->second;
    }

    std::string_view keyword(const schema_row& row) const { return keywords_.at(&row); }

private:
    /// The key of an entry belongs to the entry: `system login user *` stands in `system login`, as
    /// `interfaces *`, where the word before the key is a statement of its own, in `interfaces`.
    void add(const schema_row& row) {
        std::string_view parent = without_last_word(row.path);
        std::string_view keyword = row.path.substr(parent.empty() ? 0 : parent.size() + 1);
        if (keyword == "*" && find(parent) == nullptr) {
            const std::string_view above = without_last_word(parent);
            keyword = parent.substr(above.empty() ? 0 : above.size() + 1);
            parent = above;
        } else if (keyword == "*") {
            keyword = {};
        }
        keywords_.emplace(&row, keyword);
        children_[find(parent)].push_back(&row);
    }

    std::unordered_map<std::string_view, const schema_row*> by_path_;
    std::unordered_map<const schema_row*, std::vector<const schema_row*>> children_;
    std::unordered_map<const schema_row*, std::string_view> keywords_;
};

const schema_index& index() {
    static const schema_index built;
    return built;
}

} // namespace

const schema_row* find_row(std::string_view path) noexcept {
    return index().find(path);
}

std::span<const schema_row* const> children_of(const schema_row* parent) {
    return index().children(parent);
}

std::string_view keyword_of(const schema_row& row) {
    return index().keyword(row);
}

const schema_row* child_named(const schema_row* parent, std::string_view keyword) {
    for (const schema_row* child : children_of(parent))
        if (keyword_of(*child) == keyword)
            return child;
    return nullptr;
}

} // namespace flowtap::config
