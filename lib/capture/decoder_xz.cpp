// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <lzma.h>

#include "decoder.hpp"

namespace flowtap::capture::detail {

namespace {

/// Twice what the highest preset of xz(1) takes.
constexpr std::uint64_t most_memory = std::uint64_t{128} << 20;

const char* reason_for(lzma_ret outcome) noexcept {
    switch (outcome) {
    case LZMA_FORMAT_ERROR:
        return "no xz header";
    case LZMA_DATA_ERROR:
        return "a checksum is wrong, or the data is damaged";
    case LZMA_OPTIONS_ERROR:
        return "compressed with options that are not known";
    case LZMA_MEMLIMIT_ERROR:
        return "needs more than 128 MiB of memory";
    case LZMA_MEM_ERROR:
        return "out of memory";
    default:
        return "liblzma failed";
    }
}

class xz_decoder final : public decoder {
public:
    ~xz_decoder() override { ::lzma_end(&stream_); }

    decoding decode(byte_view in, std::span<std::byte> out) noexcept override {
        stream_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
        stream_.avail_in = in.size();
        stream_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
        stream_.avail_out = out.size();
        const lzma_ret outcome = ::lzma_code(&stream_, LZMA_RUN);
        decoding done{in.size() - stream_.avail_in, out.size() - stream_.avail_out};
        if (outcome == LZMA_STREAM_END) {
            done.now = decoding::state::ended;
        } else if (outcome != LZMA_OK && outcome != LZMA_BUF_ERROR) {
            done.now = decoding::state::failed;
            done.reason = reason_for(outcome);
        }
        return done;
    }

    bool restart() noexcept override {
        return ::lzma_stream_decoder(&stream_, most_memory, 0) == LZMA_OK;
    }

private:
    lzma_stream stream_ = LZMA_STREAM_INIT;
};

} // namespace

std::unique_ptr<decoder> make_xz_decoder() {
    auto made = std::make_unique<xz_decoder>();
    return made->restart() ? std::move(made) : nullptr;
}

} // namespace flowtap::capture::detail
