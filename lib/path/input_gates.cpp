// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include <flowtap/path/snapshot.hpp>

namespace flowtap::path {

namespace {

constexpr std::int64_t second = 1'000'000'000;

} // namespace

rate_gate::rate_gate(std::uint64_t packets_per_second) noexcept
    // With 10^9 at most no count of packets leaves 64 bits while the clock's nanoseconds do not.
    : rate_(static_cast<std::int64_t>(std::min<std::uint64_t>(packets_per_second, second))),
      burst_(std::max<std::int64_t>(rate_ / 10, 1)) {}

/// The number of packets that are due from the clock's origin to `now`, rounded down.
std::int64_t rate_gate::due(steady_time now) const noexcept {
    const std::int64_t time = now.time_since_epoch().count();
    std::int64_t seconds = time / second;
    std::int64_t rest = time % second;
    if (rest < 0) {
        --seconds;
        rest += second;
    }
    return seconds * rate_ + rest * rate_ / second;
}

std::uint64_t rate_gate::take(std::uint64_t count, steady_time now) noexcept {
    if (rate_ == 0)
        return 0;
    const std::int64_t until = due(now);
    std::int64_t used = used_.load(std::memory_order_relaxed);
    for (;;) {
        const std::int64_t from = std::max(used, until - burst_);
        if (from >= until || count == 0)
            return 0;
        const std::uint64_t passed = std::min(count, static_cast<std::uint64_t>(until - from));
        if (used_.compare_exchange_weak(used, from + static_cast<std::int64_t>(passed),
                                        std::memory_order_relaxed))
            return passed;
    }
}

void input_gates::set(port_id port, std::shared_ptr<rate_gate> gate) {
    if (port.value() >= gates_.size())
        gates_.resize(std::size_t{port.value()} + 1);
    gates_[port.value()] = std::move(gate);
}

} // namespace flowtap::path
