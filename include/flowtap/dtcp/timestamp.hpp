// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/dtcp/api.hpp>

namespace flowtap::dtcp {

/// `YYYY-MM-DD HH:MM:SS.mmm` in UTC, milliseconds cut off.
FLOWTAP_DTCP_API std::string format_timestamp(wall_time moment);

/// Reads what `format_timestamp` writes. Errors: `errc::invalid_value`.
FLOWTAP_DTCP_API result<wall_time> parse_timestamp(std::string_view text);

} // namespace flowtap::dtcp
