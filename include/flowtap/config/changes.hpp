// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <flowtap/config/configuration.hpp>

namespace flowtap::config {

/// What a commit changes for what is running. Everything not named here is undisturbed.
struct changes {
    /// The service (flow-tap or dynamic flow capture) is another one, its mode, interface or
    /// families changed, or it went: all criteria are deleted and all mediation devices
    /// disconnected, as Junos does.
    bool service_restarted = false;
    /// There was no service before.
    bool service_started = false;

    /// Local users who could tap before and cannot now, because they or their permission are gone:
    /// their criteria are deleted and their sessions closed. (A user whom RADIUS knows too keeps
    /// nothing either: it logs in again.)
    std::vector<std::string> tapping_ended;
    /// Users who are gone, whose permissions changed, or whose credentials changed: their sessions
    /// are closed. Holds those of `tapping_ended` too.
    std::vector<std::string> logins_changed;
    /// Control sources whose own settings changed, were added or went. `default` stands for every
    /// login without its own. Their criteria stay, as far as `udp_ended` does not name them.
    std::vector<std::string> control_sources_changed;
    /// Control sources that could use UDP before and cannot now: criteria added over UDP go. Those
    /// of dynamic flow capture that went to another capture group are among them.
    std::vector<std::string> udp_ended;
    /// Capture groups that were added or went, or whose interfaces, limits or content destinations
    /// changed.
    std::vector<std::string> capture_groups_changed;
    /// Logical interfaces and routing instances that are gone: criteria that name them match
    /// nothing any more and are deleted.
    std::vector<std::string> interfaces_removed;
    std::vector<std::string> instances_removed;

    /// The set of interfaces, their units, VLANs or devices changed: captures are set up anew.
    bool interfaces_changed = false;
    /// Which interface belongs to which routing instance changed.
    bool instances_changed = false;
    bool filter_limit_changed = false;
    /// Which fragments are copied.
    bool fragments_changed = false;
    /// Whether packets are kept in the kernel.
    bool kernel_filter_changed = false;
    /// How long criteria of logins that RADIUS alone knows stay after the last one.
    bool remote_login_lifetime_changed = false;
    /// How logins may be tried, the limits of DTCP over SSH, or whether it is served at all.
    bool ssh_limits_changed = false;
    /// The addresses or ports at which requests over UDP come in.
    bool udp_listen_changed = false;
    bool forwarding_classes_changed = false;
    /// RADIUS servers or the order of authentication.
    bool authentication_changed = false;
    /// Anything about subscribers.
    bool radius_flow_tap_changed = false;
    /// Where their RADIUS clients are listened to, and who they are.
    bool radius_clients_changed = false;

    /// Nothing changes.
    bool empty() const { return *this == changes{}; }

    friend bool operator==(const changes&, const changes&) = default;
};

/// What going from `old` to `next` means. Pure; the lists are sorted.
changes apply(const configuration& old, const configuration& next);

} // namespace flowtap::config
