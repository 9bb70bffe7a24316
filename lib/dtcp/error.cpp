// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/error.hpp>

namespace flowtap::dtcp {

namespace {

/// An error's sentence and the status code that answers it.
struct error_row {
    errc code;
    status_code status;
    const char* sentence;
};

constexpr error_row error_table[] = {
    // What breaks the framing closes the channel or drops the datagram; 400 stands for it where
    // something must.
    {errc::message_too_long, status_code::bad_request, "the message is longer than the limit"},
    {errc::line_too_long, status_code::bad_request, "the line is longer than the limit"},
    {errc::too_many_parameters, status_code::bad_request,
     "the message has more parameters than the limit"},
    {errc::incomplete_message, status_code::bad_request,
     "the input ends in the middle of a message"},

    {errc::unknown_control_source, status_code::unknown_control_source,
     "the control source is unknown or not the login"},
    {errc::missing_csource_id, status_code::unknown_control_source,
     "Csource-ID is missing or not printable"},
    {errc::missing_authentication, status_code::invalid_authentication,
     "Authentication-Info is missing"},
    {errc::malformed_authentication, status_code::invalid_authentication,
     "Authentication-Info is not 40 hexadecimal digits"},
    {errc::authentication_failed, status_code::invalid_authentication,
     "Authentication-Info does not verify"},
    {errc::missing_sequence, status_code::invalid_sequence, "Seq is missing"},
    {errc::malformed_sequence, status_code::invalid_sequence,
     "Seq is not an unsigned 64-bit number"},
    {errc::repeated_sequence, status_code::invalid_sequence, "the sequence number was used before"},
    {errc::sequence_out_of_window, status_code::invalid_sequence,
     "the sequence number is outside the windows"},

    {errc::version_not_supported, status_code::version_not_supported, "the version is not spoken"},
    {errc::malformed_start_line, status_code::bad_request, "the start line is not valid"},
    {errc::unknown_method, status_code::not_implemented, "the method is unknown or not built"},

    {errc::malformed_line, status_code::bad_request, "the line is not \"Name: value\""},
    {errc::control_octet, status_code::bad_request, "the line contains a control octet"},
    {errc::invalid_escape, status_code::bad_request,
     "a backslash is not followed by three digits from 000 to 255"},
    {errc::unknown_parameter, status_code::bad_request, "the parameter is unknown"},
    {errc::misplaced_parameter, status_code::bad_request,
     "the parameter does not belong to this method or version"},
    {errc::missing_parameter, status_code::bad_request, "a required parameter is missing"},
    {errc::invalid_value, status_code::bad_request, "the value is not valid"},
    {errc::not_implemented, status_code::not_implemented,
     "the action or flag is unknown or not built"},
    {errc::missing_selector, status_code::bad_request, "the request selects nothing"},
    {errc::ambiguous_selector, status_code::bad_request, "the request has more than one selector"},
    {errc::too_many_destinations, status_code::bad_request,
     "there are more than two content destinations"},

    {errc::invalid_filter_entry, status_code::improper_filter, "the filter entry is not valid"},
    {errc::filter_value_out_of_range, status_code::improper_filter,
     "the number in the filter is out of range"},
    {errc::reversed_range, status_code::improper_filter, "the range ends before it begins"},
    {errc::mixed_families, status_code::improper_filter, "the request mixes IPv4 and IPv6"},
    {errc::ports_without_protocol, status_code::improper_filter,
     "ports are given but the protocols admit neither TCP nor UDP"},
    {errc::icmp_without_protocol, status_code::improper_filter,
     "an ICMP field is given but the protocols admit no ICMP"},
    {errc::port_lists_differ, status_code::improper_filter,
     "the lists of ports are of different lengths"},
    {errc::too_many_port_pairs, status_code::improper_filter, "there are more than 15 port pairs"},
    {errc::counts_differ, status_code::improper_filter,
     "Cdest-ID, addresses and ports differ in number"},
    {errc::several_scopes, status_code::improper_filter,
     "more than one of VRF, input and output interface is given"},
    {errc::family_with_addresses, status_code::improper_filter,
     "family ccc is given beside a field about IP packets"},

    {errc::invalid_timeout, status_code::improper_timeout, "the timeout is not valid"},
    {errc::missing_timeout, status_code::improper_timeout,
     "there is neither a timeout nor the flag STATIC"},

    {errc::missing_jtap_parameter, status_code::jtap_failure,
     "a required X-JTap parameter is missing"},
    {errc::invalid_jtap_parameter, status_code::jtap_failure, "the X-JTap parameter is not valid"},

    {errc::malformed_status_line, status_code::bad_request, "the status line is not valid"},
};

const error_row* find_row(int value) noexcept {
    for (const error_row& row : error_table)
        if (static_cast<int>(row.code) == value)
            return &row;
    return nullptr;
}

class dtcp_error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "flowtap.dtcp"; }

    std::string message(int value) const override {
        const error_row* row = find_row(value);
        return row != nullptr ? row->sentence : "unknown error";
    }
};

} // namespace

const std::error_category& dtcp_category() noexcept {
    static const dtcp_error_category category;
    return category;
}

status_code status_of(std::error_code code) noexcept {
    if (code.category() != dtcp_category())
        return status_code::internal_error;
    const error_row* row = find_row(code.value());
    return row != nullptr ? row->status : status_code::internal_error;
}

} // namespace flowtap::dtcp
