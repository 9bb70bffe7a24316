// SPDX-License-Identifier: Apache-2.0
#include "bindings.hpp"

#include <algorithm>
#include <memory>

#include <ifaddrs.h>
#include <netinet/in.h>

#include "capture_settings.hpp"
#include "error.hpp"
#include "radius_servers.hpp"

namespace dfcd {

namespace config = flowtap::config;
namespace tap = flowtap::tap;

namespace {

flowtap::port_id port_of(bindings& bound, const std::string& interface) {
    const auto known = std::find(bound.ports.begin(), bound.ports.end(), interface);
    const auto index = static_cast<std::uint32_t>(known - bound.ports.begin());
    if (known == bound.ports.end())
        bound.ports.push_back(interface);
    return flowtap::port_id(index);
}

bool has_unit(std::string_view interface) {
    return interface.find('.') != std::string_view::npos;
}

bool is_configured(const config::configuration& with, const std::string& interface) {
    return has_unit(interface) ? with.find_unit(interface) != nullptr
                               : with.find_interface(interface) != nullptr;
}

std::string physical_name(const std::string& interface) {
    return interface.substr(0, interface.find('.'));
}

/// `ports` are those that requests over UDP come in at.
tap::control_source_settings source_settings(const config::control_source& configured,
                                             const std::vector<std::uint16_t>& ports) {
    tap::control_source_settings made;
    if (configured.udp && !ports.empty())
        made.udp = tap::udp_access{ports, configured.source_addresses};
    if (configured.dtcp_key)
        made.key = *configured.dtcp_key;
    if (configured.port_lists)
        made.port_lists = *configured.port_lists;
    if (configured.sequence_check)
        made.sequence_check = *configured.sequence_check;
    made.criteria_limit = configured.filter_limit;
    made.notify = configured.notify;
    made.notification_targets = configured.notification_targets;
    if (const auto version = configured.notification_version)
        made.notification_version = flowtap::dtcp::version{
            static_cast<std::uint8_t>(version->major), static_cast<std::uint8_t>(version->minor)};
    if (!configured.allowed_destinations.empty())
        made.allowed_destinations = configured.allowed_destinations;
    if (!configured.allowed_source_addresses.empty())
        made.allowed_source_addresses = configured.allowed_source_addresses;
    return made;
}

/// Port and VLAN of a unit, where its packets can be captured.
void bind_unit(tap::interface_settings& unit, const config::logical_interface& configured,
               const bindings& bound) {
    for (std::size_t port = 0; port < bound.ports.size(); ++port) {
        const std::string& name = bound.ports[port];
        // An input that names a unit stands for that unit alone, whatever tags its frames have.
        if (name == configured.name) {
            unit.port = flowtap::port_id(static_cast<std::uint32_t>(port));
            unit.vlan.reset();
            return;
        }
        const bool reachable = configured.vlan_id || configured.unit == 0;
        if (name == physical_name(configured.name) && reachable) {
            unit.port = flowtap::port_id(static_cast<std::uint32_t>(port));
            unit.vlan = configured.vlan_id;
        }
    }
}

std::string instance_of(const config::configuration& with, const std::string& unit) {
    for (const config::routing_instance& instance : with.routing_instances)
        if (std::find(instance.interfaces.begin(), instance.interfaces.end(), unit) !=
            instance.interfaces.end())
            return instance.name;
    return {};
}

/// The addresses of this machine's own interfaces.
std::vector<flowtap::ip_address> machine_addresses() {
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0)
        return {};
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
    std::vector<flowtap::ip_address> found;
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr)
            continue;
        const void* address = entry->ifa_addr;
        if (entry->ifa_addr->sa_family == AF_INET)
            found.push_back(flowtap::ip_address::from_bytes(
                std::as_bytes(std::span(&static_cast<const sockaddr_in*>(address)->sin_addr, 1))));
        else if (entry->ifa_addr->sa_family == AF_INET6)
            found.push_back(flowtap::ip_address::from_bytes(std::as_bytes(
                std::span(&static_cast<const sockaddr_in6*>(address)->sin6_addr, 1))));
    }
    return found;
}

