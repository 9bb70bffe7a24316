// SPDX-License-Identifier: Apache-2.0
#include "pcap_format.hpp"

#include <bit>

#include "capture_reader.hpp"

namespace flowtap::capture::detail {

namespace {

constexpr std::uint32_t magic_microseconds = 0xA1B2'C3D4;
constexpr std::uint32_t magic_nanoseconds = 0xA1B2'3C4D;

/// Where the fields stand.
constexpr std::size_t at_major = 4;
constexpr std::size_t at_minor = 6;
constexpr std::size_t at_snap_length = 16;
constexpr std::size_t at_link = 20;

/// Bits beside the link type: 26 says that the topmost four are the length of the frame check
/// sequence, which does no harm; the others are not for use.
constexpr std::uint32_t reserved_link_bits = 0x03FF'0000;

} // namespace

std::optional<pcap_layout> read_pcap_header(byte_view octets) noexcept {
    if (octets.size() < pcap_header_size)
        return std::nullopt;
    const auto magic = load_big_endian<std::uint32_t>(octets);
    const bool is_little = magic == __builtin_bswap32(magic_microseconds) ||
                           magic == __builtin_bswap32(magic_nanoseconds);
    const auto u32 = [&](std::size_t at) {
        const auto value = load_big_endian<std::uint32_t>(octets.subspan(at));
        return is_little ? __builtin_bswap32(value) : value;
    };
    const auto u16 = [&](std::size_t at) {
        const auto value = load_big_endian<std::uint16_t>(octets.subspan(at));
        return is_little ? __builtin_bswap16(value) : value;
    };
    const std::uint32_t kind = u32(0);
    if ((kind != magic_microseconds && kind != magic_nanoseconds) || u16(at_major) != 2 ||
        u16(at_minor) != 4 || (u32(at_link) & reserved_link_bits) != 0)
        return std::nullopt;

    pcap_layout made;
    made.swapped = is_little != (std::endian::native == std::endian::little);
    made.nanoseconds_per_unit = kind == magic_nanoseconds ? 1 : 1000;
    // Nothing, or more than a number with a sign holds, stands for all there is.
    const std::uint32_t snap_length = u32(at_snap_length);
    made.snap_length =
        snap_length == 0 || snap_length > INT32_MAX ? longest_pcap_packet : snap_length;
    made.link = static_cast<packet::link_type>(u32(at_link) & 0xFFFFU);
    return made;
}

} // namespace flowtap::capture::detail
