// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include <flowtap/path/sink.hpp>

namespace flowtap::deliver::detail {

/// The counters of one sink: its worker's thread writes, any thread reads.
class delivery_count {
public:
    void deliver(std::uint64_t copies) noexcept { add(delivered_, copies); }
    void drop(path::drop_cause cause, std::uint64_t copies = 1) noexcept {
        add(dropped_[static_cast<std::size_t>(cause)], copies);
    }

    path::delivery_counters read() const noexcept {
        path::delivery_counters now;
        now.delivered = delivered_.load(std::memory_order_relaxed);
        for (std::size_t i = 0; i < now.dropped.size(); ++i)
            now.dropped[i] = dropped_[i].load(std::memory_order_relaxed);
        return now;
    }

private:
    static void add(std::atomic<std::uint64_t>& counter, std::uint64_t amount) noexcept {
        counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }

    std::atomic<std::uint64_t> delivered_{0};
    std::array<std::atomic<std::uint64_t>, path::drop_cause_count> dropped_{};
};

} // namespace flowtap::deliver::detail
