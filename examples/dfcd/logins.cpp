// SPDX-License-Identifier: Apache-2.0
#include "logins.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include <flowtap/permission/decide.hpp>

namespace dfcd {

namespace config = flowtap::config;
namespace permission = flowtap::permission;
namespace transport = flowtap::transport;

namespace {

/// When refusals go out: late enough for most RADIUS servers, which hold theirs back for a second.
constexpr std::chrono::seconds refusal_delay{2};

/// In which `source-failure-limit` counts.
constexpr std::chrono::minutes source_time{10};

bool may_tap(const permission::permission_set& permissions) {
    return permission::allowed(permissions, permission::operation::use,
                               permission::target::flow_tap_service);
}

std::vector<transport::login_method> order_of(const config::configuration& with) {
    std::vector<transport::login_method> order;
    for (const config::authentication_method method : with.authentication_order)
        order.push_back(method == config::authentication_method::radius
                            ? transport::login_method::remote
                            : transport::login_method::password);
    return order;
}

} // namespace

transport::login_limits login_limits_of(const config::configuration& with) {
    const config::ssh_limits limits = with.flow_tap_dtcp.value_or(config::ssh_limits{});
    transport::login_limits made;
    made.grace = with.retries.maximum_time;
    made.tries = with.retries.tries;
    made.refusal_delay = refusal_delay;
    made.backoff_threshold = with.retries.backoff_threshold;
    made.backoff_factor = with.retries.backoff_factor;
    made.source_connections = limits.source_connections;
    made.source_failures = limits.source_failures;
    made.source_time = source_time;
    return made;
}

logins::logins(transport::event_loop& loop, std::string_view reserved, listeners told)
    : loop_(loop), reserved_(reserved), told_(std::move(told)),
      users_({},
             [this](const transport::remote_login& accepted) {
                 loop_.post([this, accepted] { note(accepted); });
             }),
      recorder_(users_, told_.refused) {}

flowtap::result<std::shared_ptr<radius_servers>>
logins::servers_of(const config::configuration& with) {
    if (servers_ && asks_radius(with) && with.radius_servers == configured_servers_)
        return servers_;
    auto opened = radius_servers::open(loop_, with, reserved_);
    if (!opened)
        return flowtap::fail(opened.error());
    std::erase_if(all_servers_, [](const auto& each) { return each.expired(); });
    if (*opened)
        all_servers_.push_back(*opened);
    return opened;
}

flowtap::result<logins::changes> logins::apply(const config::configuration& next) {
    auto servers = servers_of(next);
    if (!servers)
        return flowtap::fail(servers.error());
    servers_ = std::move(*servers);
    configured_servers_ = next.radius_servers;
    users_.replace({next.logins, order_of(next), servers_});
    changes found = servers_ ? grants_.compare(directory_, next.logins)
                             : grants_.withdraw_all(directory_, next.logins);
    directory_ = next.logins;
    return found;
}

void logins::note(const transport::remote_login& accepted) {
    const std::string& name = accepted.who.name;
    grants_.remember(name, accepted.granted.permissions, accepted.granted.local_user);
    if (!may_tap(accepted.who.permissions) && !may_tap(directory_.permissions_of(name)))
        told_.tapping_ended(name);
    told_.accepted(accepted.who);
}

bool logins::still_holds(const permission::principal& who) const {
    if (who.from == permission::origin::radius)
        return grants_.permissions_of(who.name, directory_) == who.permissions;
    return directory_.permissions_of(who.name) == who.permissions;
}

void logins::stop() {
    for (const auto& each : all_servers_)
        if (const auto servers = each.lock())
            servers->stop();
}

} // namespace dfcd
