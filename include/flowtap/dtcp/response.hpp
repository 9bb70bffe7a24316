// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/dtcp/api.hpp>
#include <flowtap/dtcp/envelope.hpp>
#include <flowtap/dtcp/error.hpp>
#include <flowtap/dtcp/request.hpp>
#include <flowtap/dtcp/status.hpp>
#include <flowtap/dtcp/version.hpp>

namespace flowtap::dtcp {

/// The answer to a request; of a LIST answer, all but the entries.
struct response {
    version spoken = version_0_7;
    status_code status = status_code::ok;
    sequence_number seq;
    wall_time timestamp;
    /// Criteria-ID: of an ADD's 200 the new criterion, of a 431 the unknown one.
    std::optional<std::uint64_t> criterion;
    /// Criteria-Count of DELETE and REFRESH.
    std::optional<std::uint32_t> criteria_count;
    /// The line of the request that an error is about, as received. It goes out as it is when it is
    /// a line of a request with a known parameter, else as X-Offending-Line; escaped either way.
    std::string offending_line;

    friend bool operator==(const response&, const response&) = default;
};

/// What Stats shows of a criterion.
struct list_statistics {
    /// What is left of each timeout that is set. Zero may be in here.
    std::optional<std::chrono::seconds> remaining_idle;
    std::optional<std::chrono::seconds> remaining_total;
    std::optional<std::uint64_t> remaining_packets;
    std::optional<std::uint64_t> remaining_bytes;
    /// Over the last 10 seconds, in bit/s.
    std::uint64_t average_bandwidth = 0;
    std::uint64_t matching_packets = 0;
    std::uint64_t matching_bytes = 0;
    std::uint32_t num_refresh = 0;
    /// None when it was never refreshed; the line is left out then.
    std::optional<wall_time> last_refresh;

    friend bool operator==(const list_statistics&, const list_statistics&) = default;
};

/// One criterion in a LIST answer.
struct list_entry {
    criteria_id id;
    std::string csource_id;
    std::vector<std::string> cdest_ids;
    std::optional<ip_address> csource_address;
    /// When it was added.
    wall_time added;
    bool is_static = false;
    bool send_async = false;
    /// With Criteria: the filter, TIMEOUT-* and X- fields as given in the ADD.
    std::vector<given_field> given;
    /// With Stats.
    std::optional<list_statistics> statistics;
    /// The place in the list, from 1; 0 under DTCP/0.5, which has none.
    std::uint32_t number = 0;
    /// How many entries the list has.
    std::uint32_t count = 0;

    friend bool operator==(const list_entry&, const list_entry&) = default;
};

/// What a control source is told without having asked. `status` says which fields are used:
/// 130 and 131 none; 390 criterion, configured, remaining; 580 cdest_id and the three bandwidths;
/// 598 cdest_id, criterion and what was dropped; 599 alert; 680 cdest_id and purged.
struct notification {
    version spoken = version_0_7;
    status_code status = status_code::noop_notification;
    wall_time timestamp;
    std::optional<std::uint64_t> criterion;
    std::optional<std::string> cdest_id;
    timeouts configured;
    /// What is left of each; zero is a value here.
    timeouts remaining;
    std::optional<std::uint64_t> average_bandwidth;
    /// The soft limit.
    std::optional<std::uint64_t> alert_bandwidth;
    /// The hard limit.
    std::optional<std::uint64_t> max_bandwidth;
    std::optional<std::uint64_t> dropped_packets;
    std::optional<std::uint64_t> dropped_bytes;
    std::optional<std::string> alert;
    range_list<std::uint64_t> purged;

    friend bool operator==(const notification&, const notification&) = default;
};

/// An answer to a request: its version (or the nearest that is spoken, or the highest where none
/// can be read) and its sequence number.
FLOWTAP_DTCP_API response make_response(const envelope& message, status_code status, wall_time now);

/// The answer that tells an error of `parse_request`, with its line. An error whose status is
/// never sent must not get here.
FLOWTAP_DTCP_API response make_error_response(const envelope& message, const error& reason,
                                              wall_time now);

/// An error about one parameter of a request that the caller found: with the parameter's line and
/// column, or its name alone where the request has none.
FLOWTAP_DTCP_API error error_at(const envelope& message, parameter about, std::error_code code);

} // namespace flowtap::dtcp
