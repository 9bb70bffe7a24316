// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include <flowtap/filter/classifier.hpp>

#include "hits.hpp"
#include "level.hpp"
#include "overlay.hpp"

namespace flowtap::filter {

/// The first `count` criteria of an overlay.
struct overlay_view {
    std::shared_ptr<const overlay> of;
    std::size_t count = 0;
};

/// The levels that one version after the other shares, until there is another one.
struct level_list {
    std::vector<std::shared_ptr<const level>> levels;
    /// Overlays that nothing is added to any more.
    std::vector<overlay_view> overlays;
    /// The one that grows, or null: each version has its own count.
    std::shared_ptr<const overlay> open;
};

} // namespace flowtap::filter

namespace flowtap::filter::detail {

/// What a classifier stands for.
struct version {
    std::shared_ptr<const level_list> levels;
    version_number number = 0;
    std::size_t open_count = 0;
    classifier_cost cost;

    /// Adds all matches of the packets of a chunk to `found`, unless that gets full.
    void find(std::span<const packet_key> keys, hit_list& found) const noexcept;

    /// A bit for each of the packets that `find` may find something for.
    std::uint64_t sift(const sifted_packets& packets) const noexcept;
};

} // namespace flowtap::filter::detail
