// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/result.hpp>
#include <flowtap/dtcp/authentication.hpp>
#include <flowtap/tap/access_point.hpp>

namespace dfcd {

/// The control source that criteria from a file belong to.
inline constexpr std::string_view local_source = "local";

/// One request of a criteria file, made ready to be fed to an access point: Csource-ID, Seq and
/// Authentication-Info, which may be missing in the file, are those of `local_source`.
struct file_request {
    std::string octets;
    /// As it stands in the file.
    std::string written;
    /// Of its start line, from 1.
    std::size_t line = 0;
};

/// Reads the requests of a criteria file. Errors: those of the operating system and of the framer.
flowtap::result<std::vector<file_request>> read_criteria_file(const std::string& path,
                                                              flowtap::dtcp::keyed_hash& hash);

/// Feeds the requests of the file `path` to an access point, as `local_source`. Errors: the first
/// answer that is not 200, as a sentence with its line, in the error's subject.
flowtap::result<void> load_criteria(const std::string& path,
                                    const std::vector<file_request>& requests,
                                    flowtap::tap::access_point& point, flowtap::time_stamp now);

} // namespace dfcd
