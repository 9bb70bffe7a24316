// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <flowtap/core/bytes.hpp>
#include <flowtap/packet/api.hpp>
#include <flowtap/packet/view.hpp>

namespace flowtap::packet {

/// Completes a checksum that was left to the hardware: puts the Internet checksum of all octets
/// from `start` on into the 16 bits at `start + offset`, which hold the sum of the pseudo-header
/// until then. A computed 0 becomes ffff, as a Linux host without such hardware has it. Returns
/// false, with nothing changed, when these 16 bits are not in `frame`.
FLOWTAP_PACKET_API bool complete_checksum(std::span<std::byte> frame, std::size_t start,
                                          std::size_t offset) noexcept;

/// What a host, or the card that received them, has merged into one packet.
enum class super_packet : std::uint8_t { tcp_ipv4, tcp_ipv6, udp };

/// How a super-packet is to be taken apart, as its host says.
struct segmentation {
    super_packet what = super_packet::tcp_ipv4;
    /// Octets of payload in each packet but the last, which may have fewer.
    std::uint16_t payload = 0;
    /// TCP's CWR flag belongs to the first packet alone (RFC 3168), not to all of them (AccECN).
    bool cwr_in_first_only = false;
    /// The transport checksum is left to the hardware: its field holds the sum of the
    /// pseudo-header.
    bool checksum_is_partial = false;
};

/// Takes a super-packet apart into the packets that the receiving host sees, as Linux does where
/// the hardware does not: sequence numbers and IPv4 identifications count up, FIN and PSH are in
/// the last packet only, lengths and checksums are right.
///
/// Borrows the frame, which must outlive it, and allocates nothing.
///
/// Example:
/// ```
/// auto packets = segmenter::make(link_type::ethernet, frame, how);
/// while (packets && packets->next_size() != 0)
///     use(out, packets->next(out));
/// ```
class segmenter {
public:
    /// Nothing when the frame is not such a super-packet, whole, in Ethernet (behind any VLAN tags)
    /// or raw IP: tunnels, fragments, IPv6 behind anything but hop-by-hop, routing and destination
    /// options headers, and lengths that do not agree. `payload` must not be 0.
    FLOWTAP_PACKET_API static std::optional<segmenter> make(link_type link, byte_view frame,
                                                            const segmentation& how) noexcept;

    /// Octets of the next packet with its link header; 0 after the last one.
    std::size_t next_size() const noexcept {
        return done_ ? 0 : headers_ - jumbo_ + (last() ? payload_ - at_ : step_);
    }

    /// Writes the next packet to the start of `out`. Returns its size; 0, with nothing written,
    /// when there is none left or it does not fit.
    FLOWTAP_PACKET_API std::size_t next(std::span<std::byte> out) noexcept;

private:
    explicit segmenter(byte_view frame) noexcept : frame_(frame) {}

    bool find_network(link_type link) noexcept;
    bool find_ipv4_transport() noexcept;
    bool find_ipv6_transport() noexcept;
    bool find_payload() noexcept;
    void prepare_checksum() noexcept;

    bool last() const noexcept { return payload_ - at_ <= step_; }
    void write_headers(std::span<std::byte> packet) const noexcept;
    void write_ipv4(std::span<std::byte> packet) const noexcept;
    void write_tcp(std::span<std::byte> segment) const noexcept;
    void write_checksum(std::span<std::byte> segment) const noexcept;

    byte_view frame_;
    segmentation how_;
    bool is_ipv4_ = true;
    bool done_ = false;
    /// A UDP packet without checksum stays without.
    bool has_checksum_ = true;
    /// Where the IP header, and the TCP or UDP header, begin in the frame.
    std::size_t network_ = 0;
    std::size_t transport_ = 0;
    /// Octets in front of the payload.
    std::size_t headers_ = 0;
    /// Octets of a jumbo payload header behind the IPv6 header, which is not in the packets.
    std::size_t jumbo_ = 0;
    std::size_t payload_ = 0;
    std::size_t step_ = 1;
    /// How much of the payload has been written, and in how many packets.
    std::size_t at_ = 0;
    std::uint16_t count_ = 0;
    /// The sum of the pseudo-header but for the length.
    std::uint32_t pseudo_sum_ = 0;
};

} // namespace flowtap::packet
