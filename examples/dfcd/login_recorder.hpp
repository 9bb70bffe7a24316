// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include <flowtap/transport/authenticator.hpp>

namespace dfcd {

/// Decides as another authenticator does, and tells of each login that it refuses. A key that is
/// only offered is none: clients offer all they have.
class login_recorder final : public flowtap::transport::authenticator {
public:
    using report = std::function<void(const flowtap::transport::login_attempt&)>;

    /// `refused` is called on the threads that logins are decided on, several at a time.
    login_recorder(flowtap::transport::authenticator& decides, report refused)
        : decides_(decides), refused_(std::move(refused)) {}

    std::optional<flowtap::permission::principal>
    check_password(const flowtap::transport::login_attempt& attempt,
                   std::string_view password) override;
    bool accepts_key(const flowtap::transport::login_attempt& attempt,
                     const flowtap::permission::public_key& key) override;
    std::optional<flowtap::permission::principal>
    check_key(const flowtap::transport::login_attempt& attempt,
              const flowtap::permission::public_key& key) override;

private:
    flowtap::transport::authenticator& decides_;
    const report refused_;
};

} // namespace dfcd
