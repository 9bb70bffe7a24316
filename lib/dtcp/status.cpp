// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/status.hpp>

namespace flowtap::dtcp {

std::string_view reason(status_code status) noexcept {
    switch (status) {
    case status_code::sequence_rollover:
        return "Sequence Number Rollover";
    case status_code::noop_notification:
        return "NoOp Notification";
    case status_code::ok:
        return "OK";
    case status_code::criterion_timeout:
        return "Criterion Timeout Delete";
    case status_code::bad_request:
        return "Bad Request";
    case status_code::unknown_content_destination:
        return "Unknown Content Destination";
    case status_code::unknown_criteria_id:
        return "Unknown Criteria ID";
    case status_code::improper_filter:
        return "Improper Filter Specification";
    case status_code::improper_timeout:
        return "Improper Timeout Specification";
    case status_code::invalid_authentication:
        return "Invalid Authentication";
    case status_code::invalid_sequence:
        return "Invalid Sequence Number";
    case status_code::unknown_control_source:
        return "Unknown Control Source Identifier";
    case status_code::internal_error:
        return "Server Internal Error";
    case status_code::not_implemented:
        return "Not Implemented";
    case status_code::version_not_supported:
        return "DTCP Version not supported";
    case status_code::criteria_limit:
        return "Max Criteria Limit Exceeded";
    case status_code::content_destination_limit:
        return "Max Content Destination Exceeded";
    case status_code::congestion:
        return "Congestion";
    case status_code::duplicates_dropped:
        return "Duplicate Packets Dropped";
    case status_code::restart:
        return "Server Restart";
    case status_code::congestion_delete:
        return "Criterion Congestion Delete";
    case status_code::jtap_failure:
        return "JTap-Failure";
    }
    return "Unknown";
}

bool is_notification(status_code status) noexcept {
    switch (status) {
    case status_code::sequence_rollover:
    case status_code::noop_notification:
    case status_code::criterion_timeout:
    case status_code::congestion:
    case status_code::duplicates_dropped:
    case status_code::restart:
    case status_code::congestion_delete:
        return true;
    default:
        return false;
    }
}

bool is_never_sent(status_code status) noexcept {
    return status == status_code::invalid_authentication ||
           status == status_code::invalid_sequence || status == status_code::unknown_control_source;
}

status_code status_under(version spoken, status_code status) noexcept {
    const bool is_newer =
        status == status_code::criteria_limit || status == status_code::content_destination_limit;
    return is_newer && spoken <= version_0_5 ? status_code::internal_error : status;
}

} // namespace flowtap::dtcp
