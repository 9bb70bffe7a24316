// SPDX-License-Identifier: Apache-2.0
// Takes any octets for a super-packet: three octets that say of which kind, then the frame. What it
// becomes must decode, hold the payload of the whole in order, and be whole packets.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include <flowtap/packet/segmentation.hpp>

namespace {

using namespace flowtap;
using namespace flowtap::packet;

void require(bool holds) {
    if (!holds)
        std::abort();
}

/// A piece is one IP packet, whole.
void check(link_type link, byte_view piece) {
    packet_view view;
    decode(link, piece, piece.size(), view);
    require(view.what == verdict::ip);
    require(view.key.protocol == 6 || view.key.protocol == 17);
    require(view.ip.data() + view.ip.size() == piece.data() + piece.size());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    byte_cursor input(std::as_bytes(std::span(data, size)));
    const std::uint8_t kind = input.u8();
    segmentation how;
    how.payload = input.u16();
    if (!input.good())
        return 0;
    how.what = static_cast<super_packet>((kind & 3U) % 3U);
    how.cwr_in_first_only = (kind & 4U) != 0;
    how.checksum_is_partial = (kind & 8U) != 0;
    const link_type link = (kind & 16U) != 0 ? link_type::raw : link_type::ethernet;
    const byte_view frame = input.rest();

    std::vector<std::byte> changed(frame.begin(), frame.end());
    complete_checksum(changed, how.payload, kind);

    auto pieces = segmenter::make(link, frame, how);
    if (!pieces)
        return 0;
    std::vector<std::byte> joined;
    std::size_t headers = 0;
    while (pieces->next_size() != 0) {
        std::vector<std::byte> piece(pieces->next_size());
        require(pieces->next(piece) == piece.size());
        check(link, piece);
        const bool is_last = pieces->next_size() == 0;
        if (joined.empty() && !is_last)
            headers = piece.size() - how.payload;
        if (headers == 0)
            return 0; // one packet alone
        require(is_last ? piece.size() - headers <= how.payload
                        : piece.size() - headers == how.payload);
        joined.insert(joined.end(), piece.begin() + static_cast<std::ptrdiff_t>(headers),
                      piece.end());
    }
    require(joined.size() < frame.size());
    require(std::ranges::equal(joined, frame.last(joined.size())));
    return 0;
}
