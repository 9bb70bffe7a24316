// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>

#include <flowtap/core/address.hpp>
#include <flowtap/core/result.hpp>

namespace dfcd {

/// A socket in the file system, by its path.
struct local_socket {
    std::string path;
};

/// Where status and metrics are served: `unix:PATH`, or `ADDRESS:PORT` with a loopback address
/// (`[::1]:9100`), since what asks there shows nothing of who it is.
using metrics_address = std::variant<local_socket, flowtap::endpoint>;

/// Errors: `errc::metrics_address` for anything else, `errc::metrics_not_loopback`.
flowtap::result<metrics_address> parse_metrics_address(const std::string& text);

std::string to_string(const metrics_address& where);

} // namespace dfcd
