// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/config/configuration.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/permission/principal.hpp>
#include <flowtap/permission/radius_grants.hpp>
#include <flowtap/transport/event_loop.hpp>
#include <flowtap/transport/ordered_authenticator.hpp>
#include <flowtap/transport/ssh_server.hpp>

#include "login_recorder.hpp"
#include "radius_servers.hpp"

namespace dfcd {

/// How logins may be tried.
flowtap::transport::login_limits login_limits_of(const flowtap::config::configuration& with);

/// Who may log in: by the configuration, and by the RADIUS servers that it has asked. Belongs to
/// the loop's thread but for its authenticator.
class logins {
public:
    struct listeners {
        /// A login was refused. Called on the threads of logins.
        login_recorder::report refused;
        /// RADIUS accepted a login, which may tap no more (or never could).
        std::function<void(const std::string& name)> tapping_ended;
        /// RADIUS accepted a login: sessions of the same name with other permissions are to end.
        std::function<void(const flowtap::permission::principal& who)> accepted;
    };
    using changes = flowtap::permission::radius_grants::changes;

    /// Nobody can log in until `apply`. No server is asked about the login `reserved`. `loop` must
    /// outlive this.
    logins(flowtap::transport::event_loop& loop, std::string_view reserved, listeners told);

    flowtap::transport::authenticator& authenticator() noexcept { return recorder_; }

    /// What a configuration says holds from the next login on; those under way end with what held
    /// before. Returns what that means for those whom RADIUS has let in.
    /// Errors: those of `radius_servers::open`; nothing has changed then.
    flowtap::result<changes> apply(const flowtap::config::configuration& next);

    /// Whether somebody who was let in would be let in with the same permissions now.
    bool still_holds(const flowtap::permission::principal& who) const;

    /// Nobody waits for RADIUS servers any more. For when the loop runs no more.
    void stop();

private:
    /// The servers to ask by a configuration: those of before if they are the same.
    flowtap::result<std::shared_ptr<radius_servers>>
    servers_of(const flowtap::config::configuration& with);
    void note(const flowtap::transport::remote_login& accepted);

    flowtap::transport::event_loop& loop_;
    const std::string reserved_;
    const listeners told_;
    flowtap::transport::ordered_authenticator users_;
    /// The same, with a record of whom they refuse.
    login_recorder recorder_;
    flowtap::permission::login_directory directory_;
    flowtap::permission::radius_grants grants_;
    std::vector<flowtap::config::radius_server> configured_servers_;
    /// Null when there are none to ask.
    std::shared_ptr<radius_servers> servers_;
    /// Those, and those of before that may still be asked.
    std::vector<std::weak_ptr<radius_servers>> all_servers_;
};

} // namespace dfcd
