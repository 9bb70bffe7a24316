// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include <lz4frame.h>

#include "decoder.hpp"

namespace flowtap::capture::detail {

namespace {

class lz4_decoder final : public decoder {
public:
    bool open() noexcept {
        LZ4F_dctx* made = nullptr;
        if (::LZ4F_isError(::LZ4F_createDecompressionContext(&made, LZ4F_VERSION)) != 0)
            return false;
        context_.reset(made);
        return true;
    }

    decoding decode(byte_view in, std::span<std::byte> out) noexcept override {
        std::size_t made = out.size();
        std::size_t taken = std::min(in.size(), piece_);
        const std::size_t outcome =
            ::LZ4F_decompress(context_.get(), out.data(), &made, in.data(), &taken, nullptr);
        if (::LZ4F_isError(outcome) != 0)
            return {0, 0, decoding::state::failed, ::LZ4F_getErrorName(outcome)};
        if (outcome == 0)
            return {taken, made, decoding::state::ended};
        piece_ = outcome > block_header ? outcome - block_header : outcome;
        return {taken, made};
    }

    bool restart() noexcept override {
        piece_ = 1;
        return true;
    }

private:
    static constexpr std::size_t block_header = 4;

    struct closer {
        void operator()(LZ4F_dctx* context) const noexcept {
            ::LZ4F_freeDecompressionContext(context);
        }
    };

    std::unique_ptr<LZ4F_dctx, closer> context_;
    /// What is taken at a time, by the hint of lz4, which has the header of the next block in it.
    /// A call that fails does not say what it has put out before: so one call never gets more than
    /// one block or one header.
    std::size_t piece_ = 1;
};

} // namespace

std::unique_ptr<decoder> make_lz4_decoder() {
    auto made = std::make_unique<lz4_decoder>();
    return made->open() ? std::move(made) : nullptr;
}

} // namespace flowtap::capture::detail
