// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <flowtap/core/address.hpp>
#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/packet/api.hpp>
#include <flowtap/packet/encapsulation.hpp>
#include <flowtap/packet/view.hpp>

namespace flowtap::packet {

/// How a checksum was found.
enum class checksum_state : std::uint8_t {
    absent, ///< the header has none, or UDP's is zero
    good,
    bad, ///< wrong, or left to the sender's hardware
};

/// A copy taken out of its encapsulation. Borrows the octets that it was found in.
struct decapsulated {
    encapsulation_kind kind = encapsulation_kind::udp;
    /// Ports are zero with IP-in-IP.
    endpoint source;
    endpoint destination;
    std::uint8_t ttl = 0;
    std::uint8_t dscp = 0;
    /// Of IPv4; 0 with IPv6.
    std::uint16_t identification = 0;
    /// Zero unless `kind` is `udp_mirror`.
    mirror_header mirror;
    checksum_state ip_checksum = checksum_state::absent;
    checksum_state udp_checksum = checksum_state::absent;
    /// What was copied, octet for octet.
    byte_view inner;
};

/// Takes a copy out of its outer IP packet. Nothing in a packet tells whether there is a mirror
/// header in it, so the caller says what to expect.
/// Errors: `errc::not_ip`, `errc::cut_short`, `errc::malformed`, `errc::fragment` (put the pieces
/// together first, see `reassembler`), and `errc::not_encapsulated`, if another protocol stands
/// where the kind has its own, a UDP length is wrong, or the mirror header's version is not 0.
/// Wrong checksums are reported, not refused. Never reads outside `packet`.
FLOWTAP_PACKET_API result<decapsulated> decapsulate(encapsulation_kind expected, byte_view packet);

/// The same for a packet as `decode` found it in a captured frame.
FLOWTAP_PACKET_API result<decapsulated> decapsulate(encapsulation_kind expected,
                                                    const packet_view& packet);

/// What a mirror header stands in front of. Borrows the octets that it was found in.
struct mirrored {
    mirror_header header;
    byte_view inner;
};

/// Takes the mirror header off the payload of a UDP datagram: for a receiver that has it from a
/// socket, without the outer headers.
/// Errors: `errc::not_encapsulated`, if it is too short for one or its version is not 0.
FLOWTAP_PACKET_API result<mirrored> read_mirror_header(byte_view payload);

} // namespace flowtap::packet
