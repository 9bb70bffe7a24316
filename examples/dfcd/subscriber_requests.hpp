// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include <flowtap/core/address.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/radius/server_state.hpp>

#include "subscribers.hpp"

namespace dfcd {

// What RADIUS says of subscribers, done.

/// Returns whether it is recorded.
bool take_accounting(subscribers& all, const flowtap::radius::accounting_record& record,
                     const flowtap::ip_address& client, flowtap::time_stamp now);

/// None for an ACK.
std::optional<flowtap::radius::error_cause>
take_authorization(subscribers& all, const flowtap::radius::authorization_request& request,
                   flowtap::time_stamp now);

} // namespace dfcd
