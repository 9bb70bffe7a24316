// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/subscriber/api.hpp>

namespace flowtap::subscriber {

/// A session's place in a directory: dense, and used again when the session has ended.
using session_ref = strong_id<struct session_ref_tag, std::uint32_t>;

/// What makes a session one and no other: the network element that it is of (such as the NAS that
/// sends its accounting), and its Acct-Session-Id there.
struct session_identity {
    std::string element;
    std::string accounting_session;

    friend bool operator==(const session_identity&, const session_identity&) = default;
};

/// Most octets of each text of a session: that of an attribute of RADIUS.
inline constexpr std::size_t longest_text = 253;
/// Most addresses and prefixes of a session.
inline constexpr std::size_t most_addresses = 8;

/// What is known of a subscriber's session. An empty text stands for an attribute that it has not.
struct session_record {
    session_identity identity;
    std::string user_name;
    /// IPv4 addresses (or framed routes) and IPv6 prefixes.
    std::vector<ip_prefix> addresses;
    /// Logical interface with its unit, as the access point's configuration names it.
    std::string interface;
    std::string nas_port_id;
    std::string circuit_id;
    std::string remote_id;
    std::string calling_station;
    /// Empty for the default ones.
    std::string routing_instance;
    std::string logical_system;

    friend bool operator==(const session_record&, const session_record&) = default;
};

/// The number in an Acct-Session-Id, of which the mirror header carries the low 32 bits: the
/// decimal digits behind the last colon or, without one, the whole of it, decimal if it has decimal
/// digits alone and else hexadecimal. None if it is neither. Source: Junos documentation ("435264",
/// "jnpr ge-1/2/3.0:435264") and RFC 2866 section 5.5, whose example is hexadecimal.
FLOWTAP_SUBSCRIBER_API std::optional<std::uint32_t>
session_number(std::string_view accounting_session);

} // namespace flowtap::subscriber
