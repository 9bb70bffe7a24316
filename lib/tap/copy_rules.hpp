// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include <flowtap/core/address.hpp>

namespace flowtap::tap {

/// Whether copies may go to, or come from, an address (dtcp.md, section 9): it is unicast and in
/// `allowed`, or, where nothing is listed, neither loopback nor one of `own`.
bool is_allowed(const ip_address& address, const std::optional<std::vector<ip_prefix>>& allowed,
                const std::vector<ip_address>& own);

} // namespace flowtap::tap
