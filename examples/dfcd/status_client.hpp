// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <flowtap/core/result.hpp>

#include "metrics_address.hpp"

namespace dfcd {

/// Asks a running dfcd for a page of its metrics server (`/status`). Errors: `errc::no_status`,
/// those of the operating system.
flowtap::result<std::string> ask_status(const metrics_address& where, std::string_view page);

} // namespace dfcd
