// SPDX-License-Identifier: Apache-2.0
#include "merge.hpp"

#include <algorithm>
#include <limits>

namespace flowtap::filter {

std::shared_ptr<level> merge(std::span<const merge_part> parts,
                             std::span<const criterion_pointer> more, code_path path) {
    struct candidate {
        slot_id slot;
        const criterion_pointer* what;
    };
    std::vector<candidate> living;
    for (const merge_part& part : parts) {
        for (std::size_t i = 0; i < part.count; ++i) {
            if (part.entries[i].is_alive())
                living.push_back({part.entries[i].slot, part.criteria + i});
        }
    }
    for (const criterion_pointer& one : more)
        living.push_back({one->slot(), &one});
    if (living.empty())
        return nullptr;
    std::sort(living.begin(), living.end(),
              [](const candidate& a, const candidate& b) { return a.slot < b.slot; });

    std::vector<criterion_pointer> kept;
    std::vector<const criterion*> sorted;
    kept.reserve(living.size());
    sorted.reserve(living.size());
    for (const candidate& one : living) {
        kept.push_back(*one.what);
        sorted.push_back(one.what->get());
    }
    // What memory it may take was decided when the criteria were accepted.
    auto built = level::build(sorted, std::numeric_limits<std::size_t>::max(), path).value();
    built->keep(std::move(kept));
    return built;
}

} // namespace flowtap::filter
