// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <flowtap/core/clock.hpp>
#include <flowtap/permission/principal.hpp>
#include <flowtap/transport/authenticator.hpp>

#include "libssh.hpp"

namespace flowtap::transport {

/// The part of a connection before somebody is logged in: key exchange and authentication, without
/// ever waiting for the client. One thread uses it at a time, and the session with it: a login
/// thread during `step`, the loop's between two steps.
class login {
public:
    enum class outcome : std::uint8_t {
        waiting,  ///< nothing to do until the client has sent more
        refused,  ///< an attempt is to be refused: call `refuse`, now or later
        accepted, ///< an attempt succeeded: call `accept`
        failed,   ///< the connection is of no use any more
    };

    login(ssh_session session, authenticator& users, endpoint peer, steady_time deadline);

    /// Goes on as far as what the client has sent allows.
    outcome step();

    /// When the attempt that is refused or accepted arrived.
    steady_time asked_at() const noexcept { return asked_at_; }
    steady_time deadline() const noexcept { return attempt_.deadline; }
    /// Attempts refused so far; asking which methods there are is none.
    std::size_t refusals() const noexcept { return attempt_.refused; }

    void refuse();
    permission::principal accept();

    /// What libssh's event loop needs; null until the key exchange is done.
    event_handle take_event() { return std::move(event_); }

private:
    std::optional<outcome> finish_key_exchange();
    std::optional<outcome> handle(message_handle message);
    std::optional<outcome> authenticate(message_handle message);
    void answer_offer(ssh_message message);
    /// Decides on a signature.
    void check_key(ssh_message message);

    ssh_session session_;
    authenticator* users_;
    login_attempt attempt_;
    event_handle event_;
    std::size_t messages_ = 0;
    steady_time asked_at_{};
    message_handle pending_;
    std::optional<permission::principal> accepted_;
};

} // namespace flowtap::transport
