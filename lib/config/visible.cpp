// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <string>

#include <flowtap/config/visible.hpp>

namespace flowtap::config {

namespace {

using permission::login_directory;
using permission::operation;
using permission::permission_set;
using permission::target;

constexpr std::string_view class_path = "system login class *";
constexpr std::string_view user_path = "system login user *";

/// Where in the schema some words have led so far.
struct place {
    /// Null at the top, and where no word is known.
    const schema_row* row = nullptr;
    /// A word that the schema does not know has come.
    bool lost = false;
    /// The user or class of logins that the words are about.
    std::string login = {};
    const schema_row* login_row = nullptr;
};

bool has_key(const schema_row& row) noexcept {
    return row.kind == statement_kind::entry || row.kind == statement_kind::value ||
           row.kind == statement_kind::list;
}

/// Follows words down from a place.
place follow(place at, std::span<const word> words) {
    while (!words.empty() && !at.lost) {
        const schema_row* next = child_named(at.row, words.front().text);
        const bool by_keyword = next != nullptr && !keyword_of(*next).empty();
        if (!by_keyword)
            next = child_named(at.row, "");
        if (next == nullptr) {
            at.lost = true;
            break;
        }
        at.row = next;
        if (by_keyword)
            words = words.subspan(1);
        if (!has_key(*next) || words.empty())
            continue;
        if (next->path == class_path || next->path == user_path) {
            at.login = words.front().text;
            at.login_row = next;
        }
        words = words.subspan(1);
        // What follows a value is no statement; the check has refused it.
        if (next->kind != statement_kind::entry)
            break;
    }
    return at;
}

bool is_flow_tap_login(const place& at, const login_directory& logins) {
    if (at.login_row == nullptr)
        return false;
    if (at.login_row->path == user_path)
        return has_flow_tap_permission(logins.permissions_of(at.login));
    const permission::login_class* its_class = logins.find_class(at.login);
    return its_class != nullptr && has_flow_tap_permission(its_class->permissions);
}

target target_at(const place& at, const login_directory& logins) {
    if (at.row == nullptr)
        return target::other_configuration;
    if (at.row->belongs_to == target::login_configuration && is_flow_tap_login(at, logins))
        return target::flow_tap_logins;
    return at.row->belongs_to;
}

class filter {
public:
    filter(const permission_set& viewer, const login_directory& logins)
        : viewer_(viewer), logins_(logins) {}

    std::vector<statement> seen(const std::vector<statement>& statements,
                                const place& above) const {
        std::vector<statement> kept;
        for (const statement& next : statements)
            if (auto shown = seen(next, above))
                kept.push_back(std::move(*shown));
        return kept;
    }

private:
    std::optional<statement> seen(const statement& written, const place& above) const {
        const place here = follow(above, written.words);
        const target belongs = target_at(here, logins_);
        if (!written.children.empty()) {
            statement shown = written;
            shown.children = seen(written.children, here);
            if (shown.children.empty())
                return std::nullopt;
            return shown;
        }
        if (!allowed(viewer_, operation::view, belongs))
            return std::nullopt;
        statement shown = written;
        if (here.row != nullptr && here.row->shown == visibility::secret) {
            shown.marked_secret = true;
            if (!allowed(viewer_, operation::view_secret, belongs))
                hide_value(shown);
        }
        return shown;
    }

    /// Of a secret, the last word is the value.
    static void hide_value(statement& shown) {
        shown.words.pop_back();
        shown.list.clear();
        shown.has_list = false;
        shown.value_hidden = true;
    }

    const permission_set& viewer_;
    const login_directory& logins_;
};

} // namespace

const schema_row* row_at(std::span<const word> words) {
    return follow({}, words).row;
}

target target_of(std::span<const word> words, const login_directory& logins) {
    return target_at(follow({}, words), logins);
}

tree visible_to(const permission_set& viewer, const tree& statements,
                const login_directory& logins) {
    return {filter(viewer, logins).seen(statements.statements, {})};
}

} // namespace flowtap::config
