// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/bytes.hpp>

/// Builds packets for tests, octet by octet and without any help of the library, so that a mistake
/// in one does not hide in the other.
namespace flowtap::test {

using octets = std::vector<std::byte>;

octets operator+(octets left, const octets& right);

/// Octets from hexadecimal digits; blanks are skipped.
octets hex(std::string_view digits);
std::string to_hex(byte_view bytes);

/// `size` octets that count up from `first`.
octets counting(std::size_t size, std::uint8_t first = 0);

octets u8(std::uint8_t number);
octets u16(std::uint16_t number);
octets u32(std::uint32_t number);

struct ipv4_fields {
    const char* source = "192.0.2.1";
    const char* destination = "198.51.100.2";
    std::uint8_t protocol = 17;
    std::uint8_t ttl = 64;
    std::uint8_t type_of_service = 0;
    std::uint16_t identification = 0x1234;
    /// The field as it stands: flags and offset in units of eight octets.
    std::uint16_t fragment = 0;
    octets options = {};
    /// In place of the right ones.
    std::optional<std::uint16_t> total_length = {};
    std::optional<std::uint8_t> version_and_size = {};
};

/// A packet with a right header checksum.
octets ipv4(const ipv4_fields& fields, const octets& payload);

struct ipv6_fields {
    const char* source = "2001:db8::1";
    const char* destination = "2001:db8:ffff::2";
    std::uint8_t next_header = 17;
    std::uint8_t hop_limit = 64;
    std::uint8_t traffic_class = 0;
    std::optional<std::uint16_t> payload_length = {};
    std::optional<std::uint8_t> version_and_class = {};
};

octets ipv6(const ipv6_fields& fields, const octets& payload);

/// Without checksums.
octets udp(std::uint16_t source, std::uint16_t destination, const octets& payload = {});
octets tcp(std::uint16_t source, std::uint16_t destination, const octets& payload = {});
octets icmp(std::uint8_t type, std::uint8_t code);

/// An IPv6 extension header in the general form, `body` padded to a multiple of eight octets.
octets extension(std::uint8_t next_header, const octets& body);
octets fragment_header(std::uint8_t next_header, std::uint16_t offset_and_flags);

/// One's complement sum, word by word, complemented.
std::uint16_t plain_checksum(byte_view bytes);

} // namespace flowtap::test
