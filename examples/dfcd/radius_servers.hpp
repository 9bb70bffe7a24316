// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include <flowtap/config/configuration.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/transport/event_loop.hpp>
#include <flowtap/transport/ordered_authenticator.hpp>

namespace dfcd {

/// Whether logins are asked about elsewhere.
inline bool asks_radius(const flowtap::config::configuration& with) {
    using flowtap::config::authentication_method;
    return !with.radius_servers.empty() &&
           std::ranges::find(with.authentication_order, authentication_method::radius) !=
               with.authentication_order.end();
}

/// Whether dfcd can do that. Errors: `errc::no_radius` when it was built without.
flowtap::result<void> check_radius(const flowtap::config::configuration& with);

/// The RADIUS servers of a configuration: asked on the loop, for the threads of logins, which wait.
/// For other servers make another one; this one stays until its last login has its answer.
class radius_servers final : public flowtap::transport::remote_authority {
public:
    /// Null when nobody is to be asked. No server is asked about the login `reserved`, which is
    /// rejected: the name is taken. `loop` must outlive what this returns, which may be let go of
    /// by any thread. Errors: those of `check_radius` and `radius::client`.
    static flowtap::result<std::shared_ptr<radius_servers>>
    open(flowtap::transport::event_loop& loop, const flowtap::config::configuration& with,
         std::string_view reserved);
    ~radius_servers() override;

    /// Whatever is not plainly a yes is said in the operational log, in a line without the login.
    flowtap::transport::remote_answer ask(const flowtap::transport::login_attempt& attempt,
                                          std::string_view password) override;

    /// Whoever waits gets no answer, nor does anybody later. For when the loop runs no more.
    void stop();

private:
    struct implementation;
    explicit radius_servers(std::shared_ptr<implementation> with);
    std::shared_ptr<implementation> implementation_;
};

} // namespace dfcd
