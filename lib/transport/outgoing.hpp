// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <flowtap/transport/dtcp_link.hpp>

namespace flowtap::transport {

/// Appends `request` to `out`, completed and signed. Errors: those of `numbers`, which is asked
/// only where a Seq is missing.
result<void> write_outgoing(std::string& out, const outgoing_request& request,
                            const std::string& csource_id, const sequence_numbers& numbers,
                            dtcp::keyed_hash& hash);

/// Whether Seq is the client's to choose, and not part of what its user wrote.
bool has_chosen_sequence(const outgoing_request& request);

} // namespace flowtap::transport
