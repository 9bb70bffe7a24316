// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/clock.hpp>
#include <flowtap/subscriber/mirroring.hpp>

namespace dfcd {

// What JUNIPER-JS-PACKET-MIRROR-MIB (2011-11-23) has for an event of a subscriber, as values.

/// One object of a notification.
struct notification_object {
    enum class type : std::uint8_t { integer, unsigned_number, counter, ipv4_address, octets };

    /// Its number below jnxJsPacketMirrorTrapVars.
    std::uint8_t object = 0;
    type as = type::integer;
    /// Of numbers, and of an IPv4 address (in host order).
    std::uint64_t number = 0;
    std::string text = {};
};

/// A notification of the MIB with its objects in their order.
struct notification {
    /// Its number below jnxJsPacketMirrorNotifications.
    std::uint8_t number = 0;
    std::vector<notification_object> objects;
};

/// What is to be told of an event. `router` names this access point. Texts are cut to what the MIB
/// admits, and have `?` where they are not printable ASCII.
notification make_notification(const flowtap::subscriber::event& what, std::string_view router,
                               flowtap::wall_time when);

} // namespace dfcd
