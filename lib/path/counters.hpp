// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

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

/// What one worker has counted for one slot.
struct slot_count {
    single_writer_counter packets;
    single_writer_counter octets;
};

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
