// SPDX-License-Identifier: Apache-2.0
#include "capture_settings.hpp"

#include <algorithm>
#include <cerrno>
#include <span>
#include <system_error>

#include <netinet/in.h>
#include <sys/socket.h>

#include <flowtap/core/descriptor.hpp>

#include "error.hpp"

namespace dfcd {

namespace config = flowtap::config;
namespace tap = flowtap::tap;
using flowtap::ip_address;

namespace {

tap::control_source_settings source_settings(const config::capture_control_source& configured,
                                             const std::string& group) {
    tap::control_source_settings made;
    made.key = configured.shared_key;
    made.udp = tap::udp_access{{configured.service_port}, {}};
    for (const ip_address& address : configured.source_addresses)
        made.udp->source_addresses.push_back(
            {address, static_cast<std::uint8_t>(address.size() * 8)});
    made.notification_targets = configured.notification_targets;
    made.capture_group = group;
    made.content_destinations = configured.allowed_destinations;
    made.minimum_priority = configured.minimum_priority;
    return made;
}

std::optional<tap::bandwidth_limit>
limit_settings(const std::optional<config::bandwidth_limit>& set) {
    if (!set)
        return {};
    return tap::bandwidth_limit{set->limit, set->low};
}

/// The units whose packets a group captures.
std::vector<const config::logical_interface*> units_of(const config::capture_group& group,
                                                       const config::configuration& with) {
    std::vector<const config::logical_interface*> units;
    for (const std::string& name : group.interfaces)
        units.push_back(with.find_unit(name));
    if (group.interfaces.empty())
        for (const config::physical_interface& interface : with.interfaces)
            for (const config::logical_interface& unit : interface.units)
                units.push_back(&unit);
    return units;
}

/// The first IPv4 address of the group's interfaces, in the order in which the group names them.
std::optional<ip_address> configured_address(const config::capture_group& group,
                                             const config::configuration& with) {
    if (group.interfaces.empty())
        return {};
    for (const config::logical_interface* unit : units_of(group, with))
        for (const flowtap::ip_prefix& own : unit->addresses)
            if (own.address.ip_family() == flowtap::family::inet)
                return own.address;
    return {};
}

/// IPv4, and IPv6 if a unit of a capture group has it.
flowtap::family_set captured_families(const config::configuration& with) {
    flowtap::family_set families = flowtap::family::inet;
    for (const config::capture_group& group : with.dynamic_flow_capture->groups)
        for (const config::logical_interface* unit : units_of(group, with))
            if (unit->families.contains(flowtap::family::inet6))
                families.insert(flowtap::family::inet6);
    return families;
}

} // namespace

flowtap::result<ip_address> address_towards(const ip_address& destination) {
    const auto failure = [] {
        return flowtap::fail(std::error_code(errno, std::generic_category()));
    };
    const flowtap::descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket)
        return failure();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(9); // any: nothing is sent
    address.sin_addr.s_addr = htonl(static_cast<std::uint32_t>(destination.bits().low));
    socklen_t length = sizeof address;
    // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): as the system's interface is
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
    if (::connect(socket.number(), generic, length) != 0 ||
        ::getsockname(socket.number(), generic, &length) != 0)
        return failure();
    return ip_address::v4(ntohl(address.sin_addr.s_addr));
}

flowtap::result<void>
read_capture(const config::configuration& with, tap::settings& made,
             const std::function<flowtap::result<ip_address>(const ip_address&)>& towards) {
    made.service = flowtap::dtcp::service_kind::dynamic_flow_capture;
    made.families = captured_families(with);
    made.criteria_limit = capture_criteria;
    for (const config::capture_group& group : with.dynamic_flow_capture->groups) {
        tap::capture_group_settings& settings = made.capture_groups[group.name];
        settings.interfaces = group.interfaces;
        settings.max_duplicates = group.max_duplicates;
        settings.duplicates_dropped_period = group.duplicates_dropped_periodicity;
        settings.input_packet_rate = group.input_packet_rate_threshold;
        settings.memory_threshold = group.memory_threshold;
        const auto own = configured_address(group, with);
        for (const config::content_destination& destination : group.content_destinations) {
            const auto from =
                own ? flowtap::result<ip_address>(*own) : towards(destination.address);
            if (!from)
                return flowtap::fail(errc::no_source_address, group.name);
            settings.content_destinations[destination.name] = {
                destination.address, *from, destination.ttl, limit_settings(destination.soft),
                limit_settings(destination.hard)};
        }
        for (const config::capture_control_source& source : group.control_sources)
            made.sources.emplace(source.name, source_settings(source, group.name));
    }
    for (auto& [name, source] : made.sources)
        source.criteria_limit = capture_criteria / made.sources.size();
    return {};
}

} // namespace dfcd
