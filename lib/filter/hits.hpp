// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <flowtap/core/ids.hpp>
#include <flowtap/filter/classifier.hpp>

#include "values.hpp"

namespace flowtap::filter {

/// Packets are matched this many at a time, with all levels while their keys are near.
inline constexpr std::size_t chunk_packets = 64;

/// Counts the versions of a set of criteria.
using version_number = std::uint64_t;

/// What a level says of one of its criteria. Versions that are older than `died` see it.
struct entry {
    static constexpr version_number never = std::numeric_limits<version_number>::max();

    slot_id slot;
    /// Written by the thread that changes the set, while others match. Relaxed order is enough:
    /// a thread that matches with a version was handed it after all deaths that the version must
    /// know of, and those that come later do not concern it.
    std::atomic<version_number> died{never};

    bool lives_in(version_number version) const noexcept {
        return version < died.load(std::memory_order_relaxed);
    }
    bool is_alive() const noexcept { return died.load(std::memory_order_relaxed) == never; }
};

/// What was found for the packets of one chunk, in any order. Room for the living criteria of a
/// version is room for all hits of one packet.
class hit_list {
public:
    hit_list(detail::hit* hits, std::size_t room, version_number version) noexcept
        : hits_(hits), room_(room), version_(version) {}

    /// From here on, numbers of criteria are those of this table.
    void enter(const entry* entries) noexcept { entries_ = entries; }

    /// Criterion number `which` matches packet number `packet` of the chunk. A criterion that has
    /// died is left out.
    FLOWTAP_INLINE void add(std::uint32_t packet, std::uint32_t which) noexcept {
        const entry& of = entries_[which];
        if (!of.lives_in(version_))
            return;
        if (count_ == room_) {
            full_ = true;
            return;
        }
        hits_[count_++] = {packet, of.slot.value()};
    }

    const detail::hit* begin() const noexcept { return hits_; }
    const detail::hit* end() const noexcept { return hits_ + count_; }
    bool empty() const noexcept { return count_ == 0; }
    std::size_t size() const noexcept { return count_; }
    /// Whether something was left out for want of room.
    bool full() const noexcept { return full_; }

private:
    detail::hit* hits_;
    std::size_t room_;
    std::size_t count_ = 0;
    const entry* entries_ = nullptr;
    version_number version_;
    bool full_ = false;
};

} // namespace flowtap::filter
