// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include <flowtap/core/address.hpp>
#include <flowtap/packet/checksum.hpp>
#include <flowtap/packet/reassembly.hpp>

#include "decode_ip.hpp"
#include "frame_cursor.hpp"
#include "protocol_numbers.hpp"

namespace flowtap::packet {

using namespace detail;

namespace {

constexpr std::size_t longest_packet = 65535;

/// What tells the fragments of one packet from those of others.
struct packet_identity {
    family of_family = family::inet;
    address_bits source;
    address_bits destination;
    std::uint32_t identification = 0;
    /// Zero with IPv6, where it does not count (RFC 8200, section 4.5).
    std::uint8_t protocol = 0;

    friend bool operator==(const packet_identity&, const packet_identity&) = default;
};

struct extent {
    std::size_t first = 0;
    std::size_t last = 0;
};

} // namespace

struct reassembler::fragment {
    packet_identity identity;
    /// The headers that every fragment repeats, without a fragment header.
    byte_view header;
    byte_view payload;
    /// Where in `header` the number of the protocol that `payload` begins with belongs.
    std::size_t protocol_at = 0;
    std::uint8_t protocol = 0;
    std::size_t offset = 0;
    bool more = false;
};

struct reassembler::partial_packet {
    packet_identity identity;
    std::vector<std::byte> header;
    std::vector<std::byte> payload;
    /// What of the payload is there; sorted, none overlap.
    std::vector<extent> parts;
    /// The payload's length; unknown until the last fragment has come.
    std::optional<std::size_t> length;
    bool spoilt = false;

