// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>

#include <flowtap/core/error.hpp>
#include <flowtap/dtcp/status.hpp>
#include <flowtap/tap/api.hpp>

namespace flowtap::tap {

/// Why the control side refuses a session or a request. What is wrong with the request itself is
/// said by `dtcp::errc`.
enum class errc {
    not_permitted = 1,             ///< the principal may not tap flows
    audit_failed,                  ///< the audit log cannot be written
    family_not_configured,         ///< the family is not configured
    interface_not_configured,      ///< the interface is not configured
    vrf_not_configured,            ///< the routing instance is not configured
    destination_not_allowed,       ///< copies may not go to this address
    source_address_not_allowed,    ///< copies may not come from this address
    not_built,                     ///< the request asks for something that is not built
    too_many_criteria,             ///< the control source has as many criteria as it may have
    too_many_content_destinations, ///< there are as many content destinations as there may be
    out_of_resources,              ///< the access point has no room for this now
    sequence_not_stored,           ///< the sequence number cannot be stored
    too_many_replies,            ///< too many requests of the control source wait for their answer
    trailing_octets,             ///< octets follow the message in its datagram
    unknown_content_destination, ///< the content destination is unknown
    priority_too_low,            ///< the priority is lower than the control source may use
    too_many_subscribers,        ///< as many subscriber sessions are mirrored as may be
    no_source_address,           ///< copies to this destination have no source address
    unknown_drop_policy,         ///< the drop policy is not configured
    no_traffic,                  ///< the session has neither an address nor an interface
    not_for_subscribers,         ///< a subscriber's packets are not told by this parameter
};

/// The category of `tap::errc`, named "flowtap.tap".
FLOWTAP_TAP_API const std::error_category& tap_category() noexcept;

inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), tap_category()};
}

/// The status code that answers an error of this module or of dtcp: `dtcp::status_of`, and the
/// codes above.
FLOWTAP_TAP_API dtcp::status_code status_of(std::error_code code) noexcept;

} // namespace flowtap::tap

template <>
struct std::is_error_code_enum<flowtap::tap::errc> : std::true_type {};
