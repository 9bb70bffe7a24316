// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <flowtap/core/bytes.hpp>

namespace flowtap::capture::detail {

/// How a file may be compressed.
enum class compression : std::uint8_t { none, gzip, bzip2, xz, zstd, lz4 };

/// Octets in which the beginning of every compressed file shows what it is.
inline constexpr std::size_t compression_mark = 6;

/// What the first octets of a file say: at least `compression_mark` of them, or all there are.
compression compression_of(byte_view beginning) noexcept;

/// `gzip`, `xz`, ...
std::string_view name_of(compression kind) noexcept;

struct decoding {
    enum class state : std::uint8_t {
        more,   ///< wants more input, or more room
        ended,  ///< the compressed stream is whole; another one may follow
        failed, ///< no compressed data, or damaged: `reason` says it
    };

    std::size_t taken = 0; ///< octets of the input that were used
    std::size_t made = 0;  ///< octets of output
    state now = state::more;
    const char* reason = nullptr;
};

/// Decompresses one kind of data. Takes a bounded amount of memory, whatever the data asks for.
class decoder {
public:
    decoder() = default;
    decoder(const decoder&) = delete;
    decoder& operator=(const decoder&) = delete;
    virtual ~decoder() = default;

    /// Takes octets from the front of `in` and puts what was in them into `out`. What it has ready
    /// comes out at once, also without input.
    virtual decoding decode(byte_view in, std::span<std::byte> out) noexcept = 0;

    /// Makes ready for another stream, after one has `ended`. False without memory.
    virtual bool restart() noexcept = 0;
};

/// Whether this build can decompress `kind`.
bool can_decode(compression kind) noexcept;

/// Null without memory, and where `can_decode` is false.
std::unique_ptr<decoder> make_decoder(compression kind);

std::unique_ptr<decoder> make_gzip_decoder();
std::unique_ptr<decoder> make_bzip2_decoder();
std::unique_ptr<decoder> make_xz_decoder();
std::unique_ptr<decoder> make_zstd_decoder();
std::unique_ptr<decoder> make_lz4_decoder();

} // namespace flowtap::capture::detail
