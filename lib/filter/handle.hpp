// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <flowtap/core/packet_key.hpp>

#include "rule.hpp"
#include "values.hpp"

/// How criteria are found by hashes of parts of a packet. A *part* is the hash of one field, or of
/// the first bits of an address; a *handle* is a sum of parts, mixed. What a packet's handles are
/// is computed for many packets side by side, so all is sums, products and shifts of 32 bits.
namespace flowtap::filter {

/// The numbers that parts are made of. IPv4 addresses have one, IPv6 addresses four.
enum hash_field : std::uint8_t {
    field_source_words = 0,
    field_destination_words = 4,
    field_source_port = 8,
    field_destination_port,
    field_protocol,
    field_interface,
    field_vrf,
};
inline constexpr std::size_t hash_field_count = 13;
using hash_fields = std::array<std::uint32_t, hash_field_count>;

/// Parts by number: up to six lengths of the source address, as many of the destination address,
/// and the other fields.
enum hash_part : std::uint8_t {
    part_source = 0,
    part_destination = 6,
    part_source_port = 12,
    part_destination_port,
    part_protocol,
    part_interface,
    part_vrf,
    part_source_port_block, ///< the upper octet of the port
    part_destination_port_block,
    part_source_service, ///< the protocol and the port
    part_destination_service,
    part_nothing, ///< always zero
};
inline constexpr std::size_t hash_part_count = 22;

/// How a part is computed: `(field >> shift) * factor + base`.
struct hash_step {
    std::uint8_t field = 0;
    std::uint8_t shift = 0;
    std::uint8_t base = part_nothing;
    std::uint8_t part = part_nothing;
    std::uint32_t factor = 0;
};

/// A length of prefixes that handles are made of, and its part, counted from that of its side.
struct handle_length {
    std::uint8_t bits;
    std::uint8_t part;
};
inline constexpr std::size_t handle_length_count = 5;

/// What differs between the families.
template <class Address>
struct hash_layout;

namespace detail {

/// Odd numbers without a pattern.
inline constexpr std::array<std::uint32_t, hash_part_count> hash_factors = {
    0x9E37'79B1, 0x85EB'CA77, 0xC2B2'AE3D, 0x27D4'EB2F, 0x1656'67B1, 0x7FEB'352D,
    0x846C'A68B, 0xD35A'2D97, 0xB529'7A4D, 0x68E3'1DA5, 0x1B56'C4E9, 0xA136'AAAD,
    0x9F3B'25C3, 0x6C62'72E5, 0xE2C0'A4B7, 0x5851'F42D, 0x3C6E'F373, 0xDA94'2043,
    0x7C3A'2E45, 0x4F6C'DD1D, 0x94D0'49BB, 0x1CE4'E5B9};

constexpr hash_step make_step(std::size_t part, std::size_t field, std::size_t shift,
                              std::size_t base = part_nothing) {
    return {static_cast<std::uint8_t>(field), static_cast<std::uint8_t>(shift),
            static_cast<std::uint8_t>(base), static_cast<std::uint8_t>(part), hash_factors[part]};
}

/// The step of a part that is no address.
constexpr hash_step other_step(std::size_t part) {
    if (part >= part_source_service)
        return make_step(part, field_source_port + part - part_source_service, 0, part_protocol);
    if (part >= part_source_port_block)
        return make_step(part, field_source_port + part - part_source_port_block, 8);
    return make_step(part, field_source_port + part - part_source_port, 0);
}

} // namespace detail

template <>
struct hash_layout<std::uint32_t> {
    static constexpr std::array<handle_length, handle_length_count> lengths = {
        {{8, 0}, {16, 1}, {20, 2}, {24, 3}, {32, 4}}};
    static constexpr hash_step step(std::size_t part) {
        if (part >= part_source_port)
            return detail::other_step(part);
        const std::size_t length = part % part_destination;
        return detail::make_step(part, part / part_destination * field_destination_words,
                                 length < lengths.size() ? 32U - lengths[length].bits : 0);
    }
};

template <>
struct hash_layout<address_bits> {
    static constexpr std::array<handle_length, handle_length_count> lengths = {
        {{32, 0}, {48, 1}, {64, 2}, {72, 3}, {128, 5}}};
    static constexpr hash_step step(std::size_t part) {
        if (part >= part_source_port)
            return detail::other_step(part);
        const std::size_t first = part / part_destination * part_destination;
        const std::size_t field = part / part_destination * field_destination_words;
        switch (part - first) {
        case 0: // 32 bits
            return detail::make_step(part, field, 0);
        case 1: // 48
            return detail::make_step(part, field + 1, 16, first);
        case 2: // 64
            return detail::make_step(part, field + 1, 0, first);
        case 3: // 72
            return detail::make_step(part, field + 2, 24, first + 2);
        case 4: // 96, on the way to 128
            return detail::make_step(part, field + 2, 0, first + 2);
        default:
            return detail::make_step(part, field + 3, 0, first + 4);
        }
    }
};

/// The parts of a handle. Packets that a criterion with such a handle matches have the same.
struct handle_shape {
    std::uint8_t source = part_nothing;
    std::uint8_t destination = part_nothing;
    std::uint8_t other = part_nothing;

    friend bool operator==(const handle_shape&, const handle_shape&) = default;
};

/// The last step from a sum of parts to a handle. Any two sums give different handles.
constexpr std::uint32_t mix_parts(std::uint32_t sum) noexcept {
    sum ^= sum >> 15;
    return sum * 0x2C1B'3C6DU;
}
/// Added to the sum, so that handles of different probes differ.
constexpr std::uint32_t probe_salt(std::size_t probe) noexcept {
    return static_cast<std::uint32_t>(probe + 1) * 0x9E37'79B9U;
}

/// A handle as the table knows it: with the number of its probe, so that no packet finds the same
/// twice, by two probes.
constexpr std::uint32_t own_handle(std::uint32_t handle, std::uint32_t probe) noexcept {
    return (handle & ~std::uint32_t{0xF}) | probe;
}

/// The value of a part.
template <class Address>
constexpr std::uint32_t part_value(std::size_t part, const hash_fields& fields) noexcept {
    std::uint32_t sum = 0;
    while (part != part_nothing) {
        const hash_step step = hash_layout<Address>::step(part);
        sum += (fields[step.field] >> step.shift) * step.factor;
        part = step.base;
    }
    return sum;
}

/// Sets the words of an address; `first` is that of its side.
inline void set_address(hash_fields& fields, std::size_t first, std::uint32_t address) noexcept {
    fields[first] = address;
}
inline void set_address(hash_fields& fields, std::size_t first,
                        const address_bits& address) noexcept {
    fields[first] = static_cast<std::uint32_t>(address.high >> 32);
    fields[first + 1] = static_cast<std::uint32_t>(address.high);
    fields[first + 2] = static_cast<std::uint32_t>(address.low >> 32);
    fields[first + 3] = static_cast<std::uint32_t>(address.low);
}

/// The fields of a packet.
template <class Address>
hash_fields fields_of(const packet_key& key) noexcept {
    hash_fields fields{};
    set_address(fields, field_source_words, narrow<Address>(key.source));
    set_address(fields, field_destination_words, narrow<Address>(key.destination));
    fields[field_source_port] = key.source_port;
    fields[field_destination_port] = key.destination_port;
    fields[field_protocol] = key.protocol;
    fields[field_interface] = key.interface.value();
    fields[field_vrf] = key.vrf.value();
    return fields;
}

} // namespace flowtap::filter
