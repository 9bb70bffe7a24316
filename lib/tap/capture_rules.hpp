// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capture_groups.hpp"
#include "control.hpp"

namespace flowtap::tap {

/// What a criterion of dynamic flow capture does, by the configuration of its control source.
struct capture_plan {
    const capture_group* group = nullptr;
    /// Each once, in the order of the Cdest-IDs.
    std::vector<std::shared_ptr<content_destination>> destinations;
    /// What copies go out with: one for each address, so there may be fewer.
    std::vector<packet::header_template> headers;
    std::vector<stream_key> streams; ///< one for each header
};

/// None if one of the content destinations does not exist for this control source, be it that it
/// may not use it or that it is configured nowhere.
std::optional<capture_plan> plan_capture(const control& state, const control_source& source,
                                         std::span<const std::string> cdest_ids);

/// One turn's order at the limit on copies of a packet: highest priority first, then oldest. The
/// lowest rank is served first.
std::uint64_t rank_of(std::uint8_t priority, std::uint64_t arrival) noexcept;

/// Brings the criteria of dynamic flow capture in line with a changed configuration: those whose
/// control source may not use a content destination any more are deleted, the others get its
/// addresses and their group's interfaces as they are now.
void recheck_captures(control& state, time_stamp now);

} // namespace flowtap::tap
