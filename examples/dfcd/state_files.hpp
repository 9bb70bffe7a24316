// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/result.hpp>

namespace dfcd {

/// `.` for a file without one.
std::string directory_of(const std::string& file);

/// Makes the directory of a file that dfcd writes, for its owner only, if it is missing.
flowtap::result<void> make_directory_of(const std::string& file);

/// Makes a file of mode 0600. What root makes in the directory of another user belongs to that
/// user, because dfcd may run as it; for the same reason nothing that stands there already is
/// touched: it may be one more name of a file elsewhere. Fails then with EEXIST in `errno`, which
/// says why in any case.
flowtap::descriptor make_state_file(const std::string& path);

/// Writes what is to replace a file beside it, on the disk, with mode 0600. Errors: those of the
/// operating system.
flowtap::result<void> prepare_file(const std::string& path, std::string_view text);

/// Puts that in the place of the file, which holds the old or the new text at any time. Errors:
/// those of the operating system.
flowtap::result<void> put_file(const std::string& path);

} // namespace dfcd
