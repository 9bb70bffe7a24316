// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <ctime>

#include <malloc.h>

namespace flowtap::bench {

/// Processor time of this thread, which what else runs on the machine disturbs least.
inline std::chrono::nanoseconds thread_time() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

/// Octets that the allocator has handed out.
inline std::size_t heap_in_use() {
    const auto now = mallinfo2();
    return now.uordblks + now.hblkhd;
}

} // namespace flowtap::bench
