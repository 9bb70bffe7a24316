// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include <flowtap/dtcp/api.hpp>
#include <flowtap/dtcp/version.hpp>

namespace flowtap::dtcp {

/// The status codes of responses and notifications (draft-cavuto-dtcp-03, section 8; 901 from its
/// appendix B).
enum class status_code : std::uint16_t {
    sequence_rollover = 130, ///< notification
    noop_notification = 131, ///< notification
    ok = 200,                ///< the request was done
    criterion_timeout = 390, ///< notification
    bad_request = 400,       ///< what no other code says better
    unknown_content_destination = 430,
    unknown_criteria_id = 431,
    improper_filter = 432,
    improper_timeout = 433,
    invalid_authentication = 497, ///< logged, never sent
    invalid_sequence = 498,       ///< logged, never sent
    unknown_control_source = 499, ///< logged, never sent
    internal_error = 500,
    not_implemented = 501,
    version_not_supported = 505,
    criteria_limit = 550,
    content_destination_limit = 551,
    congestion = 580,         ///< notification
    duplicates_dropped = 598, ///< notification
    restart = 599,            ///< notification
    congestion_delete = 680,  ///< notification
    jtap_failure = 901,
};

/// The reason phrase, in the draft's words.
FLOWTAP_DTCP_API std::string_view reason(status_code status) noexcept;

/// True for the codes that only notifications carry.
FLOWTAP_DTCP_API bool is_notification(status_code status) noexcept;

/// True for 497, 498 and 499: such a request is logged and counted and never answered.
FLOWTAP_DTCP_API bool is_never_sent(status_code status) noexcept;

/// The code that `status` goes out as under a version: 0.5 knows neither 550 nor 551 and says 500.
FLOWTAP_DTCP_API status_code status_under(version spoken, status_code status) noexcept;

} // namespace flowtap::dtcp
