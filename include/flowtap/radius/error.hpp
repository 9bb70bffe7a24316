// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>
#include <type_traits>

#include <flowtap/radius/api.hpp>

namespace flowtap::radius {

/// What can be wrong with packets, with what is to become one, and with settings of a client. The
/// subject of an error about a packet is its place, `octet 20`, counted from 0.
enum class errc {
    truncated = 1,                 ///< the packet ends before its length says so
    oversized,                     ///< the packet is longer than 4096 octets
    invalid_length,                ///< the packet's length is less than that of its header
    malformed_attribute,           ///< the attribute does not fit into the packet
    malformed_vendor_attribute,    ///< the vendor's attribute does not fit into the one around it
    wrong_size,                    ///< the attribute's value has not the size of its type
    repeated_attribute,            ///< the attribute stands there twice
    empty_value,                   ///< the attribute's value is empty
    value_too_long,                ///< the value does not fit into an attribute
    packet_full,                   ///< the attribute does not fit into 4096 octets
    wrong_authenticator,           ///< the authenticator is not made with this shared secret
    missing_message_authenticator, ///< there is no Message-Authenticator
    wrong_message_authenticator,   ///< the Message-Authenticator is not made with this secret
    malformed_hidden_value,        ///< the hidden value cannot be revealed with this shared secret
    invalid_login,      ///< the login is empty, longer than 253 octets or holds a zero octet
    invalid_password,   ///< the password is empty, longer than 128 octets or holds a zero octet
    invalid_secret,     ///< the shared secret is empty
    invalid_server,     ///< the server has no port, no time, no tries or a source address of the
                        ///< other family
    no_server,          ///< there is no RADIUS server to ask
    too_many_logins,    ///< too many logins are under way
    missing_attribute,  ///< an attribute that must be there is not
    value_out_of_range, ///< the attribute's value is none that it may have
    too_many_values,    ///< there are more values than one session may have
    invalid_client, ///< there is no client, one with an address that no host has, or the same twice
    invalid_limit,  ///< a limit or a time is not positive
};

/// The category of `flowtap::radius::errc`, named "flowtap.radius".
FLOWTAP_RADIUS_API const std::error_category& radius_category() noexcept;

inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), radius_category()};
}

} // namespace flowtap::radius

template <>
struct std::is_error_code_enum<flowtap::radius::errc> : std::true_type {};
