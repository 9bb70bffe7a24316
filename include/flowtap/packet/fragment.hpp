// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/packet/api.hpp>
#include <flowtap/packet/encapsulation.hpp>

namespace flowtap::packet {

/// A copy on its way out, in one piece or in several: where a copy is longer than the egress MTU,
/// its outer packet is fragmented, by RFC 791 or with RFC 8200's fragment header.
///
/// Borrows the template and the inner packet, which must outlive it, and allocates nothing. Each
/// piece is a header in a buffer of the fragmenter's own and a part of the inner packet, ready for
/// scattered output.
///
/// Example:
/// ```
/// auto pieces = fragmenter::make(header, inner, identification, mtu);
/// for (fragmenter::piece piece; pieces && pieces->next(piece);)
///     send(piece.header, piece.payload);
/// ```
class fragmenter {
public:
    /// One packet to be sent: `header`, then `payload`. `header` is valid until the next call of
    /// `next`.
    struct piece {
        byte_view header;
        byte_view payload;
    };

    /// `mtu` is the longest IP packet that may go out, in octets. `identification` tells the pieces
    /// of one copy from those of others; IPv4 carries its low 16 bits.
    /// Errors: `errc::too_long`, if the template cannot write a header for the packet;
    /// `errc::mtu_too_small`, if the outer headers and eight octets of the packet do not fit.
    FLOWTAP_PACKET_API static result<fragmenter> make(const header_template& header,
                                                      byte_view inner, std::uint32_t identification,
                                                      std::size_t mtu);

    /// The next piece, in order. False, with `out` untouched, after the last one.
    FLOWTAP_PACKET_API bool next(piece& out) noexcept;

private:
    fragmenter() = default;

    void make_room_for_fragment_header(std::uint32_t identification) noexcept;
    void write_ipv4_fields(std::size_t offset, std::size_t length) noexcept;
    void write_ipv6_fields(std::size_t offset, std::size_t length) noexcept;

    static constexpr std::size_t fragment_header_size = 8;

    /// The header of the piece at hand: all of it in the first, the IP headers alone in the others.
    std::array<std::byte, max_header_size + fragment_header_size> octets_{};
    byte_view rest_;
    /// Octets of IP headers, a fragment header included.
    std::size_t ip_size_ = 0;
    /// Octets that stand between the IP headers and the inner packet in the first piece.
    std::size_t shim_size_ = 0;
    std::size_t mtu_ = 0;
    /// Where the piece at hand stands in the outer packet's payload.
    std::size_t offset_ = 0;
    bool is_ipv4_ = true;
    bool is_whole_ = false;
    bool done_ = false;
};

} // namespace flowtap::packet
