// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/permission/api.hpp>
#include <flowtap/permission/error.hpp>

namespace flowtap::permission {

/// Passwords longer than this are refused (crypt(3): CRYPT_MAX_PASSPHRASE_SIZE - 1).
inline constexpr std::size_t max_password_length = 511;

/// Checks passwords against hashes of crypt(3), as /etc/shadow holds them: `$6$` (SHA-512), `$5$`,
/// `$y$` (yescrypt), `$2b$`, `$7$`, `$gy$` and what else the system's libcrypt computes. Hashes of
/// traditional DES and of MD5 (`$1$`) are refused as too weak.
///
/// Every check computes exactly one hash, whatever the outcome: an unknown user, a locked hash
/// (`*`, `!...`, empty) or a malformed one is answered with the work of a dummy hash. A hash takes
/// milliseconds to a second and some megabytes: call it from a thread that may wait.
///
/// Thread-safe: any number of threads may check at a time. The password is not kept, and memory
/// that held parts of it is wiped.
class password_checker {
public:
    /// With a dummy hash of SHA-512 at crypt(3)'s default cost.
    FLOWTAP_PERMISSION_API password_checker();
    /// With a dummy hash of the scheme, cost and salt length of `like`, so that unknown users take
    /// as long as known ones. A hash that cannot be used stands for the default.
    FLOWTAP_PERMISSION_API explicit password_checker(std::string_view like);

    /// Whether `password` is the one that `hash` was made of. For an unknown user pass an empty
    /// hash. Never fails, never logs.
    FLOWTAP_PERMISSION_API bool check(std::string_view password, std::string_view hash) const;

    /// How many hashes have been computed: lets a test see that every refusal costs the same.
    std::uint64_t computations() const noexcept { return computations_.load(); }

private:
    std::string dummy_;
    mutable std::atomic<std::uint64_t> computations_ = 0;
};

/// Whether some password can match the hash: of a scheme that is computed here, and not locked.
/// Looks at the form only; computes nothing.
FLOWTAP_PERMISSION_API bool is_usable_hash(std::string_view hash) noexcept;

/// Whether the hash stands for "no password logs in": empty, or starting with `*` or `!`.
FLOWTAP_PERMISSION_API bool is_locked_hash(std::string_view hash) noexcept;

/// Hashes a password for the configuration. `scheme` is `$6$` or `$y$`; `random` is at least 16
/// octets of a secure generator.
/// Errors: `unknown_hash_scheme`, `password_too_long`.
FLOWTAP_PERMISSION_API result<std::string> hash_password(std::string_view password,
                                                         std::string_view scheme, byte_view random);

} // namespace flowtap::permission