    bool complete() const noexcept;
    bool fits(const fragment& part) const noexcept;
    bool repeats(const fragment& part) const noexcept;
    void take(const fragment& part);
};

bool reassembler::partial_packet::complete() const noexcept {
    if (!length || header.empty())
        return false;
    std::size_t reached = 0;
    for (const extent& part : parts) {
        if (part.first != reached)
            return false;
        reached = part.last;
    }
    return reached == *length;
}

/// Whether the fragment agrees with what is there.
bool reassembler::partial_packet::fits(const fragment& part) const noexcept {
    const std::size_t end = part.offset + part.payload.size();
    if (part.payload.empty() || part.header.size() + end > longest_packet)
        return false;
    if (part.more && part.payload.size() % 8 != 0)
        return false;
    const std::size_t known_end = parts.empty() ? 0 : parts.back().last;
    if (length && end > *length)
        return false;
    if (!part.more && (end < known_end || (length && end != *length)))
        return false;
    return std::none_of(parts.begin(), parts.end(), [&](const extent& other) {
        return part.offset < other.last && other.first < end;
    });
}

/// Whether just these octets have come before.
bool reassembler::partial_packet::repeats(const fragment& part) const noexcept {
    const std::size_t end = part.offset + part.payload.size();
    const bool same_extent = std::any_of(parts.begin(), parts.end(), [&](const extent& other) {
        return other.first == part.offset && other.last == end;
    });
    return same_extent && std::equal(part.payload.begin(), part.payload.end(),
                                     payload.begin() + static_cast<std::ptrdiff_t>(part.offset));
}

void reassembler::partial_packet::take(const fragment& part) {
    const std::size_t end = part.offset + part.payload.size();
    payload.resize(std::max(payload.size(), end));
    std::copy(part.payload.begin(), part.payload.end(),
              payload.begin() + static_cast<std::ptrdiff_t>(part.offset));
    const auto behind = std::find_if(
        parts.begin(), parts.end(), [&](const extent& other) { return other.first > part.offset; });
    parts.insert(behind, {part.offset, end});
    if (!part.more)
        length = end;
    if (part.offset == 0) {
        header.assign(part.header.begin(), part.header.end());
        header[part.protocol_at] = std::byte{part.protocol};
    }
}

namespace {

/// A fragment header that is no formality (RFC 6946): `decode` has seen that there is one.
bool is_fragment_header(std::uint8_t type, byte_view rest) noexcept {
    return type == ip_protocol::fragment && (load_u16(rest, 2) & 0xFFF9U) != 0;
}

/// The parts of a fragment that `decode` has found to be one.
template <class Fragment>
Fragment split_ipv4(const packet_view& packet) noexcept {
    const byte_view ip = packet.ip;
    const std::size_t size = (load_u8(ip, 0) & 0x0FU) * 4U;
    return {.identity = {family::inet, packet.key.source, packet.key.destination, load_u16(ip, 4),
                         packet.key.protocol},
            .header = ip.first(size),
            .payload = ip.subspan(size),
            .protocol_at = 9,
            .protocol = packet.key.protocol,
            .offset = packet.fragment_offset,
            .more = packet.more_fragments};
}

template <class Fragment>
Fragment split_ipv6(const packet_view& packet) noexcept {
    const byte_view ip = packet.ip;
    std::size_t at = ipv6_header_size;
    std::size_t protocol_at = 6;
    while (!is_fragment_header(load_u8(ip, protocol_at), ip.subspan(at))) {
        const extension header = read_extension(load_u8(ip, protocol_at), ip.subspan(at));
        protocol_at = at;
        at += header.size;
    }
    return {.identity = {family::inet6, packet.key.source, packet.key.destination,
                         load_u32(ip, at + 4), 0},
            .header = ip.first(at),
            .payload = ip.subspan(at + ipv6_fragment_header_size),
            .protocol_at = protocol_at,
            .protocol = load_u8(ip, at),
            .offset = load_u16(ip, at + 2) & 0xFFF8U,
            .more = (load_u16(ip, at + 2) & 1U) != 0};
}

} // namespace

reassembler::reassembler() : reassembler(limits()) {}
reassembler::reassembler(limits bounds) : limits_(bounds) {}
reassembler::~reassembler() = default;

std::size_t reassembler::pending() const noexcept {
    return packets_.size();
}

byte_view reassembler::add(const packet_view& packet) {
    const bool is_ip = packet.what == verdict::ip || packet.what == verdict::later_fragment;
    if (!is_ip || packet.ip.size() < packet.total_length)
        return {};
    if (packet.fragment_offset == 0 && !packet.more_fragments)
        return packet.ip;

    const auto part = packet.key.of_family == family::inet ? split_ipv4<fragment>(packet)
                                                           : split_ipv6<fragment>(packet);
    partial_packet& whole = find_or_begin(part);
    if (whole.spoilt || whole.repeats(part))
        return {};
    if (!whole.fits(part) || whole.parts.size() >= limits_.fragments_per_packet) {
        // Kept, so that what else comes of it is not taken for a new packet.
        whole.spoilt = true;
        whole.payload.clear();
        ++given_up_;
        return {};
    }
    whole.take(part);
    if (!whole.complete())
        return {};
    finish(whole);
    std::erase_if(packets_, [&](const partial_packet& other) { return &other == &whole; });
    return joined_;
}

reassembler::partial_packet& reassembler::find_or_begin(const fragment& part) {
    const auto known = std::find_if(packets_.begin(), packets_.end(), [&](const auto& packet) {
        return packet.identity == part.identity;
    });
    if (known != packets_.end())
        return *known;
    if (packets_.size() >= std::max<std::size_t>(limits_.packets, 1)) {
        given_up_ += packets_.front().spoilt ? 0 : 1;
        packets_.pop_front();
    }
    packets_.emplace_back().identity = part.identity;
    return packets_.back();
}

void reassembler::finish(const partial_packet& packet) {
    joined_ = packet.header;
    joined_.insert(joined_.end(), packet.payload.begin(), packet.payload.end());
    const std::span<std::byte> header = std::span(joined_).first(packet.header.size());
    if (packet.identity.of_family == family::inet) {
        store_big_endian(header.subspan(2, 2), static_cast<std::uint16_t>(joined_.size()));
        const std::uint16_t flags = load_u16(header, 6);
        store_big_endian(header.subspan(6, 2), static_cast<std::uint16_t>(flags & 0x4000U));
        store_big_endian(header.subspan(10, 2), std::uint16_t{0});
        store_big_endian(header.subspan(10, 2), internet_checksum().add(header).value());
    } else {
        const std::size_t payload = joined_.size() - ipv6_header_size;
        store_big_endian(header.subspan(4, 2), static_cast<std::uint16_t>(payload));
    }
}

} // namespace flowtap::packet
