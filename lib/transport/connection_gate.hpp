// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

#include <flowtap/core/clock.hpp>

namespace flowtap::transport {

/// Decides whether a new connection is let in: so many at a time, and so many within any minute.
/// Connections that were refused do not count, so that a flood cannot keep everybody out for longer
/// than it lasts. Constant amortised time; remembers at most as many times as the rate allows.
class connection_gate {
public:
    enum class decision : std::uint8_t { admitted, too_many, too_fast };

    connection_gate(std::size_t at_a_time, std::size_t per_minute)
        : at_a_time_(at_a_time), per_minute_(per_minute) {}

    decision arrive(steady_time now) {
        while (!admitted_.empty() && now - admitted_.front() >= std::chrono::minutes(1))
            admitted_.pop_front();
        if (inside_ >= at_a_time_)
            return decision::too_many;
        if (admitted_.size() >= per_minute_)
            return decision::too_fast;
        admitted_.push_back(now);
        ++inside_;
        return decision::admitted;
    }

    void leave() { --inside_; }

    void limit(std::size_t at_a_time, std::size_t per_minute) {
        at_a_time_ = at_a_time;
        per_minute_ = per_minute;
    }

    std::size_t inside() const noexcept { return inside_; }

private:
    std::size_t at_a_time_;
    std::size_t per_minute_;
    std::size_t inside_ = 0;
    std::deque<steady_time> admitted_;
};

} // namespace flowtap::transport
