// SPDX-License-Identifier: Apache-2.0
//
// What cannot stand beside flow-tap, and what is worth a warning there (juniper.md, section 3:
// restrictions of flow-tap as Junos documents them).
#include <array>

#include "model.hpp"

namespace flowtap::config {

namespace {

/// What is said about statements of some rows when flow-tap is configured.
struct neighbour_rule {
    std::string_view path;
    severity level;
    std::string_view message;
};

constexpr std::string_view no_syslog =
    "a firewall filter with \"then syslog\" cannot stand beside services flow-tap";
constexpr std::string_view mirroring = "port mirroring might not work beside services flow-tap";
constexpr std::string_view loops =
    "tapping over an IPsec tunnel of this system can loop: check where the copies go";

constexpr std::array neighbour_rules = {
    neighbour_rule{"services dynamic-flow-capture", severity::error,
                   "dynamic-flow-capture and flow-tap exclude each other"},
    neighbour_rule{"firewall filter * term * then syslog", severity::error, no_syslog},
    neighbour_rule{"firewall family inet filter * term * then syslog", severity::error, no_syslog},
    neighbour_rule{"firewall family inet6 filter * term * then syslog", severity::error, no_syslog},
    neighbour_rule{"firewall filter * term * then port-mirror", severity::warning, mirroring},
    neighbour_rule{"firewall family inet filter * term * then port-mirror", severity::warning,
                   mirroring},
    neighbour_rule{"firewall family inet6 filter * term * then port-mirror", severity::warning,
                   mirroring},
    neighbour_rule{"forwarding-options port-mirroring", severity::warning, mirroring},
    neighbour_rule{"services ipsec-vpn", severity::warning, loops},
    neighbour_rule{"security ipsec", severity::warning, loops},
};

constexpr std::string_view sampling =
    "on some hardware sampling of IPv6 and flow-tap with family inet6 exclude each other";

/// The same when flow-tap has family inet6.
constexpr std::array inet6_rules = {
    neighbour_rule{"forwarding-options sampling family inet6", severity::warning, sampling},
    neighbour_rule{"forwarding-options sampling instance * family inet6", severity::warning,
                   sampling},
    neighbour_rule{"interfaces * unit * family inet6 sampling", severity::warning, sampling},
};

template <class Rules>
void apply_rules(const Rules& rules, const node& checked, reporter& report) {
    for (const node& child : checked.children) {
        for (const neighbour_rule& rule : rules)
            if (child.row->path == rule.path) {
                if (rule.level == severity::error)
                    report.error(child.where, std::string(rule.message));
                else
                    report.warn(child.where, std::string(rule.message));
            }
        apply_rules(rules, child, report);
    }
}

/// Interfaces that stand for IPsec tunnels: st0 and its units.
void warn_of_tunnels(const node& top, reporter& report) {
    const node* interfaces = top.find("interfaces");
    if (interfaces == nullptr)
        return;
    for (const node& child : interfaces->children) {
        const std::string& name = child.key().text;
        const bool numbered = name.find_first_not_of("0123456789", 2) == std::string::npos;
        if (name.starts_with("st") && name.size() > 2 && numbered)
            report.warn(child.where, std::string(loops));
    }
}

} // namespace

void check_surroundings(const node& top, const configuration& settings, reporter& report) {
    if (!settings.flow_tap)
        return;
    apply_rules(neighbour_rules, top, report);
    if (settings.flow_tap->families.contains(family::inet6))
        apply_rules(inet6_rules, top, report);
    warn_of_tunnels(top, report);
}

} // namespace flowtap::config
