// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <memory>

#include <sys/types.h>

#include <flowtap/core/descriptor.hpp>

namespace flowtap::capture::detail {

/// A pipe, a terminal, a socket: a file whose next octets may be long in coming. libpcap reads it
/// as a `FILE`; the wait for octets can be ended from another thread, and whether there are any can
/// be asked.
class waiting_file {
public:
    /// Null, with `errno`, when the system gives no descriptor or memory.
    static std::unique_ptr<waiting_file> make(descriptor file);
    waiting_file(const waiting_file&) = delete;
    waiting_file& operator=(const waiting_file&) = delete;

    /// The caller closes it, before this object goes. Null without memory.
    std::FILE* stream();

    /// Whether reading gives something, if only the end, without waiting.
    bool has_octets() const noexcept;

    /// Ends the wait for octets, now or the next time: it looks like the end of the file. Any
    /// thread.
    void interrupt() noexcept;
    bool is_interrupted() const noexcept { return interrupted_.load(std::memory_order_relaxed); }

private:
    waiting_file(descriptor file, descriptor wake) noexcept;

    static ssize_t read_for(void* self, char* into, std::size_t room);
    ssize_t read(char* into, std::size_t room) noexcept;
    ssize_t refill() noexcept;

    descriptor file_;
    descriptor wake_;
    std::atomic<bool> interrupted_{false};
    std::array<char, std::size_t{64} << 10> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace flowtap::capture::detail
