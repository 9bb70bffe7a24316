// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>

namespace dfcd {

/// Why dfcd does not start, or takes no other configuration, beside what the libraries and the
/// operating system say.
enum class errc {
    interface_not_configured = 1, ///< the interface is not configured
    criterion_refused,            ///< a criterion of the file was refused
    criterion_unanswered,         ///< a request of the file was not answered
    login_of_criteria_file,       ///< a login has the name that criteria from a file belong to
    criteria_file_without_ssh,    ///< criteria from a file are for flow-tap only
    no_source_address,            ///< copies have no address to come from
    no_raw_sockets,               ///< copies need sockets that need CAP_NET_RAW
    damaged_sequence_file,        ///< the file of sequence numbers is not what was written
    sequence_file_in_use,         ///< another process has the file of sequence numbers open
    no_metrics_address,           ///< metrics are to be served at no such place
    metrics_not_loopback,         ///< metrics are served on loopback addresses only
    metrics_socket_in_use,        ///< another process serves at the socket
    metrics_socket_is_file,       ///< where the socket is to be stands something else
    no_status,                    ///< no status was answered
    no_raw_capture,               ///< live capture needs CAP_NET_RAW
    no_such_user,                 ///< there is no user or group to become
    user_without_root,            ///< only root can become another user
    directory_not_writable,       ///< the user cannot write where state is kept
    audit_log_in_use,             ///< another process has the audit log open
    damaged_audit_state,          ///< the state of the audit log is not what was written
    no_audit_key,                 ///< what stands there is no key of an audit log
    lost_audit_state,             ///< the audit log has a chain, and its state is missing
    nothing_to_serve,             ///< a configuration has no service
    other_service,                ///< a configuration has a service of another kind
    no_radius,                    ///< RADIUS servers are configured, and cannot be asked
    no_snmp,                      ///< notifications by SNMP are configured, and cannot be made
    unusable_snmp_user,           ///< there are no keys for a user of SNMP
    damaged_engine_file,          ///< the file of the SNMP engine is not what was written
};

const std::error_category& category() noexcept;

inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), category()};
}

} // namespace dfcd

template <>
struct std::is_error_code_enum<dfcd::errc> : std::true_type {};
