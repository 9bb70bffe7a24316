// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#ifdef FLOWTAP_WITH_ZLIB
#include <zlib.h>
#endif
#ifdef FLOWTAP_WITH_BZIP2
#include <bzlib.h>
#endif
#ifdef FLOWTAP_WITH_LZMA
#include <lzma.h>
#endif
#ifdef FLOWTAP_WITH_ZSTD
#include <zstd.h>
#endif
#ifdef FLOWTAP_WITH_LZ4
#include <lz4frame.h>
#endif

#include <doctest/doctest.h>

/// Compresses as the programs do whose files are read.
namespace flowtap::capture::test {

#ifdef FLOWTAP_WITH_ZLIB
inline std::string gzipped(const std::string& text) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string made(deflateBound(&stream, text.size()) + 64, '\0');
    std::string input = text;
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(input.size());
    stream.next_out = reinterpret_cast<Bytef*>(made.data());
    stream.avail_out = static_cast<uInt>(made.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    made.resize(stream.total_out);
    deflateEnd(&stream);
    return made;
}
#endif

#ifdef FLOWTAP_WITH_BZIP2
/// In blocks of 100 kB.
inline std::string bzipped(const std::string& text) {
    std::string input = text;
    std::string made(text.size() + text.size() / 100 + 600, '\0');
    auto size = static_cast<unsigned>(made.size());
    REQUIRE(BZ2_bzBuffToBuffCompress(made.data(), &size, input.data(),
                                     static_cast<unsigned>(input.size()), 1, 0, 0) == BZ_OK);
    made.resize(size);
    return made;
}
#endif

#ifdef FLOWTAP_WITH_LZMA
inline std::string xzed(const std::string& text) {
    std::string made(lzma_stream_buffer_bound(text.size()), '\0');
    std::size_t size = 0;
    REQUIRE(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, nullptr,
                                    reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                                    reinterpret_cast<std::uint8_t*>(made.data()), &size,
                                    made.size()) == LZMA_OK);
    made.resize(size);
    return made;
}
#endif

#ifdef FLOWTAP_WITH_ZSTD
inline std::string zstded(const std::string& text) {
    std::string made(ZSTD_compressBound(text.size()), '\0');
    const std::size_t size = ZSTD_compress(made.data(), made.size(), text.data(), text.size(), 1);
    REQUIRE(ZSTD_isError(size) == 0);
    made.resize(size);
    return made;
}
#endif

#ifdef FLOWTAP_WITH_LZ4
inline std::string lz4ed(const std::string& text) {
    LZ4F_preferences_t wanted{};
    wanted.frameInfo.blockSizeID = LZ4F_max64KB;
    wanted.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    std::string made(LZ4F_compressFrameBound(text.size(), &wanted), '\0');
    const std::size_t size =
        LZ4F_compressFrame(made.data(), made.size(), text.data(), text.size(), &wanted);
    REQUIRE(LZ4F_isError(size) == 0);
    made.resize(size);
    return made;
}
#endif

struct compressor {
    const char* name;
    std::string (*compress)(const std::string&);
};

/// Those that this build has.
inline std::vector<compressor> compressors() {
    return {
#ifdef FLOWTAP_WITH_ZLIB
        {"gzip", gzipped},
#endif
#ifdef FLOWTAP_WITH_BZIP2
        {"bzip2", bzipped},
#endif
#ifdef FLOWTAP_WITH_LZMA
        {"xz", xzed},
#endif
#ifdef FLOWTAP_WITH_ZSTD
        {"zstd", zstded},
#endif
#ifdef FLOWTAP_WITH_LZ4
        {"lz4", lz4ed},
#endif
    };
}

} // namespace flowtap::capture::test
