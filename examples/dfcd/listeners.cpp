// SPDX-License-Identifier: Apache-2.0
#include "listeners.hpp"

#include <algorithm>
#include <set>
#include <string>

#include <sys/socket.h>

#include <flowtap/core/descriptor.hpp>

namespace dfcd {

namespace config = flowtap::config;
using flowtap::endpoint;

namespace {

/// Whether the kernel has IPv6 at all.
bool has_ipv6() {
    return static_cast<bool>(
        flowtap::descriptor(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)));
}

bool is_batch(const options& chosen) {
    return chosen.once && !chosen.criteria.empty() && chosen.listen.empty();
}

flowtap::result<std::vector<flowtap::ip_address>> listen_addresses(const options& chosen) {
    std::vector<std::string> texts = chosen.listen;
    if (texts.empty())
        texts = has_ipv6() ? std::vector<std::string>{"0.0.0.0", "::"}
                           : std::vector<std::string>{"0.0.0.0"};
    std::vector<flowtap::ip_address> addresses;
    for (const std::string& text : texts) {
        const auto address = flowtap::parse_ip_address(text);
        if (!address)
            return flowtap::fail(address.error());
        addresses.push_back(*address);
    }
    return addresses;
}

std::set<std::uint16_t> service_ports(const config::dynamic_flow_capture_settings& capture) {
    std::set<std::uint16_t> ports;
    for (const config::capture_group& group : capture.groups)
        for (const config::capture_control_source& source : group.control_sources)
            ports.insert(source.service_port);
    return ports;
}

} // namespace

bool serves_ssh(const options& chosen, const config::configuration& with) {
    return with.flow_tap && !is_batch(chosen);
}

flowtap::result<std::vector<endpoint>> ssh_endpoints(const options& chosen) {
    const auto addresses = listen_addresses(chosen);
    if (!addresses)
        return flowtap::fail(addresses.error());
    std::vector<endpoint> endpoints;
    for (const flowtap::ip_address& address : *addresses)
        endpoints.push_back({address, chosen.port});
    return endpoints;
}

flowtap::result<std::vector<endpoint>> udp_endpoints(const options& chosen,
                                                     const config::configuration& with) {
    if (is_batch(chosen))
        return std::vector<endpoint>{};
    if (with.flow_tap)
        return with.flow_tap->udp_listen;
    const auto addresses = listen_addresses(chosen);
    if (!addresses)
        return flowtap::fail(addresses.error());
    std::vector<endpoint> endpoints;
    for (const flowtap::ip_address& address : *addresses)
        for (const std::uint16_t port : service_ports(*with.dynamic_flow_capture))
            endpoints.push_back({address, port});
    return endpoints;
}

std::vector<flowtap::ip_address> notification_receivers(const options& chosen,
                                                        const config::configuration& with) {
    std::vector<flowtap::ip_address> receivers;
    if (is_batch(chosen))
        return receivers;
    const auto add = [&](const auto& source) {
        for (const endpoint& target : source.notification_targets)
            receivers.push_back(target.address);
    };
    if (with.flow_tap) {
        std::ranges::for_each(with.flow_tap->control_sources, add);
        if (with.flow_tap->default_source)
            add(*with.flow_tap->default_source);
    }
    if (with.dynamic_flow_capture)
        for (const config::capture_group& group : with.dynamic_flow_capture->groups)
            std::ranges::for_each(group.control_sources, add);
    return receivers;
}

bool keeps_sequences(const config::configuration& with) {
    const auto counts = [](const config::control_source& source) {
        return source.udp || source.sequence_check == true;
    };
    if (with.flow_tap)
        return std::ranges::any_of(with.flow_tap->control_sources, counts) ||
               (with.flow_tap->default_source && counts(*with.flow_tap->default_source));
    return true;
}

} // namespace dfcd
