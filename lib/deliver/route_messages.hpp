// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <flowtap/core/address.hpp>

#include "netlink.hpp"

namespace flowtap::deliver::detail {

/// An Ethernet address.
using mac_address = std::array<std::byte, 6>;

/// What the system says about a way to one destination.
struct route_state {
    enum class kind : std::uint8_t {
        none,    ///< no route, or one that refuses
        unicast, ///< out through `device` to `next_hop`
        other,   ///< this host itself, broadcast, multicast, or wrapped in another header
    };

    kind what = kind::none;
    unsigned device = 0;
    /// The gateway, or the destination where there is none. Its family may be the other one.
    ip_address next_hop;
    /// What the system would send from.
    std::optional<ip_address> source;
    /// The route's own MTU; 0 if it has none.
    std::uint32_t mtu = 0;

    friend bool operator==(const route_state&, const route_state&) = default;
};

/// A network device.
struct link_state {
    unsigned index = 0;
    bool exists = false;
    bool is_up = false; ///< up, and with a carrier
    /// Frames have Ethernet headers, and neighbours are looked up.
    bool is_ethernet = false;
    mac_address address{};
    std::uint32_t mtu = 0;

    friend bool operator==(const link_state&, const link_state&) = default;
};

/// What the system knows of a neighbour's Ethernet address.
struct neighbour_state {
    enum class kind : std::uint8_t {
        unknown,   ///< nothing, or not yet
        uncertain, ///< an address that has not been confirmed for a while
        confirmed,
        fixed, ///< set by an administrator
    };

    kind what = kind::unknown;
    mac_address address{};

    friend bool operator==(const neighbour_state&, const neighbour_state&) = default;
};

/// A change that the system tells of.
struct network_event {
    enum class kind : std::uint8_t {
        nothing,   ///< nothing that concerns anybody here
        routes,    ///< routes to `prefix`
        anything,  ///< rules, addresses, next hops: any route may be another one
        link,      ///< `link`, and routes with it
        neighbour, ///< `device`, `address` and `neighbour`
    };

    kind what = kind::nothing;
    ip_prefix prefix;
    link_state link;
    unsigned device = 0;
    ip_address address;
    neighbour_state neighbour;
};

// Readers of messages of rtnetlink(7). What is too short or makes no sense is `nothing` or a state
// that says so; nothing is read past the end of the message.

network_event read_event(const netlink_message& message) noexcept;
/// `to` is what was asked for.
route_state read_route(const netlink_message& message, const ip_address& to) noexcept;
link_state read_link(const netlink_message& message) noexcept;
neighbour_state read_neighbour(const netlink_message& message) noexcept;

/// By a route out of `device`; 0: out of any.
netlink_request ask_for_route(const ip_address& to, std::uint32_t mark, unsigned device,
                              std::uint32_t sequence) noexcept;
netlink_request ask_for_link(unsigned index, std::uint32_t sequence) noexcept;
netlink_request ask_for_neighbour(unsigned device, const ip_address& address,
                                  std::uint32_t sequence) noexcept;

} // namespace flowtap::deliver::detail
