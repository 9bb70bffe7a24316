// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <flowtap/core/address.hpp>

#include "route_messages.hpp"

namespace flowtap::deliver::detail {

inline constexpr std::size_t ethernet_header_size = 14;

/// The Ethernet header of an IP packet.
std::array<std::byte, ethernet_header_size>
ethernet_header(const mac_address& to, const mac_address& from, family of) noexcept;

/// A frame that asks a neighbour for its Ethernet address: an ARP request (RFC 826), or a neighbour
/// solicitation (RFC 4861, section 4.3).
class solicitation {
public:
    /// `source` is an address of this host on the link; none makes it a request without a sender's
    /// address (RFC 5227), which over IPv6 nobody answers to one host alone. `known` is the address
    /// to be confirmed; none asks everybody.
    solicitation(const ip_address& target, const std::optional<ip_address>& source,
                 const mac_address& from, const std::optional<mac_address>& known) noexcept;

    byte_view octets() const noexcept { return std::span(octets_).first(size_); }

private:
    void put_arp(const ip_address& target, const ip_address& source,
                 const mac_address& from) noexcept;
    void put_neighbour_discovery(const ip_address& target, const ip_address& source,
                                 const mac_address& from) noexcept;

    std::array<std::byte, ethernet_header_size + 40 + 32> octets_{};
    std::size_t size_ = 0;
};

/// What a neighbour answered.
struct advertisement {
    ip_address address;
    mac_address mac;
};

/// Reads an ARP reply or a neighbour advertisement out of a frame. None for everything else, and
/// for what is malformed.
std::optional<advertisement> read_advertisement(byte_view frame) noexcept;

} // namespace flowtap::deliver::detail
