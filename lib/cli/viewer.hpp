// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <flowtap/config/schema.hpp>
#include <flowtap/config/tree.hpp>
#include <flowtap/permission/decide.hpp>
#include <flowtap/permission/login.hpp>

#include "statements.hpp"

namespace flowtap::cli {

/// A configuration with what decides who may see which part of it: the logins in it.
struct version {
    config::tree written;
    permission::login_directory logins;
};

/// In the form in which it is edited, with its logins.
version make_version(const config::tree& written);

/// Asks `permission::allowed` for one person, about statements.
class viewer {
public:
    explicit viewer(const permission::permission_set& who) : who_(who) {}

    const permission::permission_set& permissions() const noexcept { return who_; }
    bool may(permission::operation what, permission::target where) const noexcept {
        return allowed(who_, what, where);
    }
    /// Whether there is a part of the configuration that may be changed.
    bool may_configure() const noexcept;

    /// Whether a statement of the row, or one that can stand in it, is open to `what`.
    bool reaches(const config::schema_row& row, permission::operation what) const;
    /// Whether the row and all that can stand in it are.
    bool covers(const config::schema_row& row, permission::operation what) const;

    config::tree visible(const version& of) const;

    /// Whether a statement may become another: it may be changed as what it was, and as what it is
    /// then.
    bool may_change(const std::vector<config::word>& words,
                    const permission::login_directory& before,
                    const permission::login_directory& after) const;

private:
    const permission::permission_set& who_;
};

} // namespace flowtap::cli
