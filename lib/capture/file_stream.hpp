// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <flowtap/core/descriptor.hpp>

#include "octet_stream.hpp"

namespace flowtap::capture::detail {

/// The octets of a file. A pipe, a terminal or a socket may be long in giving its next octets: the
/// wait for them can be ended from another thread.
class file_stream final : public octet_stream {
public:
    /// `path` is for errors. Errors: those of the operating system.
    static result<std::unique_ptr<file_stream>> make(descriptor file, std::string path);

    stream_read read(std::span<std::byte> into, patience how) noexcept override;
    error failure() const override;

    /// Ends the wait for octets, and all reading, now or the next time. Any thread.
    void interrupt() noexcept;

    /// Octets read so far. Any thread.
    std::uint64_t position() const noexcept { return position_.load(std::memory_order_relaxed); }
    /// How many octets there were when the file was opened; none of what is no regular file.
    std::optional<std::uint64_t> size() const noexcept { return size_; }

private:
    file_stream(descriptor file, descriptor wake, std::string path) noexcept;

    stream_state wait_for_octets(patience how) noexcept;

    descriptor file_;
    descriptor wake_; ///< none for a regular file, which keeps nobody waiting
    std::string path_;
    std::optional<std::uint64_t> size_;
    std::atomic<std::uint64_t> position_{0};
    std::atomic<bool> interrupted_{false};
    int failure_ = 0;
};

} // namespace flowtap::capture::detail
