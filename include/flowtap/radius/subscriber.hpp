// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/radius/api.hpp>
#include <flowtap/radius/cryptography.hpp>
#include <flowtap/radius/packet.hpp>

namespace flowtap::radius {

/// What tells a subscriber's session from others, as far as a packet says it. Texts are octets as
/// they came; one that did not come is empty.
struct subscriber_session {
    std::string accounting_session; ///< Acct-Session-Id
    std::string user_name;
    std::string calling_station;
    std::string nas_identifier;
    std::optional<ip_address> nas_address; ///< NAS-IP-Address, else NAS-IPv6-Address
    std::optional<std::uint32_t> nas_port;
    std::string nas_port_id;
    std::string circuit_id;            ///< Agent-Circuit-Id (RFC 4679)
    std::string remote_id;             ///< Agent-Remote-Id (RFC 4679)
    std::string virtual_router;        ///< of vendor 4874, attribute 1
    std::optional<ip_address> address; ///< Framed-IP-Address
    /// Framed-IPv6-Prefix, Delegated-IPv6-Prefix, and each Framed-IPv6-Address as a prefix of one
    /// host. Bits behind the length are zero.
    std::vector<ip_prefix> prefixes;

    friend bool operator==(const subscriber_session&, const subscriber_session&) = default;
};

/// Prefixes and addresses of IPv6 that one session has at most.
constexpr std::size_t most_prefixes = 16;

/// Reads what tells a session. What may stand in a packet once must not stand there twice.
/// Errors: `errc::wrong_size`, `repeated_attribute`, `value_out_of_range`, `too_many_values`,
/// `malformed_vendor_attribute`, with the place.
/// Source: RFC 2865, 2866, 2869, 3162, 4679, 4818, 6911.
FLOWTAP_RADIUS_API result<subscriber_session> read_session(const packet_view& packet);

/// What an Accounting-Request tells (RFC 2866 section 5.1).
enum class accounting_event : std::uint8_t {
    start = 1,
    stop = 2,
    interim = 3,
    on = 7,  ///< the NAS begins: none of its earlier sessions is there any more
    off = 8, ///< the NAS ends, and all of its sessions
};

struct accounting_record {
    accounting_event event{};
    /// Of `on` and `off`, what names the NAS.
    subscriber_session session;
    /// How long ago it happened, as the NAS says (Acct-Delay-Time).
    std::chrono::seconds delay{0};
    std::optional<wall_time> timestamp; ///< Event-Timestamp

    friend bool operator==(const accounting_record&, const accounting_record&) = default;
};

/// Errors: those of `read_session`; `errc::missing_attribute` without Acct-Status-Type, or without
/// Acct-Session-Id where it is about a session.
FLOWTAP_RADIUS_API result<accounting_record> read_accounting(const packet_view& packet);

/// What is to be done about mirroring a session: LI-Action (vendor 4874, attribute 58).
enum class mirror_action : std::uint8_t {
    off = 0,
    on = 1,
    no_op = 2, ///< nothing, with an answer that cannot be told from that to `on`
};

/// The attributes 58 to 61 of vendor 4874, revealed.
struct mirror_order {
    mirror_action action{};
    /// Med-Dev-Handle: four octets with 01 on top, or eight with 00 (see
    /// `packet::read_intercept_id`); empty if it did not come.
    std::vector<std::byte> handle;
    /// Where copies go. Both are there, and the handle, unless the action is `off`.
    std::optional<ip_address> address;
    std::uint16_t port = 0;

    friend bool operator==(const mirror_order&, const mirror_order&) = default;
};

/// Reveals and reads an order about mirroring in a packet that was verified; none if it has none of
/// the four attributes. `request` is the authenticator that they were hidden with: of the
/// Access-Request for an Access-Accept, all zero in a CoA-Request.
///
/// The way for products that see a subscriber's login themselves:
///
/// \code
/// const auto accept = radius::packet_view::parse(datagram);
/// if (!accept || !radius::verify(*accept, key, radius::message_authenticator::required, request))
///     return ignored;
/// if (const auto order = radius::read_mirror_order(*accept, key, request); order && *order)
///     policies.apply(session, **order);
/// \endcode
///
/// Errors: `errc::malformed_hidden_value`, `wrong_size`, `value_out_of_range`,
/// `repeated_attribute`, `missing_attribute`, `malformed_vendor_attribute`. None tells a value.
FLOWTAP_RADIUS_API result<std::optional<mirror_order>>
read_mirror_order(const packet_view& packet, const shared_secret& key,
                  const authenticator& request = {});

} // namespace flowtap::radius
