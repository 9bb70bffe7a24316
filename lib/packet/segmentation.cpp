// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <flowtap/packet/checksum.hpp>
#include <flowtap/packet/segmentation.hpp>

#include "frame_cursor.hpp"
#include "protocol_numbers.hpp"

namespace flowtap::packet {

using namespace detail;

namespace {

constexpr std::size_t tcp_header_size = 20;
constexpr std::size_t tcp_sequence_at = 4;
constexpr std::size_t tcp_offset_at = 12;
constexpr std::size_t tcp_flags_at = 13;
constexpr std::size_t tcp_checksum_at = 16;
constexpr std::size_t udp_length_at = 4;
constexpr std::size_t udp_checksum_at = 6;
constexpr std::byte tcp_fin_and_psh{0x09};
constexpr std::byte tcp_cwr{0x80};
/// The header that Linux puts into an IPv6 super-packet of more than 64 KiB (RFC 2675).
constexpr std::size_t jumbo_header_size = 8;

bool is_vlan(std::uint16_t type) noexcept {
    switch (type) {
    case ether_type::customer_vlan:
    case ether_type::service_vlan:
    case ether_type::stacked_vlan_9100:
    case ether_type::stacked_vlan_9200:
    case ether_type::stacked_vlan_9300:
        return true;
    default:
        return false;
    }
}

std::uint8_t protocol_of(super_packet what) noexcept {
    return what == super_packet::udp ? ip_protocol::udp : ip_protocol::tcp;
}

std::size_t checksum_at(super_packet what) noexcept {
    return what == super_packet::udp ? udp_checksum_at : tcp_checksum_at;
}

/// One's complement sum of what an `internet_checksum` has got.
std::uint16_t sum_of(const internet_checksum& sum) noexcept {
    return static_cast<std::uint16_t>(~sum.value());
}

/// Whether the frame is a jumbogram with nothing but the jumbo payload option in its hop-by-hop
/// header.
bool has_jumbo_header(byte_view ip) noexcept {
    constexpr std::uint32_t only_jumbo = 0x00C204;
    return ip.size() >= ipv6_header_size + jumbo_header_size &&
           load_u8(ip, 6) == ip_protocol::hop_by_hop &&
           (load_u32(ip, ipv6_header_size) & 0x00FF'FFFFU) == only_jumbo &&
           load_u32(ip, ipv6_header_size + 4) == ip.size() - ipv6_header_size;
}

bool is_extension(std::uint8_t next_header) noexcept {
    return next_header == ip_protocol::hop_by_hop || next_header == ip_protocol::routing ||
           next_header == ip_protocol::destination_options;
}

} // namespace

bool complete_checksum(std::span<std::byte> frame, std::size_t start, std::size_t offset) noexcept {
    if (start > frame.size() || offset > frame.size() - start || frame.size() - start - offset < 2)
        return false;
    const std::uint16_t sum = internet_checksum().add(frame.subspan(start)).value();
    store_big_endian(frame.subspan(start + offset, 2), sum == 0 ? std::uint16_t{0xFFFF} : sum);
    return true;
}

std::optional<segmenter> segmenter::make(link_type link, byte_view frame,
                                         const segmentation& how) noexcept {
    segmenter made(frame);
    made.how_ = how;
    if (how.payload == 0 || !made.find_network(link))
        return std::nullopt;
    if (!(made.is_ipv4_ ? made.find_ipv4_transport() : made.find_ipv6_transport()))
        return std::nullopt;
    if (!made.find_payload())
        return std::nullopt;
    made.prepare_checksum();
    return made;
}

/// Finds the IP header, whose version must be the one that is announced.
bool segmenter::find_network(link_type link) noexcept {
    if (link == link_type::ethernet) {
        std::size_t type_at = 12;
        while (frame_.size() >= type_at + 2 && is_vlan(load_u16(frame_, type_at)))
            type_at += 4;
        if (frame_.size() < type_at + 2)
            return false;
        const std::uint16_t type = load_u16(frame_, type_at);
        if (type != ether_type::ipv4 && type != ether_type::ipv6)
            return false;
        network_ = type_at + 2;
        is_ipv4_ = type == ether_type::ipv4;
    } else if (link == link_type::raw && !frame_.empty()) {
        is_ipv4_ = load_u8(frame_, 0) >> 4 == 4;
    } else {
        return false;
    }
    if (how_.what != super_packet::udp && is_ipv4_ != (how_.what == super_packet::tcp_ipv4))
        return false;
    const std::size_t size = is_ipv4_ ? ipv4_header_size : ipv6_header_size;
    return frame_.size() - network_ >= size && load_u8(frame_, network_) >> 4 == (is_ipv4_ ? 4 : 6);
}

bool segmenter::find_ipv4_transport() noexcept {
    const byte_view ip = frame_.subspan(network_);
    const std::size_t header_size = (load_u8(ip, 0) & 0x0FU) * 4U;
    const std::size_t total = load_u16(ip, 2);
    // What is longer than 64 KiB says 0.
    if (header_size < ipv4_header_size || header_size > ip.size() ||
        (total != ip.size() && (total != 0 || ip.size() <= 0xFFFF)))
        return false;
    constexpr std::uint16_t more_or_offset = 0x3FFF;
    if ((load_u16(ip, 6) & more_or_offset) != 0 || load_u8(ip, 9) != protocol_of(how_.what))
        return false;
    transport_ = network_ + header_size;
    return true;
}

bool segmenter::find_ipv6_transport() noexcept {
    const byte_view ip = frame_.subspan(network_);
    const std::size_t payload = load_u16(ip, 4);
    const std::size_t size = ip.size() - ipv6_header_size;
    if (payload != size && (payload != 0 || size <= 0xFFFF))
        return false;
    std::uint8_t next = load_u8(ip, 6);
    std::size_t at = ipv6_header_size;
    if (payload == 0 && has_jumbo_header(ip)) {
        next = load_u8(ip, at);
        jumbo_ = jumbo_header_size;
        at += jumbo_header_size;
    }
    while (is_extension(next)) {
        if (ip.size() - at < 8)
            return false;
        const std::size_t length = (load_u8(ip, at + 1) + 1U) * 8U;
        if (length > ip.size() - at)
            return false;
        // With a routing header the packet's destination is not the one of the pseudo-header.
        if (next == ip_protocol::routing && !how_.checksum_is_partial)
            return false;
        next = load_u8(ip, at);
        at += length;
    }
    transport_ = network_ + at;
    return next == protocol_of(how_.what);
}

/// Finds where the payload begins, behind a transport header that is whole.
bool segmenter::find_payload() noexcept {
    const byte_view transport = frame_.subspan(transport_);
    std::size_t size = udp_header_size;
    if (how_.what != super_packet::udp) {
        if (transport.size() < tcp_header_size)
            return false;
        size = (load_u8(transport, tcp_offset_at) >> 4) * std::size_t{4};
        if (size < tcp_header_size)
            return false;
    }
    if (transport.size() < size)
        return false;
    if (how_.what == super_packet::udp && load_u16(transport, udp_length_at) != transport.size())
        return false;
    headers_ = transport_ + size;
    payload_ = frame_.size() - headers_;
    step_ = how_.payload;
    // No packet is longer than IP can say.
    return headers_ - network_ - jumbo_ + std::min(step_, payload_) <= 0xFFFF;
}

void segmenter::prepare_checksum() noexcept {
    const byte_view transport = frame_.subspan(transport_);
    const std::uint16_t field = load_u16(transport, checksum_at(how_.what));
    has_checksum_ = how_.checksum_is_partial || how_.what != super_packet::udp || field != 0;
    if (how_.checksum_is_partial) {
        // The field counts the length of the whole; a negative number is its complement.
        const auto length = static_cast<std::uint32_t>(transport.size());
        pseudo_sum_ = field + (~length >> 16) + (~length & 0xFFFFU);
        return;
    }
    const byte_view addresses =
        is_ipv4_ ? frame_.subspan(network_ + 12, 8) : frame_.subspan(network_ + 8, 32);
    pseudo_sum_ =
        std::uint32_t{sum_of(internet_checksum().add(addresses))} + protocol_of(how_.what);
}

std::size_t segmenter::next(std::span<std::byte> out) noexcept {
    const std::size_t size = next_size();
    if (size == 0 || out.size() < size)
        return 0;
    const bool is_last = last();
    const std::span<std::byte> packet = out.first(size);
    write_headers(packet);
    const std::size_t payload_size = size - (headers_ - jumbo_);
    const byte_view payload = frame_.subspan(headers_ + at_, payload_size);
    std::copy(payload.begin(), payload.end(), packet.last(payload_size).begin());
    const std::span<std::byte> segment = packet.subspan(transport_ - jumbo_);
    if (how_.what == super_packet::udp)
        store_big_endian(segment.subspan(udp_length_at, 2),
                         static_cast<std::uint16_t>(segment.size()));
    else
        write_tcp(segment);
    write_checksum(segment);
    at_ += payload_size;
    ++count_;
    done_ = is_last;
    return size;
}

/// Copies the headers and puts the lengths right that the IP header has.
void segmenter::write_headers(std::span<std::byte> packet) const noexcept {
    const std::size_t ip_end = network_ + (is_ipv4_ ? ipv4_header_size : ipv6_header_size);
    std::ranges::copy(frame_.first(ip_end), packet.begin());
    std::ranges::copy(frame_.subspan(ip_end + jumbo_, headers_ - ip_end - jumbo_),
                      packet.subspan(ip_end).begin());
    const std::span<std::byte> ip = packet.subspan(network_);
    if (is_ipv4_)
        return write_ipv4(ip);
    store_big_endian(ip.subspan(4, 2), static_cast<std::uint16_t>(ip.size() - ipv6_header_size));
    if (jumbo_ != 0)
        ip[6] = frame_[network_ + ipv6_header_size];
}

void segmenter::write_ipv4(std::span<std::byte> packet) const noexcept {
    const auto identification = static_cast<std::uint16_t>(load_u16(packet, 4) + count_);
    store_big_endian(packet.subspan(2, 2), static_cast<std::uint16_t>(packet.size()));
    store_big_endian(packet.subspan(4, 2), identification);
    store_big_endian(packet.subspan(10, 2), std::uint16_t{0});
    store_big_endian(packet.subspan(10, 2),
                     internet_checksum().add(packet.first(transport_ - network_)).value());
}

void segmenter::write_tcp(std::span<std::byte> segment) const noexcept {
    const auto sequence = static_cast<std::uint32_t>(load_u32(segment, tcp_sequence_at) + at_);
    store_big_endian(segment.subspan(tcp_sequence_at, 4), sequence);
    if (!last())
        segment[tcp_flags_at] &= ~tcp_fin_and_psh;
    if (count_ != 0 && how_.cwr_in_first_only)
        segment[tcp_flags_at] &= ~tcp_cwr;
}

void segmenter::write_checksum(std::span<std::byte> segment) const noexcept {
    if (!has_checksum_)
        return;
    const std::span<std::byte> field = segment.subspan(checksum_at(how_.what), 2);
    store_big_endian(field, std::uint16_t{0});
    // In two steps, since the sum of the pseudo-header may have more than 16 bits.
    std::uint16_t sum = internet_checksum()
                            .add(static_cast<std::uint16_t>(pseudo_sum_ >> 16))
                            .add(static_cast<std::uint16_t>(pseudo_sum_))
                            .add(static_cast<std::uint16_t>(segment.size()))
                            .add(segment)
                            .value();
    if (sum == 0 && how_.what == super_packet::udp)
        sum = 0xFFFF;
    store_big_endian(field, sum);
}

} // namespace flowtap::packet
