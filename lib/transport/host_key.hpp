// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include <flowtap/core/result.hpp>
#include <flowtap/transport/error.hpp>

#include "libssh.hpp"

namespace flowtap::transport {

/// The private key in `file`; made (Ed25519) and stored there, mode 0600, when the file does not
/// exist. A file appears whole or not at all, and of two programs that start at once both use the
/// same key. Errors: `errc::host_key_unreadable`, `host_key_exposed`, `host_key_not_made`.
result<key_handle> load_or_make_host_key(const std::filesystem::path& file);

/// `SHA256:...`, as OpenSSH shows it; empty when there is no memory.
std::string fingerprint_of(ssh_key key);

} // namespace flowtap::transport
