// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <flowtap/config/error.hpp>
#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>

namespace flowtap::config {

/// Whether a secret stands in Junos' obscured form, `$9$...`.
bool is_obscured(std::string_view text) noexcept;

/// The secret in clear. A text that does not start with `$9$` is in clear already.
///
/// The scheme is reversible without a key: it keeps a secret from a glance over the shoulder and
/// from nothing else. A file that holds one is to be readable by its owner only.
/// Errors: `invalid_secret`, without the secret.
result<std::string> reveal_secret(std::string_view text);

/// `$9$...` for a secret. `random` gives the salt, of which up to four octets are used; missing
/// ones count as zero.
std::string obscure_secret(std::string_view secret, byte_view random);

} // namespace flowtap::config
