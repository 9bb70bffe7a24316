// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <flowtap/core/result.hpp>

namespace flowtap::capture::detail {

/// Whether a read may wait for octets that have not come yet.
enum class patience : std::uint8_t { wait, none };

/// How a read of a stream ended.
enum class stream_state : std::uint8_t {
    ready,       ///< there are octets: one at least
    would_wait,  ///< none for now, and the reader did not want to wait
    ended,       ///< none, ever
    interrupted, ///< none, since the reader was asked to stop
    failed,      ///< none, ever: `failure` says why
};

struct stream_read {
    std::size_t count = 0;
    stream_state state = stream_state::ready;
};

/// Octets in order: of a file as it is, or of what is compressed in it. For one thread.
class octet_stream {
public:
    octet_stream() = default;
    octet_stream(const octet_stream&) = delete;
    octet_stream& operator=(const octet_stream&) = delete;
    virtual ~octet_stream() = default;

    /// Puts octets into `into`, which has room for one at least. Only `ready` comes with octets,
    /// and every other state but `would_wait` comes again when it is asked again.
    virtual stream_read read(std::span<std::byte> into, patience how) noexcept = 0;

    /// Why the stream `failed`.
    virtual error failure() const = 0;
};

} // namespace flowtap::capture::detail
