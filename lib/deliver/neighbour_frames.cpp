// SPDX-License-Identifier: Apache-2.0
#include "neighbour_frames.hpp"

#include <algorithm>

#include <flowtap/packet/checksum.hpp>

namespace flowtap::deliver::detail {

namespace {

constexpr std::uint16_t ethertype_ipv4 = 0x0800;
constexpr std::uint16_t ethertype_arp = 0x0806;
constexpr std::uint16_t ethertype_ipv6 = 0x86DD;
constexpr std::uint16_t arp_request = 1;
constexpr std::uint16_t arp_reply = 2;
constexpr std::uint8_t icmpv6 = 58;
constexpr std::uint8_t neighbour_solicitation = 135;
constexpr std::uint8_t neighbour_advertisement = 136;
constexpr std::uint8_t option_source_link_address = 1;
constexpr std::uint8_t option_target_link_address = 2;
constexpr std::size_t ipv6_header_size = 40;

constexpr std::uint8_t from_this_link = 255; // the hop limit that no router leaves alone

void copy_to(std::span<std::byte> out, byte_view octets) noexcept {
    std::copy(octets.begin(), octets.end(), out.begin());
}

void put_address(std::span<std::byte> out, const ip_address& address) noexcept {
    const auto octets = address.bytes();
    copy_to(out, std::span(octets).first(address.size()));
}

/// The group that everybody with this address's last 24 bits listens to (RFC 4291, section 2.7.1).
ip_address solicited_node(const ip_address& target) noexcept {
    return {family::inet6,
            {0xFF02'0000'0000'0000U, 0x0000'0001'FF00'0000U | (target.bits().low & 0xFF'FFFFU)}};
}

mac_address everybody(const ip_address& target) noexcept {
    mac_address made;
    made.fill(std::byte{0xFF});
    if (target.ip_family() == family::inet)
        return made;
    store_big_endian<std::uint16_t>(made, 0x3333);
    store_big_endian<std::uint32_t>(std::span(made).subspan(2),
                                    0xFF00'0000U | (target.bits().low & 0xFF'FFFFU));
    return made;
}

bool is_one_host(const mac_address& mac) noexcept {
    return (mac[0] & std::byte{1}) == std::byte{0} && mac != mac_address{};
}

mac_address take_mac(byte_cursor& from) noexcept {
    mac_address made{};
    const byte_view octets = from.take(made.size());
    std::copy(octets.begin(), octets.end(), made.begin());
    return made;
}

std::optional<advertisement> read_arp(byte_cursor body) noexcept {
    // Ethernet and IPv4, of six and four octets.
    if (body.u16() != 1 || body.u16() != ethertype_ipv4 || body.u16() != 0x0604 ||
        body.u16() != arp_reply)
        return std::nullopt;
    const mac_address mac = take_mac(body);
    const std::uint32_t sender = body.u32();
    if (!body.good() || !is_one_host(mac))
        return std::nullopt;
    return advertisement{ip_address::v4(sender), mac};
}

std::optional<advertisement> read_neighbour_discovery(byte_cursor packet) noexcept {
    const byte_view header = packet.take(ipv6_header_size);
    if (!packet.good() || std::to_integer<std::uint8_t>(header[6]) != icmpv6 ||
        std::to_integer<std::uint8_t>(header[7]) != from_this_link)
        return std::nullopt;
    const auto length = load_big_endian<std::uint16_t>(header.subspan(4));
    const byte_view message = packet.take(length);
    byte_cursor fields(message);
    if (!packet.good() || fields.u8() != neighbour_advertisement || fields.u8() != 0 ||
        packet::internet_checksum()
                .add(header.subspan(8))
                .add(length)
                .add(std::uint16_t{icmpv6})
                .add(message)
                .value() != 0)
        return std::nullopt;
    fields.skip(2 + 4); // checksum, flags
    const byte_view target = fields.take(16);
    if (!fields.good())
        return std::nullopt;
    const ip_address address = ip_address::from_bytes(target);
    while (fields.remaining() >= 8) {
        const std::uint8_t type = fields.u8();
        const std::size_t size = std::size_t{fields.u8()} * 8;
        if (size == 0)
            return std::nullopt;
        byte_cursor option(fields.take(size - 2));
        if (type != option_target_link_address || !option.good())
            continue;
        const mac_address mac = take_mac(option);
        if (option.good() && is_one_host(mac))
            return advertisement{address, mac};
    }
    return std::nullopt;
}

} // namespace

std::array<std::byte, ethernet_header_size>
ethernet_header(const mac_address& to, const mac_address& from, family of) noexcept {
    std::array<std::byte, ethernet_header_size> made{};
    copy_to(made, to);
    copy_to(std::span(made).subspan(6), from);
    store_big_endian(std::span(made).subspan(12),
                     of == family::inet ? ethertype_ipv4 : ethertype_ipv6);
    return made;
}

solicitation::solicitation(const ip_address& target, const std::optional<ip_address>& source,
                           const mac_address& from,
                           const std::optional<mac_address>& known) noexcept {
    const family of = target.ip_family();
    const bool usable = source && source->ip_family() == of;
    const ip_address sender = usable ? *source : ip_address(of, {});
    const auto header = ethernet_header(known ? *known : everybody(target), from, of);
    copy_to(octets_, header);
    if (of == family::inet)
        put_arp(target, sender, from);
    else
        put_neighbour_discovery(target, sender, from);
}

void solicitation::put_arp(const ip_address& target, const ip_address& source,
                           const mac_address& from) noexcept {
    const std::span<std::byte> out(octets_);
    store_big_endian(out.subspan(12), ethertype_arp);
    const std::span<std::byte> body = out.subspan(ethernet_header_size);
    store_big_endian<std::uint16_t>(body, 1);
    store_big_endian(body.subspan(2), ethertype_ipv4);
    store_big_endian<std::uint16_t>(body.subspan(4), 0x0604);
    store_big_endian(body.subspan(6), arp_request);
    copy_to(body.subspan(8), from);
    put_address(body.subspan(14), source);
    put_address(body.subspan(24), target);
    size_ = ethernet_header_size + 28;
}

void solicitation::put_neighbour_discovery(const ip_address& target, const ip_address& source,
                                           const mac_address& from) noexcept {
    const std::span<std::byte> header = std::span(octets_).subspan(ethernet_header_size);
    const std::span<std::byte> message = header.subspan(ipv6_header_size);
    // The option with our address must not stand in one without a sender.
    const bool has_source = !source.is_unspecified();
    const std::uint16_t length = has_source ? 32 : 24;
    header[0] = std::byte{0x60};
    store_big_endian(header.subspan(4), length);
    header[6] = std::byte{icmpv6};
    header[7] = std::byte{from_this_link};
    put_address(header.subspan(8), source);
    const bool to_everybody = std::to_integer<unsigned>(octets_[0]) == 0x33;
    put_address(header.subspan(24), to_everybody ? solicited_node(target) : target);

    message[0] = std::byte{neighbour_solicitation};
    put_address(message.subspan(8), target);
    if (has_source) {
        message[24] = std::byte{option_source_link_address};
        message[25] = std::byte{1};
        copy_to(message.subspan(26), from);
    }
    const std::uint16_t checksum = packet::internet_checksum()
                                       .add(header.subspan(8, 32))
                                       .add(length)
                                       .add(std::uint16_t{icmpv6})
                                       .add(message.first(length))
                                       .value();
    store_big_endian(message.subspan(2), checksum);
    size_ = ethernet_header_size + ipv6_header_size + length;
}

std::optional<advertisement> read_advertisement(byte_view frame) noexcept {
    byte_cursor cursor(frame);
    cursor.skip(12);
    switch (cursor.u16()) {
    case ethertype_arp:
        return read_arp(cursor);
    case ethertype_ipv6:
        return read_neighbour_discovery(cursor);
    default:
        return std::nullopt;
    }
}

} // namespace flowtap::deliver::detail
