// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <string>
#include <variant>

#include <flowtap/filter/criterion.hpp>

namespace flowtap::filter {

namespace {

bool contains(const std::vector<interface_id>& interfaces, interface_id wanted) noexcept {
    return std::find(interfaces.begin(), interfaces.end(), wanted) != interfaces.end();
}

/// Where a packet has to be seen for a criterion to look at it.
bool scope_holds(const filter_scope& scope, const packet_key& key) noexcept {
    const bool enters = key.way == direction::ingress;
    if (const auto* vrf = std::get_if<vrf_scope>(&scope))
        return enters && key.vrf == vrf->vrf;
    if (const auto* input = std::get_if<input_scope>(&scope))
        return enters && contains(input->interfaces, key.interface);
    if (const auto* output = std::get_if<output_scope>(&scope))
        return !enters && contains(output->interfaces, key.interface);
    return enters;
}

template <class T>
bool admitted(const range_list<T>& list, const T& value, bool present) {
    return list.is_wildcard() || (present && list.admits(value));
}

bool some_pair_holds(const filter_spec& spec, const packet_key& key) {
    const auto& sources = spec.source_ports.entries;
    const auto& destinations = spec.destination_ports.entries;
    const std::size_t pairs = std::min(sources.size(), destinations.size());
    for (std::size_t i = 0; i < pairs; ++i) {
        if (sources[i].contains(key.source_port) && destinations[i].contains(key.destination_port))
            return true;
    }
    return false;
}

bool ports_hold(const filter_spec& spec, const packet_key& key) {
    // A list that is a wildcard, or has one entry, pairs with every entry of the other.
    const bool pairs = spec.port_lists == port_list_mode::pairs &&
                       spec.source_ports.entries.size() > 1 &&
                       spec.destination_ports.entries.size() > 1;
    if (pairs)
        return key.has_ports && some_pair_holds(spec, key);
    return admitted(spec.source_ports, key.source_port, key.has_ports) &&
           admitted(spec.destination_ports, key.destination_port, key.has_ports);
}

template <class T>
bool has_reversed_range(const range_list<T>& list) {
    return std::any_of(list.entries.begin(), list.entries.end(),
                       [](const auto& entry) { return entry.last < entry.first; });
}

/// The DTCP name of the first field with a reversed range, or null.
const char* reversed_field(const filter_spec& spec) {
    if (has_reversed_range(spec.source_addresses))
        return "Source-Address";
    if (has_reversed_range(spec.destination_addresses))
        return "Dest-Address";
    if (has_reversed_range(spec.protocols))
        return "Protocol";
    if (has_reversed_range(spec.source_ports))
        return "Source-Port";
    if (has_reversed_range(spec.destination_ports))
        return "Dest-Port";
    if (has_reversed_range(spec.icmp_types))
        return "ICMP-Type";
    if (has_reversed_range(spec.icmp_codes))
        return "ICMP-Code";
    return nullptr;
}

std::optional<errc> check_families(const filter_spec& spec) {
    if (spec.families.empty())
        return errc::no_family;
    const bool any_address =
        spec.source_addresses.is_wildcard() && spec.destination_addresses.is_wildcard();
    const bool one_family =
        spec.families == family_set(family::inet) || spec.families == family_set(family::inet6);
    if (!any_address && !one_family)
        return errc::family_conflict;
    return std::nullopt;
}

std::optional<errc> check_port_pairs(const filter_spec& spec) {
    const auto& sources = spec.source_ports;
    const auto& destinations = spec.destination_ports;
    if (sources.has_negation() || destinations.has_negation())
        return errc::port_pairs_negated;
    const std::size_t fewer = std::min(sources.entries.size(), destinations.entries.size());
    const std::size_t more = std::max(sources.entries.size(), destinations.entries.size());
    if (more > max_port_pairs)
        return errc::too_many_port_pairs;
    if (fewer > 1 && fewer != more)
        return errc::port_pairs_differ;
    return std::nullopt;
}

bool names_no_interface(const filter_scope& scope) {
    if (const auto* input = std::get_if<input_scope>(&scope))
        return input->interfaces.empty();
    if (const auto* output = std::get_if<output_scope>(&scope))
        return output->interfaces.empty();
    return false;
}

} // namespace

result<criterion> criterion::make(slot_id slot, filter_spec spec) {
    if (const auto problem = check_families(spec))
        return fail(*problem);
    if (const char* field = reversed_field(spec))
        return fail(errc::reversed_range, std::string(field));
    if (names_no_interface(spec.scope))
        return fail(errc::empty_scope);
    if (spec.port_lists == port_list_mode::pairs) {
        if (const auto problem = check_port_pairs(spec))
            return fail(*problem, std::string("Source-Port"));
        const std::size_t fewer =
            std::min(spec.source_ports.entries.size(), spec.destination_ports.entries.size());
        if (fewer <= 1)
            spec.port_lists = port_list_mode::product;
    }
    return criterion(slot, std::move(spec));
}

bool matches(const filter_spec& spec, const packet_key& key) noexcept {
    const bool is_packet = key.of_family != family::ccc;
    return spec.families.contains(key.of_family) && scope_holds(spec.scope, key) &&
           admitted(spec.source_addresses, key.source, is_packet) &&
           admitted(spec.destination_addresses, key.destination, is_packet) &&
           admitted(spec.protocols, key.protocol, is_packet) && ports_hold(spec, key) &&
           admitted(spec.icmp_types, key.icmp_type, key.has_icmp) &&
           admitted(spec.icmp_codes, key.icmp_code, key.has_icmp);
}

} // namespace flowtap::filter
