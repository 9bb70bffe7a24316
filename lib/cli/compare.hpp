// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "statements.hpp"

namespace flowtap::cli {

/// What has changed between two configurations, as Junos shows it: for each hierarchy in which
/// something did, `[edit ...]`, then `-` lines for what is gone and `+` lines for what is new.
std::string compare_text(const config::tree& before, const config::tree& after);

/// `[edit services flow-tap]`
std::string edit_line(std::span<const config::word> words);

/// Words as the language writes them, with quotes where they must be.
std::string written(std::span<const config::word> words);

} // namespace flowtap::cli
