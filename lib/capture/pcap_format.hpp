// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include <flowtap/core/bytes.hpp>
#include <flowtap/packet/view.hpp>

/// Classic pcap files: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html, sections 4
/// and 5, and what libpcap makes of them.
namespace flowtap::capture::detail {

/// What the header of a file says of its records.
struct pcap_layout {
    bool swapped = false; ///< not in the byte order of this machine
    std::uint32_t nanoseconds_per_unit = 1000;
    /// Packets that are longer are handed over up to here.
    std::uint32_t snap_length = 0;
    packet::link_type link = packet::link_type::ethernet;
};

/// The longest record of any link type that can be decoded; more is damage. As libpcap has it.
inline constexpr std::uint32_t longest_pcap_packet = 262'144;

/// Nothing when it is not the header of a pcap file of version 2.4 without anything unusual:
/// libpcap knows older and stranger ones.
std::optional<pcap_layout> read_pcap_header(byte_view octets) noexcept;

struct pcap_record {
    static constexpr std::size_t size = 16;

    std::uint32_t seconds = 0;
    std::uint32_t fraction = 0;
    std::uint32_t captured = 0;
    std::uint32_t length = 0;
};

/// Reads the header of a record from `size` octets.
template <bool Swapped>
pcap_record read_pcap_record(const std::byte* octets) noexcept {
    pcap_record made;
    std::memcpy(&made, octets, pcap_record::size);
    if constexpr (Swapped) {
        made.seconds = __builtin_bswap32(made.seconds);
        made.fraction = __builtin_bswap32(made.fraction);
        made.captured = __builtin_bswap32(made.captured);
        made.length = __builtin_bswap32(made.length);
    }
    return made;
}

static_assert(sizeof(pcap_record) == pcap_record::size);

} // namespace flowtap::capture::detail
