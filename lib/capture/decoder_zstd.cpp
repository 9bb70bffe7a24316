// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include <zstd.h>

#include "decoder.hpp"

namespace flowtap::capture::detail {

namespace {

class zstd_decoder final : public decoder {
public:
    bool open() noexcept { return stream_ != nullptr; }

    decoding decode(byte_view in, std::span<std::byte> out) noexcept override {
        ZSTD_inBuffer from{in.data(), std::min(in.size(), piece_), 0};
        ZSTD_outBuffer to{out.data(), out.size(), 0};
        const std::size_t outcome = ::ZSTD_decompressStream(stream_.get(), &to, &from);
        if (::ZSTD_isError(outcome) != 0)
            return {0, 0, decoding::state::failed, ::ZSTD_getErrorName(outcome)};
        if (outcome == 0)
            return {from.pos, to.pos, decoding::state::ended};
        piece_ = outcome > block_header ? outcome - block_header : outcome;
        return {from.pos, to.pos};
    }

    bool restart() noexcept override {
        piece_ = 1;
        return true;
    }

private:
    /// RFC 8878, section 3.1.1.2.
    static constexpr std::size_t block_header = 3;

    struct closer {
        void operator()(ZSTD_DStream* stream) const noexcept { ::ZSTD_freeDStream(stream); }
    };

    /// Refuses windows of more than 128 MiB by itself.
    std::unique_ptr<ZSTD_DStream, closer> stream_{::ZSTD_createDStream()};
    /// What is taken at a time, by the hint of zstd, which has the header of the next block in it.
    /// A call that fails does not say what it has put out before: so one call never gets more than
    /// one block or one header.
    std::size_t piece_ = 1;
};

} // namespace

std::unique_ptr<decoder> make_zstd_decoder() {
    auto made = std::make_unique<zstd_decoder>();
    return made->open() ? std::move(made) : nullptr;
}

} // namespace flowtap::capture::detail
