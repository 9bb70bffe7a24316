// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace flowtap {

/// A moment of the calendar, to the nanosecond: packets' timestamps, the Timestamp of an answer.
using wall_time = std::chrono::sys_time<std::chrono::nanoseconds>;

/// A moment that never goes backwards, to the nanosecond: timers and deadlines. Counted from an
/// origin of the caller's choice; only differences mean anything.
using steady_time = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

/// The time as it is handed to everything that has no clock of its own: both readings of one
/// instant.
struct time_stamp {
    steady_time steady;
    wall_time wall;
};

} // namespace flowtap
