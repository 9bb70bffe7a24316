// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>

namespace flowtap {

/// The families of packets that can be tapped, in Junos' words. `ccc` stands for whole layer-2
/// frames of a circuit and has no addresses.
enum class family : std::uint8_t { inet = 0, inet6 = 1, ccc = 2 };

/// A set of families.
class family_set {
public:
    constexpr family_set() = default;
    constexpr family_set(family member) noexcept { insert(member); }

    constexpr void insert(family member) noexcept { bits_ |= bit(member); }
    constexpr void erase(family member) noexcept {
        bits_ &= static_cast<std::uint8_t>(~bit(member));
    }
    constexpr bool contains(family member) const noexcept { return (bits_ & bit(member)) != 0; }
    constexpr bool empty() const noexcept { return bits_ == 0; }

    friend constexpr bool operator==(family_set, family_set) = default;
    friend constexpr family_set operator&(family_set a, family_set b) noexcept {
        a.bits_ &= b.bits_;
        return a;
    }
    friend constexpr family_set operator|(family_set a, family_set b) noexcept {
        a.bits_ |= b.bits_;
        return a;
    }

private:
    static constexpr std::uint8_t bit(family member) noexcept {
        return static_cast<std::uint8_t>(1U << static_cast<unsigned>(member));
    }

    std::uint8_t bits_ = 0;
};

/// The 128 bits of an address as a number in host order, so that addresses compare and form
/// intervals as numbers do. An IPv4 address stands in the low 32 bits.
struct address_bits {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    friend constexpr auto operator<=>(const address_bits&, const address_bits&) = default;
};

/// The bits of the highest address of a family: where `a-*` ends.
constexpr address_bits highest_address(family of) noexcept {
    return of == family::inet ? address_bits{0, 0xFFFF'FFFFU} : address_bits{~0ULL, ~0ULL};
}

/// An IPv4 or IPv6 address.
class ip_address {
public:
    /// 0.0.0.0
    constexpr ip_address() = default;
    constexpr ip_address(family of, address_bits bits) noexcept : bits_(bits), family_(of) {}

    static constexpr ip_address v4(std::uint32_t host_order) noexcept {
        return {family::inet, {0, host_order}};
    }
    /// From 4 or 16 octets in network order.
    static constexpr ip_address from_bytes(byte_view octets) noexcept {
        if (octets.size() == 4)
            return v4(load_big_endian<std::uint32_t>(octets));
        return {family::inet6,
                {load_big_endian<std::uint64_t>(octets),
                 load_big_endian<std::uint64_t>(octets.subspan(8))}};
    }

    constexpr family ip_family() const noexcept { return family_; }
    constexpr address_bits bits() const noexcept { return bits_; }
    /// The address in network order: the first 4 octets of it for IPv4, all 16 for IPv6.
    FLOWTAP_CORE_API std::array<std::byte, 16> bytes() const noexcept;
    constexpr std::size_t size() const noexcept { return family_ == family::inet ? 4 : 16; }

    FLOWTAP_CORE_API bool is_loopback() const noexcept;
    FLOWTAP_CORE_API bool is_multicast() const noexcept;
    FLOWTAP_CORE_API bool is_unspecified() const noexcept;
    /// An address one host can have: not unspecified, multicast, IPv4 broadcast or class E.
    FLOWTAP_CORE_API bool is_unicast() const noexcept;

    friend constexpr auto operator<=>(const ip_address&, const ip_address&) = default;

private:
    address_bits bits_;
    family family_ = family::inet;
};

/// Reads an address in the forms of inet_pton(3). No zone index, no octal, no shortened IPv4.
/// Errors: `errc::invalid_address`.
FLOWTAP_CORE_API result<ip_address> parse_ip_address(std::string_view text);

/// The address in its usual form (IPv6 as in RFC 5952).
FLOWTAP_CORE_API std::string to_string(const ip_address& address);

/// An address block. Host bits may be set; they are kept for display and ignored otherwise.
struct ip_prefix {
    ip_address address;
    /// 0-32 for IPv4, 0-128 for IPv6.
    std::uint8_t length = 0;

    FLOWTAP_CORE_API ip_address first() const noexcept;
    FLOWTAP_CORE_API ip_address last() const noexcept;
    FLOWTAP_CORE_API bool contains(const ip_address& candidate) const noexcept;

    friend constexpr bool operator==(const ip_prefix&, const ip_prefix&) = default;
};

/// Reads `address/length`, or an address alone as a prefix of one host.
/// Errors: `errc::invalid_address`, `errc::invalid_prefix`.
FLOWTAP_CORE_API result<ip_prefix> parse_ip_prefix(std::string_view text);

FLOWTAP_CORE_API std::string to_string(const ip_prefix& prefix);

/// An address and a port of UDP.
struct endpoint {
    ip_address address;
    std::uint16_t port = 0;

    friend constexpr auto operator<=>(const endpoint&, const endpoint&) = default;
};

/// `192.0.2.7:2100` or `[2001:db8::7]:2100`.
FLOWTAP_CORE_API std::string to_string(const endpoint& point);

} // namespace flowtap
