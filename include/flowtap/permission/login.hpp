// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/permission/api.hpp>
#include <flowtap/permission/password.hpp>
#include <flowtap/permission/permission_set.hpp>
#include <flowtap/permission/principal.hpp>
#include <flowtap/permission/public_key.hpp>

namespace flowtap::permission {

/// A login class: what its users may do.
struct login_class {
    std::string name;
    permission_set permissions;
    /// How long a session of an operator may be idle; zero: as long as it likes.
    std::chrono::minutes idle_timeout{0};

    friend bool operator==(const login_class&, const login_class&) = default;
};

/// A user of the configuration.
struct user {
    std::string name;
    std::string class_name;
    std::optional<std::uint32_t> uid = std::nullopt;
    /// As crypt(3) makes it; empty when the user has no password.
    std::string password_hash = {};
    std::vector<public_key> keys = {};

    friend bool operator==(const user&, const user&) = default;
};

/// The classes that exist everywhere: `super-user` and `superuser` [all], `operator` [clear network
/// reset trace view], `read-only` [view], `unauthorized` [].
FLOWTAP_PERMISSION_API std::span<const login_class> predefined_classes();

/// The users and classes of a configuration, the predefined classes among them.
///
/// Thread-safety: concurrent reads are safe; share it as `std::shared_ptr<const login_directory>`
/// and replace it as a whole when the configuration changes. Look-ups take logarithmic time.
class login_directory {
public:
    FLOWTAP_PERMISSION_API login_directory();

    /// Adds one, or replaces the one of the same name.
    FLOWTAP_PERMISSION_API void insert(login_class added);
    FLOWTAP_PERMISSION_API void insert(user added);

    /// Null when there is none. Valid until the directory changes.
    FLOWTAP_PERMISSION_API const login_class* find_class(std::string_view name) const noexcept;
    FLOWTAP_PERMISSION_API const user* find_user(std::string_view name) const noexcept;

    /// In the order of their names.
    std::span<const login_class> classes() const noexcept { return classes_; }
    std::span<const user> users() const noexcept { return users_; }

    /// The class of a user; null when there is no such user or class.
    FLOWTAP_PERMISSION_API const login_class* class_of(std::string_view user_name) const noexcept;
    /// The permissions of a user's class; none when there is no such user or class.
    FLOWTAP_PERMISSION_API permission_set permissions_of(std::string_view user_name) const;

    /// A hash of the scheme most users have, for `password_checker`; empty when nobody has one.
    FLOWTAP_PERMISSION_API std::string typical_hash() const;

    friend bool operator==(const login_directory&, const login_directory&) = default;

private:
    std::vector<login_class> classes_;
    std::vector<user> users_;
};

/// Logs a local user in with a password. Computes exactly one hash, whoever asks. The caller then
/// asks `allowed(..., operation::log_in, target::access_point)`.
FLOWTAP_PERMISSION_API std::optional<principal>
authenticate_password(const login_directory& logins, const password_checker& checker,
                      std::string_view user_name, std::string_view password,
                      std::optional<endpoint> peer = std::nullopt);

/// Logs a local user in with a public key. The caller has to have verified that the client holds
/// the private key (with SSH: only in state VALID).
FLOWTAP_PERMISSION_API std::optional<principal>
authenticate_key(const login_directory& logins, std::string_view user_name,
                 const public_key& offered, std::optional<endpoint> peer = std::nullopt);

/// The template user whose class applies to RADIUS users without a local one (as in Junos).
inline constexpr std::string_view remote_template_user = "remote";

/// The identity of a user whom RADIUS accepted: its words merged with the class of the local user
/// `local_user_name` (Juniper-Local-User-Name) when given, else of the local user of the same name,
/// else of the user `remote`; with no such user, RADIUS' words alone.
FLOWTAP_PERMISSION_API principal radius_principal(const login_directory& logins,
                                                  std::string_view user_name,
                                                  std::string_view permission_words,
                                                  std::string_view local_user_name,
                                                  std::optional<endpoint> peer = std::nullopt);

} // namespace flowtap::permission
