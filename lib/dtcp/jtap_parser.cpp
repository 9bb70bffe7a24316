// SPDX-License-Identifier: Apache-2.0
#include "add_parser.hpp"
#include "filter_parser.hpp"
#include "text.hpp"

namespace flowtap::dtcp {

namespace {

constexpr std::size_t most_destinations = 2;
constexpr std::size_t most_interfaces = 8;

result<ip_address> read_jtap_address(const header_line& line) {
    return read_address(line, errc::invalid_jtap_parameter);
}

result<std::uint64_t> read_jtap_port(const header_line& line) {
    return read_number(line, 65535, errc::invalid_jtap_parameter);
}

/// No datagram can be sent to port 0.
result<std::uint64_t> read_destination_port(const header_line& line) {
    auto port = read_jtap_port(line);
    if (port && *port == 0)
        return fail_at(errc::invalid_jtap_parameter, line);
    return port;
}

result<void> read_addresses(const header_line& line, std::vector<endpoint>& destinations) {
    return for_each_piece(line, [&](const header_line& piece) -> result<void> {
        const auto address = read_jtap_address(piece);
        if (!address)
            return fail(address.error());
        destinations.push_back({*address, 0});
        return {};
    });
}

/// One port for each destination.
result<void> read_ports(const header_line& line, std::vector<endpoint>& destinations) {
    std::size_t count = 0;
    const auto read = for_each_piece(line, [&](const header_line& piece) -> result<void> {
        const auto port = read_destination_port(piece);
        if (!port)
            return fail(port.error());
        if (count < destinations.size())
            destinations[count].port = static_cast<std::uint16_t>(*port);
        ++count;
        return {};
    });
    if (read && count != destinations.size())
        return fail_at(errc::counts_differ, line);
    return read;
}

result<std::vector<endpoint>> read_destinations(const field_table& fields,
                                                const std::vector<std::string>& cdest_ids) {
    const header_line* const address_line = fields.find(parameter::x_jtap_cdest_dest_address);
    if (address_line == nullptr)
        return fail_missing(errc::missing_jtap_parameter, parameter::x_jtap_cdest_dest_address);
    const header_line* const port_line = fields.find(parameter::x_jtap_cdest_dest_port);
    if (port_line == nullptr)
        return fail_missing(errc::missing_jtap_parameter, parameter::x_jtap_cdest_dest_port);

    std::vector<endpoint> destinations;
    if (const auto read = read_addresses(*address_line, destinations); !read)
        return fail(read.error());
    if (destinations.size() > most_destinations)
        return fail_at(errc::too_many_destinations, *address_line);
    if (const auto read = read_ports(*port_line, destinations); !read)
        return fail(read.error());
    if (!cdest_ids.empty() && cdest_ids.size() != destinations.size())
        return fail_at(errc::counts_differ, *fields.find(parameter::cdest_id));
    return destinations;
}

bool is_subscriber_add(const field_table& fields) {
    return fields.find(parameter::x_md_intercept_id) != nullptr;
}

/// The outer source: required, but in a subscriber ADD, where the configuration can supply it.
result<void> read_source(const field_table& fields, jtap_parameters& jtap) {
    const header_line* const address_line = fields.find(parameter::x_jtap_cdest_source_address);
    const header_line* const port_line = fields.find(parameter::x_jtap_cdest_source_port);
    if (address_line == nullptr && !is_subscriber_add(fields))
        return fail_missing(errc::missing_jtap_parameter, parameter::x_jtap_cdest_source_address);
    if (port_line == nullptr && !is_subscriber_add(fields))
        return fail_missing(errc::missing_jtap_parameter, parameter::x_jtap_cdest_source_port);

    if (address_line != nullptr) {
        const auto address = read_jtap_address(*address_line);
        if (!address)
            return fail(address.error());
        jtap.source_address = *address;
        for (const endpoint& destination : jtap.destinations)
            if (destination.address.ip_family() != address->ip_family())
                return fail_at(errc::mixed_families, *address_line);
    }
    if (port_line != nullptr) {
        const auto port = read_jtap_port(*port_line);
        if (!port)
            return fail(port.error());
        jtap.source_port = static_cast<std::uint16_t>(*port);
    }
    return {};
}

result<std::vector<std::string>> read_interfaces(const header_line* line) {
    if (line == nullptr)
        return std::vector<std::string>();
    auto names = read_tokens(*line, errc::invalid_jtap_parameter);
    if (!names)
        return names;
    if (names->size() > most_interfaces)
        return fail_at(errc::invalid_jtap_parameter, *line);
    for (std::string& name : *names)
        if (name.find('.') == std::string::npos)
            name += ".0";
    return names;
}

result<void> read_scope(const field_table& fields, jtap_parameters& jtap) {
    auto inputs = read_interfaces(fields.find(parameter::x_jtap_input_interface));
    if (!inputs)
        return fail(inputs.error());
    auto outputs = read_interfaces(fields.find(parameter::x_jtap_output_interface));
    if (!outputs)
        return fail(outputs.error());
    jtap.input_interfaces = std::move(*inputs);
    jtap.output_interfaces = std::move(*outputs);
    if (const header_line* const line = fields.find(parameter::x_jtap_vrf_name)) {
        auto name = read_token(*line, errc::invalid_jtap_parameter);
        if (!name)
            return fail(name.error());
        jtap.vrf = std::move(*name);
    }

    const header_line* last_scope = nullptr;
    for (const parameter scope : {parameter::x_jtap_input_interface,
                                  parameter::x_jtap_output_interface, parameter::x_jtap_vrf_name}) {
        const header_line* const line = fields.find(scope);
        if (line != nullptr && last_scope != nullptr)
            return fail_at(errc::several_scopes, *line);
        last_scope = line != nullptr ? line : last_scope;
    }
    return {};
}

result<void> read_families(const field_table& fields, version spoken, jtap_parameters& jtap) {
    const auto version_of_packets = read_ip_version(fields);
    if (!version_of_packets)
        return fail(version_of_packets.error());
    jtap.ip_version = *version_of_packets;

    const header_line* const line = fields.find(parameter::x_jtap_filter_family);
    if (line == nullptr)
        return {};
    if (spoken < version_0_8)
        return fail_at(errc::misplaced_parameter, *line);
    if (!equal_ignoring_case(line->value, "ccc"))
        return fail_at(errc::invalid_jtap_parameter, *line);
    jtap.filter_family = family::ccc;
    return {};
}

} // namespace

result<void> read_jtap(const field_table& fields, add_request& add) {
    jtap_parameters& jtap = add.jtap;
    auto destinations = read_destinations(fields, add.cdest_ids);
    if (!destinations)
        return fail(destinations.error());
    jtap.destinations = std::move(*destinations);
    if (const auto done = read_source(fields, jtap); !done)
        return fail(done.error());
    if (const header_line* const line = fields.find(parameter::x_jtap_cdest_ttl)) {
        const auto ttl = read_number(*line, 255, errc::invalid_jtap_parameter);
        if (!ttl)
            return fail(ttl.error());
        jtap.ttl = static_cast<std::uint8_t>(*ttl);
    }
    if (const auto done = read_scope(fields, jtap); !done)
        return fail(done.error());
    return read_families(fields, add.header.spoken, jtap);
}

} // namespace flowtap::dtcp
