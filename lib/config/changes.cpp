// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include <flowtap/config/changes.hpp>
#include <flowtap/permission/decide.hpp>

namespace flowtap::config {

namespace {

using names = std::set<std::string>;

std::vector<std::string> listed(const names& set) {
    return {set.begin(), set.end()};
}

bool may_tap(const configuration& settings, const std::string& user) {
    return permission::allowed(settings.logins.permissions_of(user), permission::operation::use,
                               permission::target::flow_tap_service);
}

/// Whether a session of the user rests on the same things before and after.
bool same_login(const configuration& old, const configuration& next, const permission::user& user) {
    const permission::user* after = next.logins.find_user(user.name);
    return after != nullptr && after->password_hash == user.password_hash &&
           after->keys == user.keys &&
           old.logins.permissions_of(user.name) == next.logins.permissions_of(user.name);
}

void compare_logins(const configuration& old, const configuration& next, changes& found) {
    names changed;
    names ended;
    for (const permission::user& user : old.logins.users()) {
        if (!same_login(old, next, user))
            changed.insert(user.name);
        if (may_tap(old, user.name) && !may_tap(next, user.name))
            ended.insert(user.name);
    }
    found.logins_changed = listed(changed);
    found.tapping_ended = listed(ended);
}

void compare_sources(const flow_tap_settings& old, const flow_tap_settings& next, changes& found) {
    names known;
    for (const auto* settings : {&old, &next})
        for (const control_source& source : settings->control_sources)
            known.insert(source.name);
    names changed;
    names udp;
    for (const std::string& name : known) {
        if (old.settings_of(name) != next.settings_of(name))
            changed.insert(name);
        if (old.settings_of(name).udp && !next.settings_of(name).udp)
            udp.insert(name);
    }
    if (old.default_source != next.default_source)
        changed.insert("default");
    found.control_sources_changed = listed(changed);
    found.udp_ended = listed(udp);
    found.filter_limit_changed = old.filter_limit != next.filter_limit;
    found.udp_listen_changed = old.udp_listen != next.udp_listen;
}

void compare_flow_tap(const configuration& old, const configuration& next, changes& found) {
    found.service_started = !old.flow_tap && next.flow_tap;
    if (old.flow_tap)
        found.service_restarted =
            !next.flow_tap || old.flow_tap->mode != next.flow_tap->mode ||
            old.flow_tap->service_interface != next.flow_tap->service_interface ||
            old.flow_tap->families != next.flow_tap->families;
    if (old.flow_tap && next.flow_tap)
        compare_sources(*old.flow_tap, *next.flow_tap, found);
    found.ssh_limits_changed = old.flow_tap_dtcp != next.flow_tap_dtcp;
}

names units_of(const configuration& settings) {
    names units;
    for (const physical_interface& interface : settings.interfaces)
        for (const logical_interface& unit : interface.units)
            units.insert(unit.name);
    return units;
}

names instances_of(const configuration& settings) {
    names instances;
    for (const routing_instance& instance : settings.routing_instances)
        instances.insert(instance.name);
    return instances;
}

std::vector<std::string> missing(const names& before, const names& after) {
    std::vector<std::string> gone;
    std::set_difference(before.begin(), before.end(), after.begin(), after.end(),
                        std::back_inserter(gone));
    return gone;
}

} // namespace

changes apply(const configuration& old, const configuration& next) {
    changes found;
    compare_logins(old, next, found);
    compare_flow_tap(old, next, found);
    found.interfaces_removed = missing(units_of(old), units_of(next));
    found.instances_removed = missing(instances_of(old), instances_of(next));
    found.interfaces_changed = old.interfaces != next.interfaces;
    found.instances_changed = old.routing_instances != next.routing_instances;
    found.forwarding_classes_changed = old.forwarding_classes != next.forwarding_classes;
    found.authentication_changed = old.radius_servers != next.radius_servers ||
                                   old.authentication_order != next.authentication_order;
    return found;
}

} // namespace flowtap::config
