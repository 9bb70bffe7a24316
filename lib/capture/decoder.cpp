// SPDX-License-Identifier: Apache-2.0
#include "decoder.hpp"

#include <algorithm>
#include <array>

namespace flowtap::capture::detail {

namespace {

using factory = std::unique_ptr<decoder> (*)();

/// A kind of compression with the octets that its files begin with: RFC 1952, section 2.3.1; the
/// xz file format, section 2.1.1.1; RFC 8878, sections 3.1.1 and 3.1.2; the lz4 frame format. For
/// bzip2 see below.
struct known_kind {
    compression kind;
    std::string_view name;
    std::string_view mark;
    factory make;
};

#ifdef FLOWTAP_WITH_ZLIB
constexpr factory gzip_factory = make_gzip_decoder;
#else
constexpr factory gzip_factory = nullptr;
#endif
#ifdef FLOWTAP_WITH_BZIP2
constexpr factory bzip2_factory = make_bzip2_decoder;
#else
constexpr factory bzip2_factory = nullptr;
#endif
#ifdef FLOWTAP_WITH_LZMA
constexpr factory xz_factory = make_xz_decoder;
#else
constexpr factory xz_factory = nullptr;
#endif
#ifdef FLOWTAP_WITH_ZSTD
constexpr factory zstd_factory = make_zstd_decoder;
#else
constexpr factory zstd_factory = nullptr;
#endif
#ifdef FLOWTAP_WITH_LZ4
constexpr factory lz4_factory = make_lz4_decoder;
#else
constexpr factory lz4_factory = nullptr;
#endif

constexpr std::array<known_kind, 5> known = {{
    {compression::gzip, "gzip", "\x1F\x8B\x08", gzip_factory},
    {compression::bzip2, "bzip2", "BZh", bzip2_factory},
    {compression::xz, "xz", std::string_view("\xFD\x37\x7A\x58\x5A\x00", 6), xz_factory},
    {compression::zstd, "zstd", "\x28\xB5\x2F\xFD", zstd_factory},
    {compression::lz4, "lz4", "\x04\x22\x4D\x18", lz4_factory},
}};

bool begins_with(byte_view octets, std::string_view mark) noexcept {
    const byte_view wanted = as_byte_view(mark);
    return octets.size() >= wanted.size() &&
           std::equal(wanted.begin(), wanted.end(), octets.begin());
}

/// `BZh`, the size of the blocks as a digit, and the mark of a block or of the end.
bool is_bzip2(byte_view beginning) noexcept {
    if (!begins_with(beginning, "BZh") || beginning.size() < compression_mark)
        return false;
    const char size = static_cast<char>(beginning[3]);
    return size >= '1' && size <= '9' &&
           (begins_with(beginning.subspan(4), "\x31\x41") ||
            begins_with(beginning.subspan(4), "\x17\x72"));
}

const known_kind* find(compression kind) noexcept {
    const auto found = std::ranges::find(known, kind, &known_kind::kind);
    return found == known.end() ? nullptr : &*found;
}

} // namespace

compression compression_of(byte_view beginning) noexcept {
    for (const known_kind& each : known) {
        const bool is_it = each.kind == compression::bzip2 ? is_bzip2(beginning)
                                                           : begins_with(beginning, each.mark);
        if (is_it)
            return each.kind;
    }
    return compression::none;
}

std::string_view name_of(compression kind) noexcept {
    const known_kind* found = find(kind);
    return found == nullptr ? "none" : found->name;
}

bool can_decode(compression kind) noexcept {
    const known_kind* found = find(kind);
    return found != nullptr && found->make != nullptr;
}

std::unique_ptr<decoder> make_decoder(compression kind) {
    return can_decode(kind) ? find(kind)->make() : nullptr;
}

} // namespace flowtap::capture::detail
