// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include <flowtap/core/clock.hpp>
#include <flowtap/dtcp/request.hpp>

#include "control.hpp"

namespace flowtap::tap {

// Timeouts: what makes criteria end by themselves. The data path counts packets and octets and says
// when they are used up; time is counted here, with one timer for each criterion that has a
// Timeout-Idle or Timeout-Total. Workers note when a criterion matched, so a timer that comes to
// an end while there was traffic is just set again: a packet costs nothing here.

/// Criteria that one turn looks at, so that requests need not wait for all.
inline constexpr std::size_t expiry_slice = 1024;

/// Starts the countdowns of a criterion that is not in force yet.
void begin_countdowns(control& state, const criterion& what);

/// Sets what is given of the timeouts anew, for a criterion that has not ended. False, and nothing
/// is done, if its packets or octets turn out to be used up: `expire_due` deletes it when the
/// copies that they allowed have left.
bool refresh(control& state, criterion& what, const dtcp::timeouts& given, time_stamp now);

/// Deletes criteria that have ended, in the order in which they did, `expiry_slice` at most.
/// Returns false when there may be more.
bool expire_due(control& state, time_stamp now);

/// Leaves out, and deletes, the criteria of which a timeout in seconds has ended: to a request they
/// do not exist any more, even when `expire_due` has not come as far.
void drop_ended(control& state, control_source& of, std::vector<criterion*>& selected,
                time_stamp now);
} // namespace flowtap::tap
