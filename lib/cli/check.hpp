// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "viewer.hpp"

namespace flowtap::cli {

/// What the check of a configuration says to somebody.
struct verdict {
    bool good = true;
    /// `[edit system login user bob]`, the statement, what is wrong with it, for each problem that
    /// the person may see.
    std::string text;
};

/// Checks a configuration as a start of the program does. Of what is wrong the person learns what
/// can be said by looking at what the person may see alone: a problem whose cause is hidden, or
/// that shows in a hidden part, is refused without a reason.
verdict check(const viewer& who, const version& checked);

} // namespace flowtap::cli
