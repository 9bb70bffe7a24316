// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>

#include "capture_reader.hpp"
#include "pcap_format.hpp"

namespace flowtap::capture::detail {

/// Reads a classic pcap file block by block and hands its packets over where they stand in the
/// block.
///
/// In front of the place for a block there is room for the longest record: the beginning of a
/// record that goes on in the next block is moved there, so that it is in one piece again.
class pcap_block_reader final : public capture_reader {
public:
    /// `from` has given the header of the file already.
    pcap_block_reader(reader_input from, const pcap_layout& layout);

    path::read_result read(std::span<path::captured_packet> packets) noexcept override;
    error failure() const override;
    packet::link_type link() const noexcept override { return layout_.link; }

private:
    enum class damage : std::uint8_t { none, too_long, cut_header, cut_packet, stream };

    /// Where a block begins, on a border of pages: the kernel copies faster to there.
    static constexpr std::size_t page = 4096;
    static constexpr std::size_t front = page + longest_pcap_packet;
    static_assert(front >= pcap_record::size + longest_pcap_packet && front % page == 0);

    struct free_pages {
        void operator()(std::byte* octets) const noexcept {
            ::operator delete (octets, std::align_val_t{page});
        }
    };

    template <bool Swapped>
    std::size_t take_records(std::span<path::captured_packet> packets) noexcept;
    bool read_on(patience how) noexcept;
    void move_rest() noexcept;
    void end() noexcept;
    void fail_for(damage what) noexcept;
    std::string place() const;

    reader_input from_;
    pcap_layout layout_;
    path::captured_packet common_;
    std::size_t block_;
    std::unique_ptr<std::byte[], free_pages> buffer_;
    /// What was read and not handed over.
    std::size_t begin_ = front;
    std::size_t end_ = front;

    std::uint64_t records_ = 0; ///< handed over
    /// Octets of the file, decompressed, up to `begin_`.
    std::uint64_t offset_ = pcap_header_size;
    path::source_state now_ = path::source_state::ready;
    damage damage_ = damage::none;
};

} // namespace flowtap::capture::detail
