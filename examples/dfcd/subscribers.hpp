// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include <flowtap/config/configuration.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/subscriber/mirroring.hpp>
#include <flowtap/tap/audit.hpp>

#include "egress_pool.hpp"
#include "notifier.hpp"

namespace dfcd {

/// The subscribers of `services radius-flow-tap`: those of the configuration, and those that
/// somebody else tells of. What happens to whoever is mirrored goes to the audit log.
class subscribers final : flowtap::subscriber::event_listener {
public:
    /// Errors: those of `path::drop_policy::make`. `pool` may be null: everything leaves as the
    /// routing table says. What happens is told to `notified`, too.
    static flowtap::result<std::unique_ptr<subscribers>>
    make(const flowtap::config::radius_flow_tap_settings& with, flowtap::tap::audit_log& audit,
         egress_pool* pool, notifier& notified);

    /// For the access point.
    flowtap::tap::subscriber_service& service() noexcept { return all_; }
    /// Mirrors at `port` from now on, and begins with the subscribers of the configuration.
    void begin(flowtap::tap::mirror_port& port, flowtap::time_stamp now);

    /// Whether `apply` would do it. Errors: as `make`.
    static flowtap::result<void> check(const flowtap::config::radius_flow_tap_settings& with);
    void apply(const flowtap::config::radius_flow_tap_settings& with, flowtap::time_stamp now);
    /// Nobody is a subscriber any more.
    void end_all(flowtap::time_stamp now);

    flowtap::subscriber::mirroring& all() noexcept { return all_; }
    const flowtap::subscriber::mirroring& all() const noexcept { return all_; }
    /// Writes that RADIUS asks for something, before it is done. False if it cannot be written.
    bool note(const std::string& peer, std::string detail, flowtap::time_stamp now);

private:
    subscribers(flowtap::subscriber::mirroring_settings settings,
                const flowtap::config::radius_flow_tap_settings& with,
                flowtap::tap::audit_log& audit, egress_pool* pool, notifier& notified);
    void on_event(const flowtap::subscriber::event& what, flowtap::time_stamp now) override;
    void put_static(flowtap::time_stamp now);

    flowtap::tap::audit_log* audit_;
    egress_pool* pool_;
    notifier* notified_;
    flowtap::config::radius_flow_tap_settings with_;
    flowtap::subscriber::mirroring all_;
    /// Names of static subscribers that are there, as their identities have them.
    std::set<std::string> static_;
};

} // namespace dfcd
