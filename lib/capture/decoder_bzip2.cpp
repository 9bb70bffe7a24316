// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <climits>

#include <bzlib.h>

#include "decoder.hpp"

namespace flowtap::capture::detail {

namespace {

const char* reason_for(int outcome) noexcept {
    switch (outcome) {
    case BZ_DATA_ERROR_MAGIC:
        return "no bzip2 header";
    case BZ_DATA_ERROR:
        return "a checksum is wrong, or the data is damaged";
    case BZ_MEM_ERROR:
        return "out of memory";
    default:
        return "libbz2 failed";
    }
}

class bzip2_decoder final : public decoder {
public:
    ~bzip2_decoder() override { close(); }

    bool open() noexcept { return open_ = BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK; }

    decoding decode(byte_view in, std::span<std::byte> out) noexcept override {
        const auto room = static_cast<unsigned>(std::min<std::size_t>(out.size(), UINT_MAX));
        const auto given = static_cast<unsigned>(std::min<std::size_t>(in.size(), UINT_MAX));
        // libbz2 has no const for its input, which it does not write to.
        stream_.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(in.data()));
        stream_.avail_in = given;
        stream_.next_out = reinterpret_cast<char*>(out.data());
        stream_.avail_out = room;
        const int outcome = BZ2_bzDecompress(&stream_);
        decoding done{given - stream_.avail_in, room - stream_.avail_out};
        if (outcome == BZ_STREAM_END) {
            done.now = decoding::state::ended;
        } else if (outcome != BZ_OK) {
            done.now = decoding::state::failed;
            done.reason = reason_for(outcome);
        }
        return done;
    }

    bool restart() noexcept override {
        close();
        stream_ = {};
        return open();
    }

private:
    void close() noexcept {
        if (open_)
            BZ2_bzDecompressEnd(&stream_);
        open_ = false;
    }

    bz_stream stream_{};
    bool open_ = false;
};

} // namespace

std::unique_ptr<decoder> make_bzip2_decoder() {
    auto made = std::make_unique<bzip2_decoder>();
    return made->open() ? std::move(made) : nullptr;
}

} // namespace flowtap::capture::detail
