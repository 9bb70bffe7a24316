// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include <flowtap/core/error.hpp>
#include <flowtap/packet/checksum.hpp>
#include <flowtap/packet/encapsulation.hpp>
#include <flowtap/packet/error.hpp>

#include "protocol_numbers.hpp"

namespace flowtap::packet {

namespace {

using namespace detail;

constexpr std::size_t longest_copy = 65535;

/// Appends numbers in network order to a buffer that is known to be long enough.
class octet_writer {
public:
    explicit octet_writer(std::span<std::byte> out) noexcept : out_(out) {}

    template <std::unsigned_integral Number>
    octet_writer& put(Number value) noexcept {
        store_big_endian(out_.subspan(size_, sizeof(Number)), value);
        size_ += sizeof(Number);
        return *this;
    }

    octet_writer& put(const ip_address& address) noexcept {
        const auto octets = address.bytes();
        std::copy_n(octets.begin(), address.size(), out_.subspan(size_).begin());
        size_ += address.size();
        return *this;
    }

    std::size_t size() const noexcept { return size_; }

private:
    std::span<std::byte> out_;
    std::size_t size_ = 0;
};

std::uint8_t outer_protocol(encapsulation_kind kind) noexcept {
    return kind == encapsulation_kind::ip_in_ip ? 0 : ip_protocol::udp;
}

/// All of the header but lengths, identification, checksums, and what is taken from the packet.
std::size_t lay_out(const encapsulation& parameters, std::span<std::byte> out) noexcept {
    const auto traffic_class = static_cast<std::uint8_t>(parameters.dscp.value_or(0) << 2);
    octet_writer writer(out);
    if (parameters.source.address.ip_family() == family::inet) {
        writer.put(std::uint8_t{0x45}).put(traffic_class).put(std::uint16_t{0});
        writer.put(std::uint32_t{0});
        writer.put(parameters.ttl).put(outer_protocol(parameters.kind)).put(std::uint16_t{0});
    } else {
        writer.put(0x60000000U | static_cast<std::uint32_t>(traffic_class) << 20);
        writer.put(std::uint16_t{0}).put(outer_protocol(parameters.kind)).put(parameters.ttl);
    }
    writer.put(parameters.source.address).put(parameters.destination.address);

    if (parameters.kind != encapsulation_kind::ip_in_ip) {
        writer.put(parameters.source.port).put(parameters.destination.port);
        writer.put(std::uint32_t{0});
    }
    if (parameters.kind == encapsulation_kind::udp_mirror)
        writer.put(parameters.mirror.intercept_id).put(parameters.mirror.session_id);
    return writer.size();
}

/// The DSCP of an IP packet, in the place it has in an outer header's type of service; zero for
/// octets that are no IP packet.
std::uint8_t traffic_class_of(byte_view inner) noexcept {
    if (inner.size() < 2)
        return 0;
    const auto start = load_big_endian<std::uint16_t>(inner);
    switch (start >> 12) {
    case 4:
        return static_cast<std::uint8_t>(start & 0xFCU);
    case 6:
        return static_cast<std::uint8_t>(start >> 4 & 0xFCU);
    default:
        return 0;
    }
}

/// The protocol number that says "an IP packet follows"; zero for octets that are no IP packet.
std::uint8_t protocol_of(byte_view inner) noexcept {
    if (inner.empty())
        return 0;
    switch (std::to_integer<std::uint8_t>(inner[0]) >> 4) {
    case 4:
        return ip_protocol::ipv4;
    case 6:
        return ip_protocol::ipv6;
    default:
        return 0;
    }
}

/// A constant size lets the compiler copy with a few moves instead of a call.
void copy_header(std::span<const std::byte> from, std::span<std::byte> to) noexcept {
    switch (from.size()) {
    case 20:
        std::copy_n(from.begin(), 20, to.begin());
        break;
    case 28:
        std::copy_n(from.begin(), 28, to.begin());
        break;
    case 36:
        std::copy_n(from.begin(), 36, to.begin());
        break;
    default:
        std::copy(from.begin(), from.end(), to.begin());
    }
}

} // namespace

result<header_template> header_template::make(const encapsulation& parameters) {
    const ip_address& source = parameters.source.address;
    const ip_address& destination = parameters.destination.address;
    if (source.ip_family() != destination.ip_family())
        return fail(flowtap::errc::mixed_families, to_string(destination));
    if (parameters.dscp.value_or(0) > 63)
        return fail(errc::invalid_dscp, std::to_string(*parameters.dscp));
    if (parameters.mirror.intercept_id >> 30 != 0)
        return fail(flowtap::errc::out_of_range, std::to_string(parameters.mirror.intercept_id));

    header_template made;
    made.parameters_ = parameters;
    made.size_ = lay_out(parameters, made.octets_);
    const byte_view octets = std::span(made.octets_).first(made.size_);
    if (source.ip_family() == family::inet) {
        made.is_fixed_ = parameters.dscp && parameters.kind != encapsulation_kind::ip_in_ip;
        made.partial_ip_checksum_ = static_cast<std::uint16_t>(
            ~internet_checksum().add(octets.first(ipv4_header_size)).value());
    } else if (parameters.kind != encapsulation_kind::ip_in_ip) {
        // Addresses, ports and mirror header; the pseudo-header's other word is the protocol.
        made.partial_udp_checksum_.add(octets.subspan(8)).add(std::uint16_t{ip_protocol::udp});
    }
    return made;
}

/// `sum` is that of the header without what is written here.
inline void header_template::finish_ipv4(std::uint16_t length, std::uint16_t identification,
                                         std::uint32_t sum,
                                         std::span<std::byte> out) const noexcept {
    store_big_endian(out.subspan(2, 2), length);
    store_big_endian(out.subspan(4, 2), identification);
    if (parameters_.kind != encapsulation_kind::ip_in_ip)
        store_big_endian(out.subspan(ipv4_header_size + 4, 2),
                         static_cast<std::uint16_t>(length - ipv4_header_size));
    sum += std::uint32_t{length} + identification;
    sum = (sum & 0xFFFFU) + (sum >> 16);
    sum = (sum & 0xFFFFU) + (sum >> 16);
    store_big_endian(out.subspan(10, 2), static_cast<std::uint16_t>(~sum));
}

void header_template::write_ipv4(byte_view inner, std::uint8_t protocol,
                                 std::uint16_t identification,
                                 std::span<std::byte> out) const noexcept {
    std::uint32_t sum = partial_ip_checksum_;
    if (!parameters_.dscp) {
        const std::uint8_t traffic_class = traffic_class_of(inner);
        out[1] = std::byte{traffic_class};
        sum += traffic_class;
    }
    if (parameters_.kind == encapsulation_kind::ip_in_ip) {
        out[9] = std::byte{protocol};
        sum += protocol;
    }
    finish_ipv4(static_cast<std::uint16_t>(size_ + inner.size()), identification, sum, out);
}

void header_template::write_ipv6(byte_view inner, std::uint8_t protocol,
                                 std::span<std::byte> out) const noexcept {
    const auto length = static_cast<std::uint16_t>(size_ - ipv6_header_size + inner.size());
    store_big_endian(out.subspan(4, 2), length);
    if (!parameters_.dscp) {
        const std::uint32_t traffic_class = traffic_class_of(inner);
        store_big_endian(out.subspan(0, 4), 0x60000000U | traffic_class << 20);
    }
    if (parameters_.kind == encapsulation_kind::ip_in_ip) {
        out[6] = std::byte{protocol};
        return;
    }
    // The length stands in the pseudo-header too.
    internet_checksum checksum = partial_udp_checksum_;
    checksum.add(length).add(length).add(inner);
    const std::uint16_t value = checksum.value() == 0 ? 0xFFFF : checksum.value();
    store_big_endian(out.subspan(ipv6_header_size + 4, 2), length);
    store_big_endian(out.subspan(ipv6_header_size + 6, 2), value);
}

bool header_template::write(byte_view inner, std::uint16_t identification,
                            std::span<std::byte> out) const noexcept {
    const std::size_t length = size_ + inner.size();
    if (length > longest_copy)
        return false;
    if (is_fixed_) {
        copy_header(std::span(octets_).first(size_), out);
        finish_ipv4(static_cast<std::uint16_t>(length), identification, partial_ip_checksum_, out);
        return true;
    }
    const bool is_ip_in_ip = parameters_.kind == encapsulation_kind::ip_in_ip;
    const std::uint8_t protocol = is_ip_in_ip ? protocol_of(inner) : std::uint8_t{ip_protocol::udp};
    if (protocol == 0)
        return false;

    copy_header(std::span(octets_).first(size_), out);
    if (parameters_.source.address.ip_family() == family::inet)
        write_ipv4(inner, protocol, identification, out);
    else
        write_ipv6(inner, protocol, out);
    return true;
}

} // namespace flowtap::packet
