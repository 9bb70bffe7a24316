// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <flowtap/dtcp/version.hpp>

namespace flowtap::dtcp {

/// `METHOD DTCP/<major>.<minor>`, taken apart.
struct request_line {
    std::string_view method;
    version asked;
};

/// Reads a request's start line. Numbers of the version that do not fit stand as 255, which is
/// newer than anything that is spoken. None when the line does not have this form.
std::optional<request_line> parse_request_line(std::string_view line);

/// `DTCP/<major>.<minor> <code> <reason>`, taken apart.
struct status_line {
    version spoken;
    std::uint16_t code = 0;
};

/// Reads the status line of a response or notification; any reason phrase is taken.
std::optional<status_line> parse_status_line(std::string_view line);

} // namespace flowtap::dtcp
