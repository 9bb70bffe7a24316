// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace dfcd {

/// `--hash-password`: reads a password, twice and without showing it where standard input is a
/// terminal, else from its first line, and prints its hash for `encrypted-password`. `scheme` is
/// one of crypt(3)'s: `$6$` or `$y$`. Returns the exit status.
int hash_password(std::string_view scheme);

} // namespace dfcd
