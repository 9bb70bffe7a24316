// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.hpp"

namespace dfcd {

/// `--verify-audit`: verifies the files of an audit log and says on standard output what is wrong
/// with them, a line each. Returns the exit status: 0 when they are whole, 1 when something was
/// found, 3 when something cannot be read.
int verify_audit(const options& chosen);

} // namespace dfcd
