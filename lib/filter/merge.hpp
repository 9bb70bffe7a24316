// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "level.hpp"

namespace flowtap::filter {

/// Criteria that are to be merged: entries, and the criteria behind them, of a level or overlay.
/// Both stay where they are, and all but the deaths as they are, as long as `owner` is held.
struct merge_part {
    std::shared_ptr<const void> owner;
    const entry* entries = nullptr;
    const criterion_pointer* criteria = nullptr;
    std::size_t count = 0;
};

/// A new level of all criteria of `parts` that have not died, and of all of `more`; null if there
/// are none. A slot stands for one of them only. Criteria may die meanwhile:
/// whether the level has them is then open. Any thread.
std::shared_ptr<level> merge(std::span<const merge_part> parts,
                             std::span<const criterion_pointer> more, code_path path);

} // namespace flowtap::filter