/// A service where it listens; an unspecified address stands for every one of this machine.
void add_services(std::uint8_t protocol, const std::vector<flowtap::endpoint>& listening,
                  tap::settings& made) {
    for (const flowtap::endpoint& where : listening) {
        if (!where.address.is_unspecified())
            made.own_services.push_back({protocol, where});
        else
            for (const flowtap::ip_address& address : made.own_addresses)
                if (address.ip_family() == where.address.ip_family())
                    made.own_services.push_back({protocol, {address, where.port}});
    }
}

/// RADIUS servers: what passes between them and this machine.
void add_radius(const config::configuration& with, tap::settings& made) {
    if (!asks_radius(with))
        return;
    for (const config::radius_server& server : with.radius_servers) {
        const flowtap::endpoint where{server.address, server.port};
        const auto add = [&](const flowtap::ip_address& own) {
            if (own.ip_family() == server.address.ip_family())
                made.own_services.push_back({IPPROTO_UDP, where, own});
        };
        if (server.source_address)
            add(*server.source_address);
        else
            std::ranges::for_each(made.own_addresses, add);
    }
}

void read_flow_tap(const config::flow_tap_settings& service, tap::settings& made) {
    std::vector<std::uint16_t> ports;
    for (const flowtap::endpoint& where : service.udp_listen)
        ports.push_back(where.port);
    made.families = service.families;
    made.criteria_limit = service.filter_limit;
    made.remote_login_lifetime = service.remote_login_lifetime;
    made.fragments = service.fragments == config::copied_fragments::all
                         ? flowtap::path::fragment_policy::all
                         : flowtap::path::fragment_policy::first;
    if (service.default_source)
        made.default_source = source_settings(*service.default_source, ports);
    for (const config::control_source& source : service.control_sources)
        made.sources.emplace(source.name, source_settings(source, ports));
}

void add_interfaces(const config::configuration& with, const bindings& bound, tap::settings& made) {
    for (const config::physical_interface& interface : with.interfaces) {
        for (const config::logical_interface& unit : interface.units) {
            tap::interface_settings known{unit.name, instance_of(with, unit.name), {}, {}};
            bind_unit(known, unit, bound);
            made.interfaces.push_back(std::move(known));
            for (const flowtap::ip_prefix& own : unit.addresses)
                made.own_addresses.push_back(own.address);
        }
    }
}

} // namespace

flowtap::result<bindings> bind_inputs(const options& chosen, const config::configuration& with) {
    bindings bound;
    for (const input& asked : chosen.inputs) {
        if (!is_configured(with, asked.interface))
            return flowtap::fail(errc::interface_not_configured, asked.interface);
        bound.inputs.push_back({asked, port_of(bound, asked.interface)});
    }
    for (const config::physical_interface& interface : with.interfaces) {
        const bool named =
            std::any_of(chosen.inputs.begin(), chosen.inputs.end(), [&](const input& asked) {
                return physical_name(asked.interface) == interface.name;
            });
        if (named || interface.capture_device.empty())
            continue;
        bound.inputs.push_back({{input::kind::device, interface.name, flowtap::direction::ingress,
                                 interface.capture_device},
                                port_of(bound, interface.name)});
    }
    return bound;
}

flowtap::result<tap::settings> tap_settings(const config::configuration& with,
                                            const bindings& bound, const meeting_points& own) {
    tap::settings made;
    if (with.flow_tap)
        read_flow_tap(*with.flow_tap, made);
    else if (const auto read = read_capture(with, made); !read)
        return flowtap::fail(read.error());
    made.own_addresses = machine_addresses();
    add_services(IPPROTO_TCP, own.ssh, made);
    add_services(IPPROTO_TCP, own.metrics, made);
    add_services(IPPROTO_UDP, own.udp, made);
    add_services(IPPROTO_UDP, own.radius, made);
    add_services(IPPROTO_UDP, own.snmp, made);
    add_radius(with, made);
    for (const flowtap::permission::user& known : with.logins.users())
        made.local_logins.insert(known.name);
    add_interfaces(with, bound, made);
    for (const config::routing_instance& instance : with.routing_instances)
        made.routing_instances.push_back(instance.name);
    return made;
}

} // namespace dfcd
