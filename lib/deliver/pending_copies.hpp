// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <flowtap/core/clock.hpp>
#include <flowtap/packet/encapsulation.hpp>
#include <flowtap/path/sink.hpp>

namespace flowtap::deliver::detail {

/// Copies that wait until their next hop is resolved, in one queue for each destination, in memory
/// of fixed size: 4 MiB over all. They keep all that they point to. A queue grows as long as it is
/// not longer than what is left for others, or 64 blocks: the first gets up to half of the memory,
/// and there is still some when the fifth comes.
class pending_copies {
public:
    static constexpr std::size_t block_size = 2048;
    static constexpr std::size_t blocks = 2048;
    static constexpr std::size_t longest_copy = std::size_t{64} << 10;
    /// A queue may always be as long as this, as long as there is any memory.
    static constexpr std::size_t blocks_of_each = 64;

    /// The queue of one destination. Plain data, empty at first; belongs to one `pending_copies`.
    struct queue {
        std::uint16_t first = none;
        std::uint16_t last = none;
        std::uint16_t blocks = 0;

        bool empty() const noexcept { return first == none; }
    };

    pending_copies();

    /// Copies in all queues.
    std::size_t size() const noexcept { return size_; }

    /// The memory that a packet of so many octets takes, in blocks.
    static constexpr std::size_t blocks_for(std::size_t octets) noexcept {
        return octets <= block_size ? 1 : (octets + block_size - 1) / block_size;
    }
    /// Whether any copies that take `wanted` blocks together, none longer than `longest_copy`, can
    /// be put, however they are spread over queues of which none takes more than `longest` yet.
    bool has_room_for(std::size_t wanted, std::size_t longest) const noexcept {
        return wanted <= free_count_ &&
               longest + wanted <= std::max(blocks_of_each, free_count_ - wanted);
    }
    /// Puts a copy, with everything it points to, at the end. False if there is no room.
    bool put(queue& to, const path::copy& what, steady_time now) noexcept;
    /// The first copy of a queue that is not empty; valid until it is popped or another one is
    /// asked for.
    path::copy front(const queue& of) noexcept;
    /// When the first copy was put there.
    steady_time since(const queue& of) const noexcept { return entries_[of.first].since; }
    void pop_front(queue& from) noexcept;
    /// Takes the copy back that was put last.
    void pop_back(queue& from) noexcept;
    /// Removes what `review` does not want, and calls `gone(origin, stream, octets)` for each.
    template <class Gone>
    void filter(queue& from, const path::copy_review& review, Gone gone) noexcept {
        for (std::uint16_t number = from.first; number != none;) {
            const entry& its = entries_[number];
            const std::uint16_t next = its.after;
            if (!review.wants(its.origin, its.stream)) {
                gone(its.origin, its.stream, std::uint64_t{its.size});
                remove(from, number);
            }
            number = next;
        }
    }

private:
    static constexpr std::uint16_t none = 0xFFFF;

    /// A block, and what is known of the copy that begins in it.
    struct entry {
        std::optional<packet::header_template> header;
        path::copy_origin origin;
        stream_id stream;
        path::egress_id egress;
        std::uint16_t identification = 0;
        wall_time time;
        steady_time since;
        std::uint32_t size = 0;
        std::uint16_t before = none;
        std::uint16_t after = none;
        std::uint16_t more = none; ///< the next block of the same copy, or of the free ones
    };

    std::byte* octets_of(std::uint16_t block) noexcept {
        return octets_.get() + std::size_t{block} * block_size;
    }
    std::uint16_t store(byte_view packet) noexcept;
    void remove(queue& from, std::uint16_t number) noexcept;

    std::unique_ptr<entry[]> entries_;
    std::unique_ptr<std::byte[]> octets_;
    std::unique_ptr<std::byte[]> whole_; ///< where a copy of several blocks is put together
    std::uint16_t free_ = none;
    std::size_t free_count_ = blocks;
    std::uint16_t untouched_ = 0; ///< blocks from here on were never used
    std::size_t size_ = 0;
};

} // namespace flowtap::deliver::detail
