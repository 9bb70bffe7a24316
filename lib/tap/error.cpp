// SPDX-License-Identifier: Apache-2.0
#include <flowtap/tap/error.hpp>

#include <flowtap/dtcp/error.hpp>

namespace flowtap::tap {

namespace {

class error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "flowtap.tap"; }

    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::not_permitted:
            return "the principal may not tap flows";
        case errc::audit_failed:
            return "the audit log cannot be written";
        case errc::family_not_configured:
            return "the family is not configured";
        case errc::interface_not_configured:
            return "the interface is not configured";
        case errc::vrf_not_configured:
            return "the routing instance is not configured";
        case errc::destination_not_allowed:
            return "copies may not go to this address";
        case errc::source_address_not_allowed:
            return "copies may not come from this address";
        case errc::not_built:
            return "the request asks for something that is not built";
        case errc::too_many_criteria:
            return "the control source has as many criteria as it may have";
        case errc::too_many_content_destinations:
            return "there are as many content destinations as there may be";
        case errc::out_of_resources:
            return "the access point has no room for this now";
        case errc::sequence_not_stored:
            return "the sequence number cannot be stored";
        case errc::too_many_replies:
            return "too many requests of the control source wait for their answer";
        case errc::trailing_octets:
            return "octets follow the message in its datagram";
        case errc::unknown_content_destination:
            return "the content destination is unknown";
        case errc::priority_too_low:
            return "the priority is lower than the control source may use";
        case errc::too_many_subscribers:
            return "as many subscriber sessions are mirrored as may be";
        case errc::no_source_address:
            return "copies to this destination have no source address";
        case errc::unknown_drop_policy:
            return "the drop policy is not configured";
        case errc::no_traffic:
            return "the session has neither an address nor an interface";
        case errc::not_for_subscribers:
            return "a subscriber's packets are not told by this parameter";
        }
        return "unknown error";
    }
};

dtcp::status_code status_of(errc code) noexcept {
    switch (code) {
    case errc::family_not_configured:
        return dtcp::status_code::improper_filter;
    case errc::interface_not_configured:
    case errc::vrf_not_configured:
    case errc::destination_not_allowed:
    case errc::source_address_not_allowed:
        return dtcp::status_code::jtap_failure;
    case errc::not_built:
        return dtcp::status_code::not_implemented;
    case errc::too_many_criteria:
        return dtcp::status_code::criteria_limit;
    case errc::too_many_content_destinations:
        return dtcp::status_code::content_destination_limit;
    case errc::unknown_content_destination:
        return dtcp::status_code::unknown_content_destination;
    case errc::priority_too_low:
    case errc::unknown_drop_policy:
        return dtcp::status_code::bad_request;
    case errc::too_many_subscribers:
        return dtcp::status_code::criteria_limit;
    case errc::no_source_address:
        return dtcp::status_code::jtap_failure;
    case errc::not_for_subscribers:
        return dtcp::status_code::improper_filter;
    case errc::not_permitted:
    case errc::audit_failed:
    case errc::out_of_resources:
    case errc::sequence_not_stored:
    case errc::too_many_replies:
    case errc::trailing_octets:
    case errc::no_traffic:
        break;
    }
    return dtcp::status_code::internal_error;
}

} // namespace

const std::error_category& tap_category() noexcept {
    static const error_category category;
    return category;
}

dtcp::status_code status_of(std::error_code code) noexcept {
    if (code.category() == tap_category())
        return status_of(static_cast<errc>(code.value()));
    return dtcp::status_of(code);
}

} // namespace flowtap::tap
