// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>

#include <flowtap/permission/api.hpp>

namespace flowtap::permission {

/// What can be wrong with logins, keys and passwords.
enum class errc {
    invalid_public_key = 1,    ///< not a public key as OpenSSH writes it
    unsupported_key_algorithm, ///< keys of this algorithm are not accepted
    key_options_refused,       ///< options before the key are not supported
    key_algorithm_mismatch,    ///< the key holds another algorithm than its line says
    unusable_password_hash,    ///< the hash is of no scheme that crypt(3) knows here
    password_too_long,         ///< the password is longer than crypt(3) takes
    unknown_hash_scheme,       ///< no such hash scheme
};

/// The category of `flowtap::permission::errc`, named "flowtap.permission".
FLOWTAP_PERMISSION_API const std::error_category& permission_category() noexcept;

inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), permission_category()};
}

} // namespace flowtap::permission

template <>
struct std::is_error_code_enum<flowtap::permission::errc> : std::true_type {};
