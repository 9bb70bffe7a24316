// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <thread>

namespace flowtap::tools {

/// When reception ends by itself; zero is never.
struct end_conditions {
    std::chrono::milliseconds duration{0};
    /// Without any copy.
    std::chrono::milliseconds idle{0};
};

/// Watches, from a thread of its own, for what ends reception: SIGINT, SIGTERM, a deadline. So a
/// wait for a pipe ends too. A second signal ends the program at once.
class watch {
public:
    /// Blocks the signals in the calling thread, which must have made no other one yet. `on_end` is
    /// called once, in the thread of the watch. `copies` and what `on_end` uses must outlive it.
    watch(const end_conditions& when, const std::atomic<std::uint64_t>& copies,
          std::function<void()> on_end);
    ~watch();
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;

    bool has_ended() const noexcept { return ended_.load(std::memory_order_acquire); }
    /// Whether SIGUSR1 has come since this was asked before.
    bool report_wanted() noexcept { return report_wanted_.exchange(false); }

private:
    void run();
    void handle(int number);
    void end();

    end_conditions when_;
    const std::atomic<std::uint64_t>& copies_;
    std::function<void()> on_end_;
    sigset_t signals_{};
    std::atomic<bool> ended_ = false;
    std::atomic<bool> report_wanted_ = false;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

} // namespace flowtap::tools
