// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <flowtap/core/address.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/permission/login.hpp>
#include <flowtap/permission/password.hpp>
#include <flowtap/permission/principal.hpp>
#include <flowtap/permission/public_key.hpp>
#include <flowtap/transport/api.hpp>

namespace flowtap::transport {

/// Somebody wants in.
struct login_attempt {
    /// As the client gave it: any octets.
    std::string user;
    endpoint peer;
    /// Attempts of this connection that were refused before.
    std::size_t refused = 0;
    /// When the answer is of no use any more: the connection is closed then.
    steady_time deadline;
};

/// Decides who may log in, and with which permissions.
///
/// Called on the server's login threads, several at a time, and may block there: that is what they
/// are for (password hashes, questions to RADIUS servers). It should return by the deadline of the
/// attempt. Everything that is refused must be refused alike: the transport tells the client
/// nothing but yes and no, and can hold every refusal back to a fixed delay (`ssh_server_options`).
class FLOWTAP_TRANSPORT_API authenticator {
public:
    authenticator() = default;
    authenticator(const authenticator&) = delete;
    authenticator& operator=(const authenticator&) = delete;
    virtual ~authenticator();

    /// The identity, or nothing when it is refused. `password` is wiped afterwards.
    virtual std::optional<permission::principal> check_password(const login_attempt& attempt,
                                                                std::string_view password) = 0;

    /// Whether this key could log the user in. The client has not shown yet that it holds the
    /// private key.
    virtual bool accepts_key(const login_attempt& attempt, const permission::public_key& key) = 0;

    /// The client has shown that it holds the private key.
    virtual std::optional<permission::principal> check_key(const login_attempt& attempt,
                                                           const permission::public_key& key) = 0;
};

/// Lets in the users of a configuration who may log in at all
/// (`permission::operation::log_in`), with password or key.
class FLOWTAP_TRANSPORT_API local_authenticator final : public authenticator {
public:
    explicit local_authenticator(permission::login_directory logins);

    /// Who may log in from now on. Any thread; attempts under way end with the users of before.
    void replace(permission::login_directory logins);

    std::optional<permission::principal> check_password(const login_attempt& attempt,
                                                        std::string_view password) override;
    bool accepts_key(const login_attempt& attempt, const permission::public_key& key) override;
    std::optional<permission::principal> check_key(const login_attempt& attempt,
                                                   const permission::public_key& key) override;

private:
    struct users;
    std::shared_ptr<const users> current() const;

    mutable std::mutex mutex_;
    std::shared_ptr<const users> users_;
};

} // namespace flowtap::transport
