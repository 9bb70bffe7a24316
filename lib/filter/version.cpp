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

std::uint64_t version::sift(const sifted_packets& packets) const noexcept {
    const bool all_merged = levels->overlays.empty() && open_count == 0;
    std::uint64_t some = all_merged ? 0 : packets.all();
    for (const auto& one : levels->levels) {
        if (some == packets.all())
            break;
        some |= one->sift(packets);
    }
    return some;
}

} // namespace flowtap::filter::detail
