// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <flowtap/core/address.hpp>
#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/packet/api.hpp>
#include <flowtap/packet/checksum.hpp>

namespace flowtap::packet {

/// The mirror header of subscriber mirroring: version 0, 30 bits of Intercept-ID and 32 bits of
/// Session-ID, as Wireshark's jmirror dissector reads it.
struct mirror_header {
    std::uint32_t intercept_id = 0;
    std::uint32_t session_id = 0;

    friend bool operator==(const mirror_header&, const mirror_header&) = default;
};

/// What stands around a copy.
enum class encapsulation_kind : std::uint8_t {
    udp,        ///< IP and UDP (flow-tap)
    udp_mirror, ///< IP, UDP and the mirror header (subscriber mirroring)
    ip_in_ip,   ///< IP alone (dynamic flow capture)
};

/// The parameters of an encapsulation. Both addresses are of one family.
struct encapsulation {
    encapsulation_kind kind = encapsulation_kind::udp;
    endpoint source;
    endpoint destination;
    /// Time to live, or hop limit: 0 to 255.
    std::uint8_t ttl = 255;
    /// The DSCP of the outer header, 0 to 63; none takes that of the copied packet.
    std::optional<std::uint8_t> dscp = 0;
    mirror_header mirror;

    friend bool operator==(const encapsulation&, const encapsulation&) = default;
};

/// The longest header a template writes: IPv6, UDP and the mirror header.
inline constexpr std::size_t max_header_size = 40 + 8 + 8;

/// An encapsulation made ready to be written in front of packets: everything that does not change
/// from packet to packet is computed once. Immutable and plain data.
class header_template {
public:
    /// Errors: `flowtap::errc::mixed_families`, if the addresses are of two families;
    /// `errc::invalid_dscp`; `flowtap::errc::out_of_range`, if the Intercept-ID has more than 30
    /// bits.
    FLOWTAP_PACKET_API static result<header_template> make(const encapsulation& parameters);

    const encapsulation& parameters() const noexcept { return parameters_; }
    /// Octets that `write` puts in front of a packet.
    std::size_t size() const noexcept { return size_; }

    /// Writes the header for `inner` (a packet from its IP header on) to the start of `out`, which
    /// has room for `size()` octets. `identification` goes into an IPv4 header. The UDP checksum is
    /// 0 over IPv4 and computed over IPv6 (RFC 8200, section 8.1). DF is clear.
    /// Allocates nothing. Returns false, and writes nothing, when the copy would be longer than
    /// 65535 octets, outer header included, or when IP-in-IP is asked for octets that are no IP
    /// packet. Constant time, but for the checksum over IPv6. A whole frame (family ccc) may stand
    /// in the place of a packet, with a DSCP that is given. Source: RFC 791, RFC 768, RFC 2003, RFC
    /// 2473, RFC 8200.
    FLOWTAP_PACKET_API bool write(byte_view inner, std::uint16_t identification,
                                  std::span<std::byte> out) const noexcept;

private:
    header_template() = default;

    void write_ipv4(byte_view inner, std::uint8_t protocol, std::uint16_t identification,
                    std::span<std::byte> out) const noexcept;
    void finish_ipv4(std::uint16_t length, std::uint16_t identification, std::uint32_t sum,
                     std::span<std::byte> out) const noexcept;
    void write_ipv6(byte_view inner, std::uint8_t protocol,
                    std::span<std::byte> out) const noexcept;

    encapsulation parameters_;
    std::array<std::byte, max_header_size> octets_{};
    std::size_t size_ = 0;
    /// Over IPv4, with nothing that is taken from the packet but its length.
    bool is_fixed_ = false;
    std::uint32_t partial_ip_checksum_ = 0;
    internet_checksum partial_udp_checksum_;
};

} // namespace flowtap::packet
