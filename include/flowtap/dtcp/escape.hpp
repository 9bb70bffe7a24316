// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <flowtap/core/result.hpp>
#include <flowtap/dtcp/api.hpp>
#include <flowtap/dtcp/error.hpp>

namespace flowtap::dtcp {

/// Text as one token of a value: control and non-ASCII octets, blanks, commas and backslashes
/// become `\ddd`, so that none of them can delimit (draft-cavuto-dtcp-03, section 5).
FLOWTAP_DTCP_API std::string escape_value(std::string_view text);

/// Text as a line that may hold blanks and commas: only control and non-ASCII octets become
/// `\ddd`. For a line shown as it was received and for Alert-Info.
FLOWTAP_DTCP_API std::string escape_line(std::string_view line);

/// The octets a token stands for, each `\ddd` replaced by its octet. Split at delimiters first.
/// Errors: `errc::invalid_escape`, with the column counted from 1 within `token`.
FLOWTAP_DTCP_API result<std::string> unescape_value(std::string_view token);

} // namespace flowtap::dtcp
