// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.hpp"
#include "session.hpp"

namespace dtcp_tool {

/// Reads commands and does them, until `quit`, the end of the input, or the loss of the way to the
/// access point. On a terminal lines can be edited, and the exit code is that of the way; else it
/// is that of the first command that failed.
exit_code run_shell(const options& asked, session& way);

} // namespace dtcp_tool
