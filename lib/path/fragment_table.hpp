// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <flowtap/core/bytes.hpp>
#include <flowtap/path/data_path.hpp>

#include "fragment_queue.hpp"

namespace flowtap::path::detail {

/// What remains of a captured packet once its key is taken out: what a copy is made of.
struct packet_body {
    byte_view octets;
    wall_time time;
    std::uint32_t total_length = 0;
    /// What is noted about a fragment; 0 for other packets, `frame_note` for whole frames.
    std::uint32_t note = 0;
    std::uint32_t wire_length = 0;
};

inline constexpr std::uint32_t frame_note = UINT32_MAX;

/// One worker's memory of fragmented packets: what was decided about those of which the first
/// fragment has come, and the early fragments of those of which it has not. All of it is allocated
/// when it is made. For one thread.
///
/// Looking a packet up is expected to take constant time, whatever strangers send, as they do not
/// know the key of the hash. What makes room takes a look at 256 numbers and, for early fragments,
/// giving up those of one packet, at most `most_early`.
class fragment_table {
public:
    explicit fragment_table(const fragment_options& with);

    /// Begins a batch: what was taken out in the one before is free again, and some of what is too
    /// old is forgotten (the rest counts as forgotten when it is looked for).
    void begin(steady_time now) noexcept;

    /// The number of a packet of which something is known; `nowhere` if nothing is. `key` is that
    /// of any of its fragments.
    std::uint32_t find(const packet_key& key, std::uint32_t identification) noexcept;
    fragment_entry& operator[](std::uint32_t number) noexcept { return entries_[number]; }

    /// Notes that the first fragment of a packet has come, with the key that it has. Takes the
    /// early fragments out, which stay where they are until the next `begin`.
    struct first_fragment {
        std::uint32_t number;
        fragment_chain early;
        std::uint64_t early_octets; ///< on the wire
    };
    first_fragment take_first(const packet_key& key, std::uint32_t identification,
                              fragment_state state) noexcept;

    /// Keeps a fragment that came before the first; `number` is what `find` has just said of it.
    void keep_early(std::uint32_t number, const packet_key& key, std::uint32_t identification,
                    const packet_body& fragment) noexcept;
    /// A place of a chain, and the one after it.
    packet_body early(std::uint32_t place) const noexcept;
    std::uint32_t next_early(std::uint32_t place) const noexcept { return early_[place].next; }

    /// Forgets everything.
    void clear() noexcept;

    fragment_counters counts;

private:
    /// Early fragments of one packet.
    static constexpr std::uint32_t most_early = 128;
    /// Packets forgotten for their age in one batch.
    static constexpr std::size_t most_expiries = 64;

    struct early_fragment {
        std::uint32_t next = nowhere;
        std::uint32_t size = 0;
        std::uint32_t total_length = 0;
        std::uint32_t wire_length = 0;
        wall_time time;
    };

    std::uint64_t hash_of(const packet_key& key, std::uint32_t identification) const noexcept;
    std::uint8_t source_of(const packet_key& key) const noexcept;
    bool is_old(const fragment_entry& entry) const noexcept {
        return now_ - entry.since >= options_.lifetime;
    }
    std::uint32_t& head_of(std::uint32_t hash) noexcept { return heads_[hash & last_head_]; }

    std::uint32_t make(const packet_key& key, std::uint32_t identification) noexcept;
    void forget(std::uint32_t number) noexcept;
    void forget_decision(std::uint32_t number) noexcept;
    void give_up(std::uint32_t number, fragment_loss why) noexcept;
    void free(const fragment_chain& chain) noexcept;
    std::uint64_t octets_of(const fragment_chain& chain) const noexcept;
    bool make_room_for_early(std::uint32_t keep) noexcept;
    void lose(fragment_loss why, std::uint64_t fragments = 1) noexcept {
        counts.left_out[static_cast<std::size_t>(why)] += fragments;
    }

    const fragment_options options_;
    steady_time now_;

    std::vector<fragment_entry> entries_;
    std::uint32_t free_ = nowhere;
    /// By the low bits of the hash: the first entry.
    std::vector<std::uint32_t> heads_;
    std::uint32_t last_head_ = 0;
    /// The hash of what was looked for last.
    std::uint32_t sought_ = 0;
    fragment_queue decided_;
    fragment_queue waiting_;

    std::vector<early_fragment> early_;
    std::unique_ptr<std::byte[]> octets_;
    std::uint32_t free_early_ = nowhere;
    /// Taken out in this batch.
    fragment_chain taken_;
};

} // namespace flowtap::path::detail
