// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <flowtap/permission/login.hpp>
#include <flowtap/permission/principal.hpp>
#include <flowtap/permission/public_key.hpp>
#include <flowtap/transport/api.hpp>
#include <flowtap/transport/authenticator.hpp>

namespace flowtap::transport {

/// A remote authority lets the login in.
struct remote_acceptance {
    /// Permission words with blanks between them, as `permission::radius_principal` takes them.
    std::string permissions;
    /// The local user whose class applies; empty for the usual one.
    std::string local_user;
};
/// It has answered, and the answer is no.
struct remote_rejection {};
/// Nobody has answered.
struct remote_silence {};

using remote_answer = std::variant<remote_acceptance, remote_rejection, remote_silence>;

/// Somebody else who knows users: RADIUS servers.
class FLOWTAP_TRANSPORT_API remote_authority {
public:
    remote_authority() = default;
    remote_authority(const remote_authority&) = delete;
    remote_authority& operator=(const remote_authority&) = delete;
    virtual ~remote_authority();

    /// Asks, and waits for the answer, until some time before the attempt's deadline at the latest.
    /// Called on login threads, several at a time.
    virtual remote_answer ask(const login_attempt& attempt, std::string_view password) = 0;
};

/// A way to check a password.
enum class login_method : std::uint8_t {
    password, ///< the hashes of the configuration's users
    remote,   ///< the remote authority
};

/// Who may log in, and how that is found out.
struct login_rules {
    permission::login_directory logins;
    /// In the order in which they are tried; never empty.
    std::vector<login_method> order{login_method::password};
    /// Null: as one that never answers.
    std::shared_ptr<remote_authority> remote = nullptr;
};

/// A login that a remote authority accepted.
struct remote_login {
    /// With the permissions that it has of both, remote words and local class.
    permission::principal who;
    remote_acceptance granted;
};

/// Lets in who may log in at all (`permission::operation::log_in`), with a password that is
/// checked by several methods in turn, as `system authentication-order` of Junos does it, or with a
/// key of the configuration.
///
/// - The first method that accepts decides. A rejection goes on to the next one.
/// - Where `password` is not in the order, the configuration's passwords are tried when nobody
///   answered the question to the remote authority, and only then.
/// - The remote authority is asked about names of printable ASCII without blanks alone.
/// - Of a login that the remote authority accepts the permissions are merged (`radius_principal`).
///   One that is accepted with a local password or key has those of its class alone.
///
/// Whatever is refused cost exactly one password hash: an unknown user, a wrong password, a
/// rejection, and an acceptance without permission, in every order. No more than `most_hashes` of
/// them are computed at a time. Thread-safe.
class FLOWTAP_TRANSPORT_API ordered_authenticator final : public authenticator {
public:
    static constexpr std::ptrdiff_t most_hashes = 2;
    /// Called on a login thread before the login is let in, or refused for want of a permission.
    using report = std::function<void(const remote_login&)>;

    explicit ordered_authenticator(login_rules rules, report accepted_remotely = {});
    ~ordered_authenticator() override;

    /// What holds from now on. Attempts under way end with the rules of before, and ask the remote
    /// authority of before.
    void replace(login_rules rules);

    std::optional<permission::principal> check_password(const login_attempt& attempt,
                                                        std::string_view password) override;
    bool accepts_key(const login_attempt& attempt, const permission::public_key& key) override;
    std::optional<permission::principal> check_key(const login_attempt& attempt,
                                                   const permission::public_key& key) override;

    /// How many password hashes were computed under the rules that hold now.
    std::uint64_t hash_computations() const;

private:
    struct in_force;
    class decision;
    std::shared_ptr<const in_force> current() const;

    const report accepted_remotely_;
    mutable std::mutex mutex_;
    std::shared_ptr<const in_force> rules_;
    struct hash_places;
    class hash_place;
    const std::unique_ptr<hash_places> places_;
};

} // namespace flowtap::transport
