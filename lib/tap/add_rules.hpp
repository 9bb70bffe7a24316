// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <system_error>

#include <flowtap/core/result.hpp>
#include <flowtap/dtcp/request.hpp>

#include "criterion.hpp"
#include "requests.hpp"

namespace flowtap::tap {

// What ADDs of all kinds have in common.

/// An error that names the line of a parameter.
unexpected<error> fail_at(const request_context& context, dtcp::parameter about,
                          std::error_code code);

/// Whether the control source may have copies sent there, and, where it says so, from there.
result<void> check_addresses(const request_context& context, const dtcp::jtap_parameters& jtap);

/// The record of an ADD that is about to be done.
audit_note note_of_add(const request_context& context, const dtcp::add_request& asked);

/// The answer to one that was done: it waits until the criterion is in force.
answer accept_add(request_context& context, criteria_id added);

/// Takes what LIST repeats out of the request.
std::shared_ptr<const criterion_terms> make_terms(const request_context& context,
                                                  dtcp::add_request& asked);

std::shared_ptr<const countdowns> make_timers(const request_context& context,
                                              const dtcp::add_request& asked);

/// An ADD with X-MD-Intercept-Id.
answer handle_subscriber(request_context& context, dtcp::add_request&& asked);

} // namespace flowtap::tap
