// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

/// The numbers of the protocols that this module reads and writes.
namespace flowtap::packet::detail {

/// IEEE 802 EtherTypes.
namespace ether_type {
inline constexpr std::uint16_t ipv4 = 0x0800;
inline constexpr std::uint16_t ipv6 = 0x86DD;
inline constexpr std::uint16_t customer_vlan = 0x8100;
inline constexpr std::uint16_t service_vlan = 0x88A8;
/// Tags from before 802.1ad.
inline constexpr std::uint16_t stacked_vlan_9100 = 0x9100;
inline constexpr std::uint16_t stacked_vlan_9200 = 0x9200;
inline constexpr std::uint16_t stacked_vlan_9300 = 0x9300;
inline constexpr std::uint16_t pppoe_session = 0x8864;
/// Up to here the field is the length of an 802.3 frame.
inline constexpr std::uint16_t longest_length = 1500;
/// Stands for a protocol that is not decoded; reserved by IEEE.
inline constexpr std::uint16_t none = 0xFFFF;
} // namespace ether_type

/// IP protocol numbers and IPv6 next headers.
namespace ip_protocol {
inline constexpr std::uint8_t hop_by_hop = 0;
inline constexpr std::uint8_t icmp = 1;
inline constexpr std::uint8_t ipv4 = 4;
inline constexpr std::uint8_t tcp = 6;
inline constexpr std::uint8_t udp = 17;
inline constexpr std::uint8_t ipv6 = 41;
inline constexpr std::uint8_t routing = 43;
inline constexpr std::uint8_t fragment = 44;
inline constexpr std::uint8_t authentication = 51;
inline constexpr std::uint8_t icmpv6 = 58;
inline constexpr std::uint8_t no_next = 59;
inline constexpr std::uint8_t destination_options = 60;
inline constexpr std::uint8_t shim6 = 140;
} // namespace ip_protocol

inline constexpr std::size_t ipv4_header_size = 20;
inline constexpr std::size_t ipv6_header_size = 40;
inline constexpr std::size_t ipv6_fragment_header_size = 8;
inline constexpr std::size_t udp_header_size = 8;
inline constexpr std::size_t mirror_header_size = 8;

} // namespace flowtap::packet::detail
