// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include <flowtap/core/bytes.hpp>

#include "octet_stream.hpp"

namespace flowtap::capture::detail {

/// A stream of which the first octets can be looked at before they are read: what a file is shows
/// there, and pipes cannot go back.
class peeked_stream final : public octet_stream {
public:
    static constexpr std::size_t most = 32;

    explicit peeked_stream(std::unique_ptr<octet_stream> from) noexcept : from_(std::move(from)) {}

    /// The first `count` octets, at most `most`; fewer when there are no more. Waits for them. For
    /// the time before the first read.
    byte_view peek(std::size_t count) noexcept;
    /// How the last look ended: `ready`, or the reason why it found fewer octets.
    stream_state state() const noexcept { return state_; }

    stream_read read(std::span<std::byte> into, patience how) noexcept override;
    error failure() const override { return from_->failure(); }

private:
    std::unique_ptr<octet_stream> from_;
    std::array<std::byte, most> kept_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    stream_state state_ = stream_state::ready;
};

} // namespace flowtap::capture::detail
