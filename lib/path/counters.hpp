// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <flowtap/path/data_path.hpp>

namespace flowtap::path::detail {

/// A counter that one thread writes and any thread reads.
class single_writer_counter {
public:
    void add(std::uint64_t amount) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
    std::uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }
    /// Only while the writer does not add.
    void reset() noexcept { value_.store(0, std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// A moment that one thread writes and any thread reads; none at first.
class single_writer_time {
public:
    void set(steady_time time) noexcept {
        value_.store(time.time_since_epoch().count(), std::memory_order_relaxed);
    }
    std::optional<steady_time> read() const noexcept {
        const std::int64_t value = value_.load(std::memory_order_relaxed);
        if (value == none)
            return std::nullopt;
        return steady_time(std::chrono::nanoseconds(value));
    }
    /// Only while the writer does not write.
    void reset() noexcept { value_.store(none, std::memory_order_relaxed); }

private:
    static constexpr std::int64_t none = INT64_MIN;
    std::atomic<std::int64_t> value_{none};
};

/// What one worker has counted for one slot. Everything that a match writes is on one line of the
/// cache.
struct alignas(32) slot_count {
    single_writer_counter packets;
    single_writer_counter octets;
    single_writer_time last_match;
    /// Whether the worker holds the slot's budget; for the worker alone.
    bool holds_budget = false;

    /// For the control side, while no worker knows the slot.
    void reset() noexcept {
        packets.reset();
        octets.reset();
        last_match.reset();
    }
};

/// What a limit on the copies of one packet kept from one target of a criterion.
struct drop_count {
    single_writer_counter packets;
    single_writer_counter octets;

    /// As that of `slot_count`.
    void reset() noexcept {
        packets.reset();
        octets.reset();
    }
};

/// That of each target.
using slot_drops = std::array<drop_count, max_targets>;

/// Shows a set of counters that belong together to other threads, always as a whole: readers try
/// again when the writer came between (a sequence lock, all of atomic words).
class counter_board {
public:
    void show(const path_counters& counters) noexcept;
    path_counters read() const noexcept;

private:
    static constexpr std::size_t words = sizeof(path_counters) / sizeof(std::uint64_t);
    static_assert(sizeof(path_counters) % sizeof(std::uint64_t) == 0);

    alignas(64) std::atomic<std::uint64_t> version_{0};
    std::array<std::atomic<std::uint64_t>, words> words_{};
};

} // namespace flowtap::path::detail
