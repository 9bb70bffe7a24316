// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <flowtap/core/result.hpp>
#include <flowtap/transport/dtcp_link.hpp>

#include "options.hpp"

namespace dtcp_tool {

/// The requests that the command line asks for, standard input and files included.
/// Errors: those of the operating system on a file, `dtcp::errc::malformed_line` with the line, and
/// those of `dtcp::framer`; the subject is the file or the line.
flowtap::result<std::vector<flowtap::transport::outgoing_request>>
make_requests(const options& asked);

/// The requests of a file, for `send`; `-` is standard input. Errors: as `make_requests`.
flowtap::result<std::vector<flowtap::transport::outgoing_request>>
read_requests(const std::string& file);

/// `METHOD` with these parameters, in the version that is asked for or needed.
flowtap::transport::outgoing_request
make_request(std::string_view method, std::vector<std::pair<std::string, std::string>> fields,
             const options& asked);

/// The requests of a text: each from its start line to an empty line or the end. A request that has
/// an Authentication-Info is kept as it stands.
flowtap::result<std::vector<flowtap::transport::outgoing_request>>
split_requests(std::string_view text);

} // namespace dtcp_tool
