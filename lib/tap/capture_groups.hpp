// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/packet/encapsulation.hpp>
#include <flowtap/path/snapshot.hpp>
#include <flowtap/tap/settings.hpp>

#include "name_table.hpp"

namespace flowtap::tap {

/// A content destination of dynamic flow capture, as criteria to it share it.
struct content_destination {
    content_destination(std::string its_group, std::string its_name,
                        packet::header_template its_header)
        : group(std::move(its_group)), name(std::move(its_name)), header(its_header) {}

    std::string group;
    std::string name;
    content_destination_settings with;
    /// What stands around the copies.
    packet::header_template header;

    /// Bit/s of all criteria to it that the round of samples under way has read.
    std::uint64_t bandwidth = 0;
    /// The soft limit was crossed and told, and the bandwidth has not come down since.
    bool is_alerted = false;
};

/// A capture group as it is configured.
struct capture_group {
    std::string name;
    path::copy_group_id number;
    capture_group_settings with;
    /// The packets that its criteria look at.
    filter_scope scope;
    /// What is sampled at the inputs of its interfaces; null if it has no limit.
    std::shared_ptr<path::rate_gate> gate;
    std::map<std::string, std::shared_ptr<content_destination>, std::less<>> destinations;
};

/// The capture groups. A group keeps its number while it is configured, a content destination its
/// state, and a gate goes on where it was while its rate is the same.
class capture_groups {
public:
    /// Groups beyond the 255th, and content destinations whose addresses do not go together, are as
    /// if they were not configured.
    void apply(const settings& with, name_table& names);

    /// Null if there is none of that name.
    const capture_group* find(std::string_view name) const;

    /// By name.
    const std::map<std::string, capture_group, std::less<>>& all() const noexcept {
        return groups_;
    }

    /// By number: the most copies of one packet.
    std::vector<std::uint16_t> copy_limits() const;
    /// Of the ports that belong to two groups, the first by name decides.
    std::shared_ptr<const path::input_gates> gates(const settings& with) const;

private:
    path::copy_group_id find_free_number() const;
    void configure(capture_group& group, const capture_group_settings& next, name_table& names);

    std::map<std::string, capture_group, std::less<>> groups_;
};

} // namespace flowtap::tap
