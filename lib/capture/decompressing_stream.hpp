// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "decoder.hpp"
#include "octet_stream.hpp"

namespace flowtap::capture::detail {

/// What is compressed in a stream, one compressed stream after the other, as `cat a.gz b.gz` makes
/// them; zeros between and behind them are padding. Everything before damage is read first. Takes
/// the memory of one decoder, whatever there is to decompress.
class decompressing_stream final : public octet_stream {
public:
    /// `path` is for errors.
    decompressing_stream(std::unique_ptr<octet_stream> from, std::unique_ptr<decoder> with,
                         compression kind, std::string path) noexcept;

    stream_read read(std::span<std::byte> into, patience how) noexcept override;
    error failure() const override;

private:
    std::size_t decode(std::span<std::byte> into) noexcept;
    bool has_work() noexcept;
    stream_state refill(patience how) noexcept;
    void fail_for(const char* reason) noexcept;

    std::unique_ptr<octet_stream> from_;
    std::unique_ptr<decoder> decoder_;
    compression kind_;
    std::string path_;

    std::array<std::byte, std::size_t{128} << 10> input_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::uint64_t taken_ = 0; ///< octets of `from_` that were decompressed
    bool is_between_ = false; ///< one compressed stream has ended, no other one has begun
    bool is_full_ = false;    ///< the decoder may have more output, without input
    /// `ready` as long as there may be more.
    stream_state now_ = stream_state::ready;
    const char* reason_ = nullptr;
};

} // namespace flowtap::capture::detail
