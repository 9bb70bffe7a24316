// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>

#include <flowtap/transport/api.hpp>

namespace flowtap::transport {

/// What can go wrong with listening, connecting and logging in. Errors of the operating system come
/// with `std::generic_category()` instead.
enum class errc {
    host_key_unreadable = 1, ///< the host key file cannot be read as a private key
    host_key_exposed,        ///< the host key file can be read by others than its owner
    host_key_not_made,       ///< a new host key cannot be made or stored
    ssh_setup_failed,        ///< the SSH library refused its settings
    connection_failed,       ///< the SSH connection could not be made
    host_key_unknown,        ///< the server's host key is not known
    host_key_changed,        ///< the server's host key is not the one that is known for it
    fingerprint_mismatch,    ///< the server's host key has another fingerprint than required
    known_hosts_unwritable,  ///< the host key could not be stored as known
    login_refused,           ///< the server refused the login
    channel_refused,         ///< the server refused the service
    channel_closed,          ///< the server closed the channel
    connection_lost,         ///< the connection broke
    timed_out,               ///< the server did not answer in time
    host_not_found,          ///< the host has no address
};

/// The category of `flowtap::transport::errc`, named "flowtap.transport".
FLOWTAP_TRANSPORT_API const std::error_category& transport_category() noexcept;

inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), transport_category()};
}

} // namespace flowtap::transport

template <>
struct std::is_error_code_enum<flowtap::transport::errc> : std::true_type {};
