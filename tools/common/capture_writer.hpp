// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <sys/types.h>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/packet/view.hpp>

namespace flowtap::tools {

/// Writes packets to a pcap file with times in nanoseconds. What a full disk does not take is
/// counted, and a file then ends after its last whole packet, so that it stays valid.
class capture_writer {
public:
    /// Makes or empties `path`; `-` is standard output.
    static result<capture_writer> create(const std::string& path, packet::link_type link);
    /// Begins a capture in an empty file.
    static result<capture_writer> begin(descriptor file, const std::string& path,
                                        packet::link_type link);
    /// Goes on at the end of a capture that was begun, and closed, before.
    static capture_writer resume(descriptor file, const std::string& path);

    /// `wire_length` is the packet's length before anything cut it.
    void write(byte_view packet, std::uint32_t wire_length, wall_time time);
    /// Hands what is buffered to the system.
    void flush();
    /// Flushes and closes. Errors: that of the system for any write so far.
    result<void> close();

    /// Packets that could not be written.
    std::uint64_t unwritten() const noexcept { return unwritten_; }
    /// Why, the last time that happened; no code if it never did.
    error failure() const;

private:
    capture_writer(descriptor file, const std::string& path);

    bool put(byte_view first, byte_view second);
    void store(byte_view octets);

    descriptor file_;
    std::string path_;
    std::unique_ptr<std::byte[]> buffer_;
    std::size_t used_ = 0;
    std::uint64_t packets_ = 0; ///< in the buffer
    bool is_regular_ = false;
    off_t end_ = 0; ///< of the last whole packet in the file
    std::uint64_t unwritten_ = 0;
    int failure_ = 0;
};

} // namespace flowtap::tools
