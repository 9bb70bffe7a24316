// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>

#include <flowtap/dtcp/envelope.hpp>
#include <flowtap/dtcp/request.hpp>

#include "answer.hpp"
#include "control.hpp"

namespace flowtap::tap {

/// A request that is to be answered, with all that its handler needs to know.
struct request_context {
    control& state;
    requester from;
    const dtcp::envelope& message;
    time_stamp now;
    /// Handlers add the criteria they went through.
    std::size_t work = 0;
};

// Each does what its request asks for, writes the audit record before anything changes, and
// returns the answer.
answer handle(request_context& context, dtcp::add_request&& asked);
answer handle(request_context& context, const dtcp::delete_request& asked);
answer handle(request_context& context, const dtcp::refresh_request& asked);
answer handle(request_context& context, const dtcp::list_request& asked);
answer handle(request_context& context, const dtcp::noop_request& asked);
answer handle(request_context& context, const dtcp::enable_request& asked);
answer handle(request_context& context, const dtcp::disable_request& asked);

/// The answer to a request that is refused, with its audit record.
answer refuse(request_context& context, audit_event event, const error& reason);

/// A 200 without parameters yet.
answer accept(const request_context& context);

/// Writes the audit record of a request that is going to be done. If that fails, the answer to
/// give instead of doing it.
std::optional<answer> record(request_context& context, audit_note note);

/// The record's event for the method of a request that could not be read.
audit_event event_of(const dtcp::envelope& message);

} // namespace flowtap::tap
