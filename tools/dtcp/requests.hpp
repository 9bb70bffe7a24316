// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/result.hpp>
#include <flowtap/transport/dtcp_client.hpp>

#include "options.hpp"

namespace dtcp_tool {

/// The requests that the command line asks for, standard input and files included.
/// Errors: those of the operating system on a file, `dtcp::errc::malformed_line` with the line, and
/// those of `dtcp::framer`; the subject is the file or the line.
flowtap::result<std::vector<flowtap::transport::outgoing_request>>
make_requests(const options& asked);

/// The requests of a text: each from its start line to an empty line or the end. A request that has
/// an Authentication-Info is kept as it stands.
flowtap::result<std::vector<flowtap::transport::outgoing_request>>
split_requests(std::string_view text);

} // namespace dtcp_tool
