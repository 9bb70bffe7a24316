// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/clock.hpp>

#include "pending_copies.hpp"
#include "route_table.hpp"

namespace flowtap::deliver::detail {

/// What one sink knows of a destination.
struct destination {
    ip_address to;
    bool used = false;
    /// Copies that left through the system are still in it: frames would overtake them.
    bool draining = false;
    std::uint64_t version = 0; ///< that of the routes when `plan` was made
    steady_time planned_at;
    steady_time used_at;
    egress_plan plan;
    pending_copies::queue waiting;
};

/// The destinations of one sink, in memory of fixed size.
class destination_table {
public:
    destination_table() : places_(sets * ways) {}

    /// The place of a destination; of those that share a set, the one that was not used for longest
    /// makes room. Null when all of these have copies that wait.
    destination* find(const ip_address& to, steady_time now) noexcept {
        const std::size_t mixed =
            ((to.bits().low ^ to.bits().high) * 0x9E37'79B9'7F4A'7C15ULL) >> 32;
        destination* const set = &places_[mixed % sets * ways];
        for (std::size_t i = 0; i < ways; ++i)
            if (set[i].to == to && set[i].used)
                return &set[i];
        return claim(set, to, now);
    }

    std::vector<destination>& all() noexcept { return places_; }

private:
    static constexpr std::size_t ways = 4;
    static constexpr std::size_t sets = 256;

    static destination* claim(destination* set, const ip_address& to, steady_time now) noexcept {
        destination* oldest = nullptr;
        for (std::size_t i = 0; i < ways; ++i) {
            destination& each = set[i];
            if (!each.waiting.empty() || each.draining)
                continue;
            if (oldest == nullptr || !each.used || (oldest->used && each.used_at < oldest->used_at))
                oldest = &each;
        }
        if (oldest == nullptr)
            return nullptr;
        *oldest = {};
        oldest->to = to;
        oldest->used = true;
        oldest->used_at = now;
        return oldest;
    }

    std::vector<destination> places_;
};

} // namespace flowtap::deliver::detail
