// SPDX-License-Identifier: Apache-2.0
#include "subscribers.hpp"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <flowtap/path/drop_policy.hpp>

#include "log.hpp"

namespace dfcd {

namespace config = flowtap::config;
namespace path = flowtap::path;
namespace subscriber = flowtap::subscriber;
namespace tap = flowtap::tap;

namespace {

/// The element that static subscribers are of; those of RADIUS have another beginning.
constexpr std::string_view static_element = "static";

flowtap::result<subscriber::mirroring_settings>
settings_of(const config::radius_flow_tap_settings& with, egress_pool* pool) {
    subscriber::mirroring_settings made;
    made.sessions = with.subscriber_limit;
    made.mirrored = with.session_limit;
    made.source_address = with.source_address;
    made.dscp = with.dscp;
    made.routing_instance = with.routing_instance;
    for (const config::pool_interface& member : with.pool)
        made.pool.push_back({member.name,
                             pool == nullptr ? path::egress_id{} : pool->number_of(member),
                             member.addresses, member.source_port});
    for (const config::drop_policy& policy : with.policies) {
        auto terms = path::drop_policy::make(policy.terms);
        if (!terms)
            return flowtap::fail(terms.error());
        made.drop_policies.emplace(policy.name, std::move(*terms));
    }
    return made;
}

subscriber::session_record session_of(const config::static_subscriber& of) {
    subscriber::session_record made;
    made.identity = {std::string(static_element), of.accounting_session};
    made.user_name = of.user_name;
    made.addresses = of.addresses;
    made.interface = of.interface;
    made.nas_port_id = of.nas_port_id;
    made.circuit_id = of.circuit_id;
    made.remote_id = of.remote_id;
    made.calling_station = of.calling_station;
    made.routing_instance = of.routing_instance;
    made.logical_system = of.logical_system;
    return made;
}

std::string_view name_of(subscriber::event_kind kind) {
    static constexpr std::array<std::string_view, 7> names{
        "subscriber logged in", "login failed",        "subscriber logged out", "service activated",
        "activation failed",    "service deactivated", "mirroring failed",
    };
    return names[static_cast<std::size_t>(kind)];
}

std::string describe(const subscriber::event& what) {
    const auto& session = what.session;
    std::string text = fmt::format("{}: session {} of {}", name_of(what.kind),
                                   session.identity.accounting_session, session.identity.element);
    if (!session.user_name.empty())
        text += fmt::format(", user {}", session.user_name);
    text += fmt::format(", intercept {}", what.id.intercept_id);
    if (what.reason)
        text += fmt::format(": {}", what.reason.message());
    return text;
}

} // namespace

subscribers::subscribers(subscriber::mirroring_settings settings,
                         const config::radius_flow_tap_settings& with, tap::audit_log& audit,
                         egress_pool* pool, notifier& notified)
    : audit_(&audit), pool_(pool), notified_(&notified), with_(with),
      all_(std::move(settings), *this) {}

flowtap::result<std::unique_ptr<subscribers>>
subscribers::make(const config::radius_flow_tap_settings& with, tap::audit_log& audit,
                  egress_pool* pool, notifier& notified) {
    auto settings = settings_of(with, pool);
    if (!settings)
        return flowtap::fail(settings.error());
    return std::unique_ptr<subscribers>(
        new subscribers(std::move(*settings), with, audit, pool, notified));
}

void subscribers::begin(tap::mirror_port& port, flowtap::time_stamp now) {
    all_.attach(port);
    if (pool_ != nullptr)
        pool_->apply(with_.pool);
    put_static(now);
}

flowtap::result<void> subscribers::check(const config::radius_flow_tap_settings& with) {
    const auto settings = settings_of(with, nullptr);
    return settings ? flowtap::result<void>() : flowtap::fail(settings.error());
}

void subscribers::apply(const config::radius_flow_tap_settings& with, flowtap::time_stamp now) {
    auto settings = settings_of(with, pool_);
    if (!settings)
        return log("radius-flow-tap stays as it was: {}", settings.error().message());
    with_ = with;
    // A member's device is there before copies are sent through it.
    if (pool_ != nullptr)
        pool_->apply(with.pool);
    all_.apply(std::move(*settings), now);
    if (pool_ != nullptr)
        pool_->tell_all();
    put_static(now);
}

void subscribers::end_all(flowtap::time_stamp now) {
    all_.end_all_sessions(now);
    static_.clear();
}

void subscribers::put_static(flowtap::time_stamp now) {
    std::set<std::string> next;
    for (const config::static_subscriber& each : with_.static_subscribers)
        next.insert(each.accounting_session);
    for (const std::string& name : static_)
        if (!next.contains(name))
            all_.end_session({std::string(static_element), name}, now);
    static_ = std::move(next);
    for (const config::static_subscriber& each : with_.static_subscribers)
        if (const auto put = all_.put_session(session_of(each), now); !put)
            log("a static subscriber cannot be kept: {}", put.error().message());
}

bool subscribers::note(const std::string& peer, std::string detail, flowtap::time_stamp now) {
    tap::audit_record record;
    record.time = now.wall;
    record.event = tap::audit_event::authorization;
    record.peer = peer;
    record.detail = std::move(detail);
    return audit_->write(record).has_value();
}

void subscribers::on_event(const subscriber::event& what, flowtap::time_stamp now) {
    tap::audit_record record;
    record.time = now.wall;
    record.event = tap::audit_event::subscriber;
    record.principal = what.control_source;
    record.detail = describe(what);
    // What has happened has happened, whether it can be recorded or not.
    if (const auto written = audit_->write(record); !written)
        log("{}", written.error().message());
    notified_->tell(what, now);
}

} // namespace dfcd
