// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <flowtap/core/clock.hpp>

namespace flowtap::tap {

/// The moments at which the counters of all criteria are read, once a second while there are any,
/// so that an average over the last ten seconds can be told at any time.
class sample_clock {
public:
    static constexpr std::chrono::seconds period{1};
    static constexpr std::chrono::seconds window{10};
    /// Enough to reach back over the whole window.
    static constexpr std::size_t size = 12;

    /// Begins the next round of samples, of `now`. The oldest one is overwritten.
    void advance(steady_time now) noexcept {
        ++round_;
        newest_ = (newest_ + 1) % size;
        times_[newest_] = now;
        if (taken_ < size)
            ++taken_;
    }

    /// Counts the rounds.
    std::uint64_t round() const noexcept { return round_; }
    /// Where the samples of this round belong.
    std::size_t index() const noexcept { return newest_; }
    steady_time begun() const noexcept { return times_[newest_]; }
    steady_time next() const noexcept { return times_[newest_] + period; }

    /// What a counter stood at `window` before `now`, between two samples by interpolation. It
    /// stands at `current` now, and at `samples` when they were taken.
    std::uint64_t at_window_start(const std::array<std::uint64_t, size>& samples,
                                  std::uint64_t current, steady_time now) const noexcept {
        const steady_time start = now - window;
        steady_time later = now;
        std::uint64_t later_value = current;
        for (std::size_t back = 0; back < taken_; ++back) {
            const std::size_t index = (newest_ + size - back) % size;
            if (times_[index] <= start)
                return between(times_[index], samples[index], later, later_value, start);
            later = times_[index];
            later_value = samples[index];
        }
        return taken_ < size ? 0 : later_value;
    }

private:
    static std::uint64_t between(steady_time earlier, std::uint64_t value, steady_time later,
                                 std::uint64_t later_value, steady_time wanted) noexcept {
        if (later <= earlier)
            return later_value;
        const double share = std::chrono::duration<double>(wanted - earlier) /
                             std::chrono::duration<double>(later - earlier);
        return value + static_cast<std::uint64_t>(static_cast<double>(later_value - value) * share);
    }

    std::array<steady_time, size> times_{};
    std::uint64_t round_ = 0;
    std::size_t newest_ = 0;
    std::size_t taken_ = 0;
};

/// What one criterion's octets stood at when samples were taken: zero before it existed.
class bandwidth_meter {
public:
    explicit bandwidth_meter(const sample_clock& clock) noexcept : round_(clock.round()) {}

    /// True if the sample of this round was taken.
    bool is_sampled(const sample_clock& clock) const noexcept { return round_ == clock.round(); }

    /// Takes the sample of this round.
    void sample(const sample_clock& clock, std::uint64_t octets) noexcept {
        round_ = clock.round();
        samples_[clock.index()] = octets;
    }

    /// Bit/s over the last ten seconds; before its time, a criterion had none. The sample of this
    /// round must have been taken.
    std::uint64_t average(const sample_clock& clock, std::uint64_t octets,
                          steady_time now) const noexcept {
        const std::uint64_t before = clock.at_window_start(samples_, octets, now);
        return (octets - before) * 8 / static_cast<std::uint64_t>(sample_clock::window.count());
    }

private:
    std::array<std::uint64_t, sample_clock::size> samples_{};
    std::uint64_t round_;
};

} // namespace flowtap::tap
