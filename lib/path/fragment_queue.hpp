// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/packet_key.hpp>

namespace flowtap::path::detail {

/// No entry, no fragment: the end of a list.
inline constexpr std::uint32_t nowhere = UINT32_MAX;

/// Early fragments of one packet, in the order in which they came: numbers of their places.
struct fragment_chain {
    std::uint32_t first = nowhere;
    std::uint32_t last = nowhere;
    std::uint32_t count = 0;
};

/// What is known of one fragmented packet.
enum class fragment_state : std::uint8_t {
    waiting, ///< its first fragment has not come
    open,    ///< it has, in this batch, and was not matched yet
    matched, ///< criteria matched it
    nothing, ///< no criterion did, or it was not looked at
    own,     ///< it belongs to the access point's own services
};

/// A fragmented packet, one cache line of what it is told by and one of what is known.
struct fragment_entry {
    /// That of the first fragment; until it has come, that of a later one, without ports.
    packet_key key;
    /// With what the first fragment was matched.
    std::uint64_t generation = 0;
    /// When the first fragment came; until then, when the oldest of the early ones did.
    steady_time since;
    std::uint32_t identification = 0;
    std::uint32_t hash = 0;
    /// The next with the same place in the index, or the next that is free.
    std::uint32_t next = nowhere;
    /// The note about the first fragment, while it is `open`.
    std::uint32_t note = 0;
    fragment_chain early;
    /// Neighbours by age, among all of the queue and among those of the same source.
    std::uint32_t older = nowhere;
    std::uint32_t newer = nowhere;
    std::uint32_t older_of_source = nowhere;
    std::uint32_t newer_of_source = nowhere;
    std::uint8_t source = 0;
    fragment_state state = fragment_state::waiting;
};
static_assert(sizeof(fragment_entry) == 128);

/// Entries by age, and by age within each of 256 groups of sources; each entry has a weight. What
/// makes room for others is the oldest of the group that weighs most, so that a source that floods
/// displaces its own. Links are numbers in `entries`. Pushing and removing take constant time,
/// finding the heaviest group a look at 256 numbers.
class fragment_queue {
public:
    static constexpr std::size_t sources = 256;

    explicit fragment_queue(std::span<fragment_entry> entries) noexcept : entries_(entries) {}

    std::size_t size() const noexcept { return size_; }
    std::uint32_t oldest() const noexcept { return all_.oldest; }

    std::uint32_t oldest_of_heaviest() const noexcept {
        const auto heaviest = std::ranges::max_element(weights_);
        return by_source_[static_cast<std::size_t>(heaviest - weights_.begin())].oldest;
    }

    void push(std::uint32_t number, std::uint32_t weight) noexcept {
        fragment_entry& pushed = entries_[number];
        ends& its = by_source_[pushed.source];
        append<&fragment_entry::older, &fragment_entry::newer>(all_, number);
        append<&fragment_entry::older_of_source, &fragment_entry::newer_of_source>(its, number);
        weights_[pushed.source] += weight;
        ++size_;
    }

    void remove(std::uint32_t number, std::uint32_t weight) noexcept {
        fragment_entry& gone = entries_[number];
        ends& its = by_source_[gone.source];
        unlink<&fragment_entry::older, &fragment_entry::newer>(all_, gone);
        unlink<&fragment_entry::older_of_source, &fragment_entry::newer_of_source>(its, gone);
        weights_[gone.source] -= weight;
        --size_;
    }

    void add_weight(std::uint32_t number, std::uint32_t weight) noexcept {
        weights_[entries_[number].source] += weight;
    }

private:
    using link = std::uint32_t fragment_entry::*;
    struct ends {
        std::uint32_t oldest = nowhere;
        std::uint32_t newest = nowhere;
    };

    template <link Older, link Newer>
    void append(ends& list, std::uint32_t number) noexcept {
        fragment_entry& added = entries_[number];
        added.*Older = list.newest;
        added.*Newer = nowhere;
        (list.newest == nowhere ? list.oldest : entries_[list.newest].*Newer) = number;
        list.newest = number;
    }

    template <link Older, link Newer>
    void unlink(ends& list, const fragment_entry& gone) noexcept {
        (gone.*Older == nowhere ? list.oldest : entries_[gone.*Older].*Newer) = gone.*Newer;
        (gone.*Newer == nowhere ? list.newest : entries_[gone.*Newer].*Older) = gone.*Older;
    }

    std::span<fragment_entry> entries_;
    ends all_;
    std::array<ends, sources> by_source_;
    std::array<std::uint32_t, sources> weights_{};
    std::size_t size_ = 0;
};

} // namespace flowtap::path::detail
