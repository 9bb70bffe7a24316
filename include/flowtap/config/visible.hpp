// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include <flowtap/config/schema.hpp>
#include <flowtap/config/tree.hpp>
#include <flowtap/permission/decide.hpp>
#include <flowtap/permission/login.hpp>

namespace flowtap::config {

/// The row that words from the top lead to, keys and values among them: the deepest one known.
/// Null when not even the first word is.
const schema_row* row_at(std::span<const word> words);

/// To what the statement belongs that words from the top lead to, for `permission::allowed`. Users
/// and classes with a flow-tap permission, as `logins` has them, belong to `flow_tap_logins`.
/// Statements that nobody knows belong to `other_configuration`.
///
/// A change of a login belongs to `flow_tap_logins` when it does so before or after it: whoever
/// checks an edit asks with both directories.
permission::target target_of(std::span<const word> words,
                             const permission::login_directory& logins);

/// What of a configuration somebody may see. Statements that are hidden are not there at all, nor
/// are hierarchies with nothing else in them. Secrets are marked as such, and replaced for those
/// who may not change them. Pure.
tree visible_to(const permission::permission_set& viewer, const tree& statements,
                const permission::login_directory& logins);

} // namespace flowtap::config
