// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <utility>

#include <flowtap/dtcp/request.hpp>

namespace flowtap::dtcp {

filter_spec make_filter_spec(filter_fields fields) {
    filter_spec spec;
    if (fields.address_family)
        spec.families.insert(*fields.address_family);
    spec.source_addresses = std::move(fields.source_addresses);
    spec.destination_addresses = std::move(fields.destination_addresses);
    spec.protocols = std::move(fields.protocols);
    spec.source_ports = std::move(fields.source_ports);
    spec.destination_ports = std::move(fields.destination_ports);
    spec.port_lists = fields.port_lists;
    spec.icmp_types = std::move(fields.icmp_types);
    spec.icmp_codes = std::move(fields.icmp_codes);
    return spec;
}

const request_header& header_of(const request& any) noexcept {
    return std::visit([](const auto& message) -> const request_header& { return message.header; },
                      any);
}

std::string_view method_of(const request& any) noexcept {
    constexpr std::array<std::string_view, std::variant_size_v<request>> names = {
        "ADD", "DELETE", "REFRESH", "LIST", "NOOP", "ENABLE", "DISABLE"};
    return names[any.index()];
}

} // namespace flowtap::dtcp
