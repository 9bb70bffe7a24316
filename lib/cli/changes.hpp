// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "statements.hpp"
#include "viewer.hpp"

namespace flowtap::cli {

/// A statement without others in it that is not the same in two configurations.
struct change {
    /// From the top to the statement, its own words among them: those after the change, or those
    /// before it if it is gone.
    std::vector<config::word> words;
    /// Null when there was, or is, none.
    const config::statement* before = nullptr;
    const config::statement* after = nullptr;
};

/// Every such change, in the order of the statements. They are valid until the trees change.
std::vector<change> changes_between(const config::tree& before, const config::tree& after);

/// The changes that somebody may not make.
std::vector<change> forbidden(const viewer& who, const version& before, const version& after);

/// `from` with those changes on the way to `to` that somebody may make; sets `whole` when those
/// are all.
config::tree with_allowed_changes(const viewer& who, const version& from, const version& to,
                                  bool& whole);

/// What two people have made of the same configuration, in one.
struct merged {
    config::tree result;
    /// The statements that both have changed, each in another way.
    std::vector<std::vector<config::word>> conflicts;
};
merged merge(const config::tree& base, const config::tree& mine, const config::tree& theirs);

} // namespace flowtap::cli
