// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <new>
#include <climits>

#define ZLIB_CONST // input is not written to
#include <zlib.h>

#include "decoder.hpp"

namespace flowtap::capture::detail {

namespace {

/// zlib's window of 32 KiB, with gzip's header and checksum.
constexpr int gzip_window = 15 + 16;

class gzip_decoder final : public decoder {
public:
    ~gzip_decoder() override {
        if (open_)
            ::inflateEnd(&stream_);
    }

    bool open() noexcept { return open_ = ::inflateInit2(&stream_, gzip_window) == Z_OK; }

    decoding decode(byte_view in, std::span<std::byte> out) noexcept override {
        const auto room = static_cast<uInt>(std::min<std::size_t>(out.size(), UINT_MAX));
        const auto given = static_cast<uInt>(std::min<std::size_t>(in.size(), UINT_MAX));
        stream_.next_in = reinterpret_cast<const Bytef*>(in.data());
        stream_.avail_in = given;
        stream_.next_out = reinterpret_cast<Bytef*>(out.data());
        stream_.avail_out = room;
        const int outcome = ::inflate(&stream_, Z_NO_FLUSH);
        decoding done{given - stream_.avail_in, room - stream_.avail_out};
        if (outcome == Z_STREAM_END) {
            done.now = decoding::state::ended;
        } else if (outcome != Z_OK && outcome != Z_BUF_ERROR) {
            done.now = decoding::state::failed;
            done.reason = stream_.msg != nullptr ? stream_.msg : "zlib failed";
        }
        return done;
    }

    bool restart() noexcept override { return ::inflateReset(&stream_) == Z_OK; }

private:
    z_stream stream_{};
    bool open_ = false;
};

} // namespace

std::unique_ptr<decoder> make_gzip_decoder() {
    auto made = std::make_unique<gzip_decoder>();
    return made->open() ? std::move(made) : nullptr;
}

} // namespace flowtap::capture::detail
