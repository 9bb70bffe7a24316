// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include <flowtap/core/clock.hpp>
#include <flowtap/transport/ssh_server.hpp>

namespace flowtap::transport {

/// How much longer the refusal is held back that comes after `refused` others in its connection.
inline std::chrono::milliseconds backoff(const login_limits& by, std::size_t refused) {
    if (by.backoff_threshold == 0 || refused + 1 < by.backoff_threshold)
        return std::chrono::milliseconds(0);
    return by.backoff_factor * static_cast<std::int64_t>(refused + 2 - by.backoff_threshold);
}

/// When the refusal of an attempt goes out that arrived at `asked` and was decided on by `decided`,
/// after `refused` others in its connection. It does not tell what it took to decide, but for how
/// many whole delays that were.
inline steady_time refusal_time(const login_limits& by, steady_time asked, steady_time decided,
                                std::size_t refused) {
    if (by.refusal_delay.count() <= 0)
        return decided + backoff(by, refused);
    const std::chrono::nanoseconds delay = by.refusal_delay;
    const auto took = std::max(decided - asked, std::chrono::nanoseconds(1));
    return asked + (took + delay - std::chrono::nanoseconds(1)) / delay * delay +
           backoff(by, refused);
}

} // namespace flowtap::transport
