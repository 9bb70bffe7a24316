// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <flowtap/permission/api.hpp>
#include <flowtap/permission/principal.hpp>

namespace flowtap::permission {

/// What somebody wants to do.
enum class operation : std::uint8_t {
    log_in,      ///< be let in at all
    use,         ///< open a service or the command line
    view,        ///< see it
    view_secret, ///< see the secrets in it
    change,      ///< add, replace or take away
};
inline constexpr std::size_t operation_count = 5;

/// What it is done to. Every statement of the configuration belongs to one of these.
enum class target : std::uint8_t {
    access_point,       ///< the access point as a whole (log_in)
    command_line,       ///< the operator's commands (use)
    flow_tap_service,   ///< subsystem `flow-tap-dtcp`: tapping flows (use)
    own_criteria,       ///< the principal's own criteria (view: LIST; change: ADD, DELETE, REFRESH)
    criteria_of_others, ///< another control source's criteria
    flow_tap_status,    ///< `show flow-tap status`, statistics, counters
    flow_tap_configuration, ///< services flow-tap, radius-flow-tap, dynamic-flow-capture,
                            ///< flow-tap-dtcp
    /// Which users and classes have a flow-tap permission; keys and passwords of such users.
    flow_tap_logins,
    login_configuration,     ///< system login, but for `flow_tap_logins`
    system_configuration,    ///< the rest of system
    access_configuration,    ///< RADIUS servers, the order of authentication
    interface_configuration, ///< interfaces, class-of-service, forwarding-options
    routing_configuration,   ///< routing-instances
    firewall_configuration,  ///< firewall
    security_configuration,  ///< IPsec
    other_configuration,     ///< hierarchies this program has no business with
};
inline constexpr std::size_t target_count = 16;

/// Decides what a principal may see and do: the one function that does. Nothing else in this
/// project looks at permission words.
///
/// What no rule permits is refused. The rules are one table (`rules()`), explained in
/// lib/permission/README.md. Pure and thread-safe; constant time.
FLOWTAP_PERMISSION_API bool allowed(const principal& who, operation what, target where) noexcept;

/// The same for permissions without a name.
FLOWTAP_PERMISSION_API bool allowed(const permission_set& permissions, operation what,
                                    target where) noexcept;

/// Whether these permissions hold one of the three flow-tap permissions, however they got it.
FLOWTAP_PERMISSION_API bool has_flow_tap_permission(const permission_set& permissions) noexcept;

/// One line of the table: the operation is allowed when a permission of `any_of` is held and, where
/// `and_any_of` is not empty, one of those too.
struct rule {
    operation what;
    target where;
    bit_mask any_of;
    bit_mask and_any_of;
};

/// The table, for documentation and tests. One rule at most for an operation and a target.
FLOWTAP_PERMISSION_API std::span<const rule> rules() noexcept;

FLOWTAP_PERMISSION_API std::string_view to_string(operation what) noexcept;
FLOWTAP_PERMISSION_API std::string_view to_string(target where) noexcept;

} // namespace flowtap::permission
