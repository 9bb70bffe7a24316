// SPDX-License-Identifier: Apache-2.0
#include "builder.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstdlib>
#include <string>

namespace flowtap::test {

namespace {

template <std::size_t Size>
octets address(int address_family, const char* text) {
    std::array<std::byte, Size> out{};
    if (inet_pton(address_family, text, out.data()) != 1)
        std::abort();
    return {out.begin(), out.end()};
}

void put_u16(octets& out, std::size_t at, std::uint16_t number) {
    out[at] = std::byte(number >> 8);
    out[at + 1] = std::byte(number & 0xFF);
}

} // namespace

octets operator+(octets left, const octets& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

octets hex(std::string_view digits) {
    octets out;
    std::string pair;
    for (const char digit : digits) {
        if (digit == ' ')
            continue;
        pair += digit;
        if (pair.size() == 2) {
            out.push_back(std::byte(std::stoul(pair, nullptr, 16)));
            pair.clear();
        }
    }
    return out;
}

std::string to_hex(byte_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const std::byte octet : bytes) {
        out += digits[std::to_integer<std::size_t>(octet >> 4)];
        out += digits[std::to_integer<std::size_t>(octet & std::byte{15})];
    }
    return out;
}

octets counting(std::size_t size, std::uint8_t first) {
    octets out(size);
    for (std::size_t i = 0; i < size; ++i)
        out[i] = std::byte((first + i) & 0xFF);
    return out;
}

octets u8(std::uint8_t number) {
    return {std::byte{number}};
}

octets u16(std::uint16_t number) {
    octets out(2);
    put_u16(out, 0, number);
    return out;
}

octets u32(std::uint32_t number) {
    return u16(static_cast<std::uint16_t>(number >> 16)) +
           u16(static_cast<std::uint16_t>(number & 0xFFFF));
}

std::uint16_t plain_checksum(byte_view bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto octet = std::to_integer<std::uint32_t>(bytes[i]);
        sum += i % 2 == 0 ? octet << 8 : octet;
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(~sum);
}

octets ipv4(const ipv4_fields& fields, const octets& payload) {
    const std::size_t size = 20 + fields.options.size();
    const auto total = static_cast<std::uint16_t>(size + payload.size());
    octets header =
        u8(fields.version_and_size.value_or(static_cast<std::uint8_t>(0x40 | (size / 4)))) +
        u8(fields.type_of_service) + u16(fields.total_length.value_or(total)) +
        u16(fields.identification) + u16(fields.fragment) + u8(fields.ttl) + u8(fields.protocol) +
        u16(0) + address<4>(AF_INET, fields.source) + address<4>(AF_INET, fields.destination) +
        fields.options;
    put_u16(header, 10, plain_checksum(header));
    return header + payload;
}

octets ipv6(const ipv6_fields& fields, const octets& payload) {
    const auto length = static_cast<std::uint16_t>(payload.size());
    const auto start = static_cast<std::uint8_t>(0x60 | fields.traffic_class >> 4);
    return u8(fields.version_and_class.value_or(start)) +
           u8(static_cast<std::uint8_t>(fields.traffic_class << 4)) + u16(0) +
           u16(fields.payload_length.value_or(length)) + u8(fields.next_header) +
           u8(fields.hop_limit) + address<16>(AF_INET6, fields.source) +
           address<16>(AF_INET6, fields.destination) + payload;
}

octets udp(std::uint16_t source, std::uint16_t destination, const octets& payload) {
    return u16(source) + u16(destination) + u16(static_cast<std::uint16_t>(8 + payload.size())) +
           u16(0) + payload;
}

octets tcp(std::uint16_t source, std::uint16_t destination, const octets& payload) {
    return u16(source) + u16(destination) + hex("00000001 00000000 5002 2000 0000 0000") + payload;
}

octets icmp(std::uint8_t type, std::uint8_t code) {
    return u8(type) + u8(code) + hex("0000 00010002") + counting(8);
}

octets extension(std::uint8_t next_header, const octets& body) {
    octets out = u8(next_header) + u8(0) + body;
    while (out.size() % 8 != 0) {
        // PadN of the octets that miss, or Pad1.
        const std::size_t missing = 8 - out.size() % 8;
        out = out + (missing == 1 ? u8(0)
                                  : u8(1) + u8(static_cast<std::uint8_t>(missing - 2)) +
                                        octets(missing - 2));
    }
    out[1] = std::byte(out.size() / 8 - 1);
    return out;
}

octets fragment_header(std::uint8_t next_header, std::uint16_t offset_and_flags) {
    return u8(next_header) + u8(0) + u16(offset_and_flags) + u32(0xABCD1234);
}

} // namespace flowtap::test
