// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include <flowtap/permission/decide.hpp>

namespace flowtap::permission {

namespace {

using enum bit;

constexpr bit_mask any_flow_tap{flow_tap, flow_tap_control, flow_tap_operation};
constexpr bit_mask sees_flow_tap{flow_tap, flow_tap_control};

/// `flow-tap-operation` opens no command.
constexpr bit_mask opens_commands{access,
                                  access_control,
                                  admin,
                                  admin_control,
                                  bit::all,
                                  clear,
                                  configure,
                                  control,
                                  field,
                                  firewall,
                                  firewall_control,
                                  flow_tap,
                                  flow_tap_control,
                                  bit::interface,
                                  interface_control,
                                  maintenance,
                                  network,
                                  reset,
                                  rollback,
                                  routing,
                                  routing_control,
                                  secret,
                                  secret_control,
                                  security,
                                  security_control,
                                  shell,
                                  snmp,
                                  snmp_control,
                                  storage,
                                  storage_control,
                                  bit::system,
                                  system_control,
                                  trace,
                                  trace_control,
                                  view,
                                  view_configuration};

/// Who may see statements of a part of the configuration that has a permission of its own.
constexpr bit_mask sees(bit part, bit part_control) noexcept {
    return {part, part_control, view_configuration};
}

/// The table that lib/permission/README.md explains. What does not stand here is refused: above all
/// there is no line for `criteria_of_others`.
constexpr std::array table = {
    rule{operation::log_in, target::access_point, any_flow_tap, {}},
    rule{operation::use, target::command_line, opens_commands, {}},
    rule{operation::use, target::flow_tap_service, {flow_tap_operation}, {}},

    rule{operation::view, target::own_criteria, {flow_tap_operation}, {}},
    rule{operation::change, target::own_criteria, {flow_tap_operation}, {}},

    rule{operation::view, target::flow_tap_status, sees_flow_tap, {}},
    rule{operation::view, target::flow_tap_configuration, sees_flow_tap, {}},
    rule{operation::view_secret, target::flow_tap_configuration, {flow_tap_control}, {}},
    rule{operation::change, target::flow_tap_configuration, {flow_tap_control}, {}},

    rule{operation::view, target::flow_tap_logins, sees(admin, admin_control), {}},
    rule{operation::view_secret, target::flow_tap_logins, {admin_control}, {flow_tap_control}},
    rule{operation::change, target::flow_tap_logins, {admin_control}, {flow_tap_control}},

    rule{operation::view, target::login_configuration, sees(admin, admin_control), {}},
    rule{operation::view_secret, target::login_configuration, {admin_control}, {}},
    rule{operation::change, target::login_configuration, {admin_control}, {}},

    rule{operation::view, target::system_configuration, sees(bit::system, system_control), {}},
    rule{operation::view_secret, target::system_configuration, {system_control}, {}},
    rule{operation::change, target::system_configuration, {system_control}, {}},

    // Whoever chooses the RADIUS server chooses who gets flow-tap-operation.
    rule{operation::view, target::access_configuration, sees(bit::system, system_control), {}},
    rule{
        operation::view_secret, target::access_configuration, {system_control}, {flow_tap_control}},
    rule{operation::change, target::access_configuration, {system_control}, {flow_tap_control}},

    rule{operation::view,
         target::interface_configuration,
         sees(bit::interface, interface_control),
         {}},
    rule{operation::view_secret, target::interface_configuration, {interface_control}, {}},
    rule{operation::change, target::interface_configuration, {interface_control}, {}},

    rule{operation::view, target::routing_configuration, sees(routing, routing_control), {}},
    rule{operation::view_secret, target::routing_configuration, {routing_control}, {}},
    rule{operation::change, target::routing_configuration, {routing_control}, {}},

    rule{operation::view, target::firewall_configuration, sees(firewall, firewall_control), {}},
    rule{operation::view_secret, target::firewall_configuration, {firewall_control}, {}},
    rule{operation::change, target::firewall_configuration, {firewall_control}, {}},

    rule{operation::view, target::security_configuration, sees(security, security_control), {}},
    rule{operation::view_secret, target::security_configuration, {security_control}, {}},
    rule{operation::change, target::security_configuration, {security_control}, {}},

    rule{operation::view, target::other_configuration, {view_configuration, control}, {}},
    rule{operation::view_secret, target::other_configuration, {control}, {}},
    rule{operation::change, target::other_configuration, {control}, {}},
};

constexpr std::size_t cell(operation what, target where) noexcept {
    return static_cast<std::size_t>(what) * target_count + static_cast<std::size_t>(where);
}

struct decision_cell {
    bit_mask any_of;
    bit_mask and_any_of;
};

/// The table spread out, so that a decision is one look-up. A cell without a rule has no
/// permissions and refuses everybody.
constexpr auto cells = [] {
    std::array<decision_cell, operation_count * target_count> spread{};
    for (const rule& line : table)
        spread[cell(line.what, line.where)] = {line.any_of, line.and_any_of};
    return spread;
}();

constexpr std::array<std::string_view, operation_count> operation_names = {
    "log in", "use", "view", "view secrets", "change"};

constexpr std::array<std::string_view, target_count> target_names = {
    "access point",           "command line",           "flow-tap service",
    "own criteria",           "criteria of others",     "flow-tap status",
    "flow-tap configuration", "flow-tap logins",        "login configuration",
    "system configuration",   "access configuration",   "interface configuration",
    "routing configuration",  "firewall configuration", "security configuration",
    "other configuration",
};
static_assert(!target_names.back().empty());

} // namespace

bool allowed(const permission_set& permissions, operation what, target where) noexcept {
    const decision_cell& needed = cells[cell(what, where)];
    const bit_mask held = permissions.granted();
    return held.intersects(needed.any_of) &&
           (needed.and_any_of.empty() || held.intersects(needed.and_any_of));
}

bool allowed(const principal& who, operation what, target where) noexcept {
    return allowed(who.permissions, what, where);
}

bool has_flow_tap_permission(const permission_set& permissions) noexcept {
    return permissions.granted().intersects(any_flow_tap);
}

std::span<const rule> rules() noexcept {
    return table;
}

std::string_view to_string(operation what) noexcept {
    return operation_names[static_cast<std::size_t>(what)];
}

std::string_view to_string(target where) noexcept {
    return target_names[static_cast<std::size_t>(where)];
}

} // namespace flowtap::permission
