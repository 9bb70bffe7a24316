// SPDX-License-Identifier: Apache-2.0
#include "version.hpp"

namespace flowtap::filter::detail {

void version::find(std::span<const packet_key> keys, hit_list& found) const noexcept {
    for (const auto& one : levels->levels) {
        one->find(keys, found);
        if (found.full())
            return;
    }
    if (levels->overlays.empty() && open_count == 0)
        return;
    const chunk_digest digest(keys);
    for (const overlay_view& one : levels->overlays)
        one.of->find(keys, digest, one.count, found);
    if (open_count != 0)
        levels->open->find(keys, digest, open_count, found);
}

} // namespace flowtap::filter::detail
