// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>

#include <flowtap/core/error.hpp>
#include <flowtap/dtcp/api.hpp>
#include <flowtap/dtcp/status.hpp>

namespace flowtap::dtcp {

/// What can be wrong with a DTCP message. `status_of` says which status code answers it.
enum class errc {
    // Framing: the connection cannot go on.
    message_too_long = 1, ///< the message is longer than the limit
    line_too_long,        ///< the line is longer than the limit
    too_many_parameters,  ///< the message has more parameters than the limit
    incomplete_message,   ///< the input ends in the middle of a message

    // Before the version: never answered.
    unknown_control_source,   ///< the control source is unknown or not the login
    missing_csource_id,       ///< Csource-ID is missing or not printable
    missing_authentication,   ///< Authentication-Info is missing
    malformed_authentication, ///< Authentication-Info is not 40 hexadecimal digits
    authentication_failed,    ///< Authentication-Info does not verify
    missing_sequence,         ///< Seq is missing
    malformed_sequence,       ///< Seq is not an unsigned 64-bit number
    repeated_sequence,        ///< the sequence number was used before
    sequence_out_of_window,   ///< the sequence number is outside the windows

    // The start line.
    version_not_supported, ///< the version is not spoken
    malformed_start_line,  ///< the start line is not valid
    unknown_method,        ///< the method is unknown or not built

    // Lines and values in general.
    malformed_line,        ///< the line is not `Name: value`
    control_octet,         ///< the line contains a control octet
    invalid_escape,        ///< a backslash is not followed by three digits from 000 to 255
    unknown_parameter,     ///< the parameter is unknown
    misplaced_parameter,   ///< the parameter does not belong to this method or version
    missing_parameter,     ///< a required parameter is missing
    invalid_value,         ///< the value is not valid
    not_implemented,       ///< the action or flag is unknown or not built
    missing_selector,      ///< the request selects nothing
    ambiguous_selector,    ///< the request has more than one selector
    too_many_destinations, ///< there are more than two content destinations

    // Filters.
    invalid_filter_entry,      ///< the filter entry is not valid
    filter_value_out_of_range, ///< the number in the filter is out of range
    reversed_range,            ///< the range ends before it begins
    mixed_families,            ///< the request mixes IPv4 and IPv6
    ports_without_protocol,    ///< ports are given but the protocols admit neither TCP nor UDP
    icmp_without_protocol,     ///< an ICMP field is given but the protocols admit no ICMP
    port_lists_differ,         ///< the lists of ports are of different lengths
    too_many_port_pairs,       ///< there are more than 15 port pairs
    counts_differ,             ///< Cdest-ID, addresses and ports differ in number
    several_scopes,            ///< more than one of VRF, input and output interface is given
    family_with_addresses,     ///< family ccc is given beside a field about IP packets

    // Timeouts.
    invalid_timeout, ///< the timeout is not valid
    missing_timeout, ///< there is neither a timeout nor the flag STATIC

    // X-JTap parameters.
    missing_jtap_parameter, ///< a required X-JTap parameter is missing
    invalid_jtap_parameter, ///< the X-JTap parameter is not valid

    // Responses, on the client's side.
    malformed_status_line, ///< the status line is not valid
};

/// The category of `dtcp::errc`, named "flowtap.dtcp".
FLOWTAP_DTCP_API const std::error_category& dtcp_category() noexcept;

inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), dtcp_category()};
}

/// The status code that answers an error: the one table from errors to status codes. An error of
/// another category is `internal_error`.
FLOWTAP_DTCP_API status_code status_of(std::error_code code) noexcept;

} // namespace flowtap::dtcp

template <>
struct std::is_error_code_enum<flowtap::dtcp::errc> : std::true_type {};
