// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
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
    found.fragments_changed = old.fragments != next.fragments;
    found.kernel_filter_changed = old.kernel_filter != next.kernel_filter;
    found.remote_login_lifetime_changed = old.remote_login_lifetime != next.remote_login_lifetime;
    found.udp_listen_changed = old.udp_listen != next.udp_listen;
}

/// A control source of dynamic flow capture with the group it belongs to.
struct placed_source {
    std::string group;
    capture_control_source settings;

    friend bool operator==(const placed_source&, const placed_source&) = default;
};

using placed_sources = std::map<std::string, placed_source>;

placed_sources sources_of(const dynamic_flow_capture_settings& settings) {
    placed_sources sources;
    for (const capture_group& group : settings.groups)
        for (const capture_control_source& source : group.control_sources)
            sources.emplace(source.name, placed_source{group.name, source});
    return sources;
}

/// The groups without their control sources.
std::map<std::string, capture_group> groups_of(const dynamic_flow_capture_settings& settings) {
    std::map<std::string, capture_group> groups;
    for (capture_group group : settings.groups) {
        group.control_sources.clear();
        groups.emplace(group.name, std::move(group));
    }
    return groups;
}

std::set<std::uint16_t> ports_of(const placed_sources& sources) {
    std::set<std::uint16_t> ports;
    for (const auto& [name, source] : sources)
        ports.insert(source.settings.service_port);
    return ports;
}

/// The keys whose values differ, or that only one of the two has.
template <class Map>
names differences(const Map& old, const Map& next) {
    names found;
    for (const auto& [name, value] : old)
        if (const auto after = next.find(name); after == next.end() || after->second != value)
            found.insert(name);
    for (const auto& [name, value] : next)
        if (!old.contains(name))
            found.insert(name);
    return found;
}

void compare_capture(const dynamic_flow_capture_settings& old,
                     const dynamic_flow_capture_settings& next, changes& found) {
    const placed_sources before = sources_of(old);
    const placed_sources after = sources_of(next);
    found.control_sources_changed = listed(differences(before, after));
    names ended;
    for (const auto& [name, source] : before)
        if (const auto now = after.find(name);
            now == after.end() || now->second.group != source.group)
            ended.insert(name);
    found.udp_ended = listed(ended);
    found.capture_groups_changed = listed(differences(groups_of(old), groups_of(next)));
    found.udp_listen_changed = ports_of(before) != ports_of(after);
}

bool has_service(const configuration& settings) {
    return settings.flow_tap || settings.dynamic_flow_capture;
}

void compare_services(const configuration& old, const configuration& next, changes& found) {
    found.service_started = !has_service(old) && has_service(next);
    if (old.dynamic_flow_capture && next.dynamic_flow_capture)
        compare_capture(*old.dynamic_flow_capture, *next.dynamic_flow_capture, found);
    else
        found.service_restarted = old.dynamic_flow_capture.has_value();
    if (old.flow_tap)
        found.service_restarted =
            !next.flow_tap || old.flow_tap->mode != next.flow_tap->mode ||
            old.flow_tap->service_interface != next.flow_tap->service_interface ||
            old.flow_tap->families != next.flow_tap->families;
    if (old.flow_tap && next.flow_tap)
        compare_sources(*old.flow_tap, *next.flow_tap, found);
    found.ssh_limits_changed =
        old.flow_tap_dtcp != next.flow_tap_dtcp || old.retries != next.retries;
}

void compare_subscribers(const radius_flow_tap_settings& old, const radius_flow_tap_settings& next,
                         changes& found) {
    found.radius_flow_tap_changed = old != next;
    found.radius_clients_changed = old.clients != next.clients || old.listen != next.listen ||
                                   old.accounting_port != next.accounting_port ||
                                   old.authorization_port != next.authorization_port;
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
    compare_services(old, next, found);
    found.interfaces_removed = missing(units_of(old), units_of(next));
    found.instances_removed = missing(instances_of(old), instances_of(next));
    found.interfaces_changed = old.interfaces != next.interfaces;
    found.instances_changed = old.routing_instances != next.routing_instances;
    found.forwarding_classes_changed = old.forwarding_classes != next.forwarding_classes;
    compare_subscribers(old.radius_flow_tap.value_or(radius_flow_tap_settings{}),
                        next.radius_flow_tap.value_or(radius_flow_tap_settings{}), found);
    found.radius_flow_tap_changed |=
        old.radius_flow_tap.has_value() != next.radius_flow_tap.has_value();
    found.authentication_changed = old.radius_servers != next.radius_servers ||
                                   old.authentication_order != next.authentication_order;
    return found;
}

} // namespace flowtap::config
