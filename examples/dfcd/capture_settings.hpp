// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include <flowtap/config/configuration.hpp>
#include <flowtap/core/address.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/tap/settings.hpp>

namespace dfcd {

/// Most criteria of dynamic flow capture, which has no statement for it. Each control source may
/// have an equal share, so that none sees the others' use by being refused.
inline constexpr std::size_t capture_criteria = 100'000;

/// The source address that the system uses towards a destination. Errors: the system's; nothing is
/// sent.
flowtap::result<flowtap::ip_address> address_towards(const flowtap::ip_address& destination);

/// Reads `services dynamic-flow-capture` into the settings of an access point: groups, control
/// sources, limits and families. Errors: `errc::no_source_address`, with the name of the capture
/// group. `towards` is `address_towards`, except in tests.
flowtap::result<void> read_capture(
    const flowtap::config::configuration& with, flowtap::tap::settings& made,
    const std::function<flowtap::result<flowtap::ip_address>(const flowtap::ip_address&)>& towards =
        address_towards);

} // namespace dfcd
