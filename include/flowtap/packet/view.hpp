// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/packet/api.hpp>

namespace flowtap::packet {

/// The link types that can be decoded. The numbers are those of LINKTYPE_ in pcap files
/// (https://www.tcpdump.org/linktypes.html).
enum class link_type : std::uint16_t {
    null = 0, ///< BSD loopback, family in the host order of the capturing machine
    ethernet = 1,
    ppp = 9,
    raw_bsd = 12,     ///< as `raw`; libpcap's DLT_RAW on most systems
    raw_openbsd = 14, ///< as `raw`; libpcap's DLT_RAW on OpenBSD
    ppp_hdlc = 50,
    ppp_ether = 51, ///< PPPoE session frames, from the PPPoE header on
    raw = 101,      ///< IPv4 or IPv6, from the IP header on
    cisco_hdlc = 104,
    loop = 108, ///< OpenBSD loopback, family in network order
    linux_cooked = 113,
    ppp_with_direction = 204,
    ipv4 = 228,
    ipv6 = 229,
    linux_cooked_v2 = 276,
};

/// What decoding found. Everything but `ip` is counted and not tapped.
enum class verdict : std::uint8_t {
    ip,             ///< an IP packet that filters look at
    later_fragment, ///< an IP fragment that is not the first of its packet, cut short or not
    not_ip,         ///< another layer-3 or layer-2 protocol: ARP, MPLS, LLDP, ...
    cut_short,      ///< IP, but the capture holds fewer octets than the packet's total length
    malformed, ///< claims to be IP, and its IP header is not consistent with itself or the frame
    unsupported_link, ///< the link type cannot be decoded
};
inline constexpr std::size_t verdict_count = 6;

/// One decoded packet. Borrows the octets of the frame it was decoded from.
struct packet_view {
    verdict what = verdict::not_ip;
    /// The outermost VLAN id, 0 to 4095; -1 for a frame without a tag.
    std::int16_t vlan = -1;
    /// The packet from its outermost IP header on, exactly its total length, or as much of it as
    /// was captured; link padding is never in it. Valid for `ip`, `later_fragment` and `cut_short`;
    /// empty in a packet of which not even the fixed IP header was captured, which has no key
    /// either.
    byte_view ip;
    /// The packet's total length by its IP header, in octets; more than `ip.size()` when cut short.
    std::uint32_t total_length = 0;
    /// The fragment offset in octets; 0 for whole packets and first fragments.
    std::uint32_t fragment_offset = 0;
    /// More fragments follow.
    bool more_fragments = false;
    /// All a filter can see, but for interface, VRF and direction, which the caller knows. Valid
    /// for `ip`, `later_fragment` (without ports) and `cut_short` (as far as it was captured).
    packet_key key;
};

/// Decodes one frame as far as a filter looks. Never fails, never reads outside `frame`, allocates
/// nothing. `wire_length` is the frame's length before a snap length cut it; one below the frame's
/// size counts as that size. Sets every member of `out`. Time grows with the number of VLAN tags
/// and IPv6 extension headers only. The decisions it takes are listed in lib/packet/README.md.
FLOWTAP_PACKET_API void decode(link_type link, byte_view frame, std::size_t wire_length,
                               packet_view& out) noexcept;

/// What the fragments of one packet have in common beside its addresses and, with IPv4, its
/// protocol: 16 bits with IPv4, 32 with IPv6, where it stands in the fragment header. None for a
/// packet that is no fragment, or of which the header with it was not captured. Not a member of
/// `packet_view`, since few packets are fragments.
FLOWTAP_PACKET_API std::optional<std::uint32_t>
fragment_identification(const packet_view& packet) noexcept;

} // namespace flowtap::packet
