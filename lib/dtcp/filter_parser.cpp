// SPDX-License-Identifier: Apache-2.0
#include "filter_parser.hpp"

#include <algorithm>

#include "text.hpp"

namespace flowtap::dtcp {

namespace {

constexpr std::uint8_t protocol_icmp = 1;
constexpr std::uint8_t protocol_tcp = 6;
constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint8_t protocol_icmpv6 = 58;

/// A list of addresses as it was written, before the family of its wildcards is known.
struct written_addresses {
    const header_line* line = nullptr;
    std::vector<address_entry> entries;
};

result<written_addresses> read_written(const header_line* line) {
    if (line == nullptr)
        return written_addresses{};
    const plain_value value(line->value);
    auto entries = parse_address_entries(value.text());
    if (!entries)
        return fail_at(errc::invalid_filter_entry, *line, value.original_offset(entries.error()));
    for (address_entry& entry : *entries) {
        entry.first.offset = value.original_offset(entry.first.offset);
        if (entry.last)
            entry.last->offset = value.original_offset(entry.last->offset);
    }
    return written_addresses{line, std::move(*entries)};
}

/// Lets an address set the family of the request, or finds that it is another one.
bool agrees(const std::optional<ip_address>& address, std::optional<family>& agreed) {
    if (!address)
        return true;
    if (!agreed)
        agreed = address->ip_family();
    return *agreed == address->ip_family();
}

result<void> agree_on_family(const written_addresses& written, std::optional<family>& agreed) {
    for (const address_entry& entry : written.entries) {
        if (!agrees(entry.first.value, agreed))
            return fail_at(errc::mixed_families, *written.line, entry.first.offset);
        if (entry.last && !agrees(entry.last->value, agreed))
            return fail_at(errc::mixed_families, *written.line, entry.last->offset);
    }
    return {};
}

bool is_plain_wildcard(const address_entry& entry) {
    return !entry.negated && !entry.first.value && !entry.last;
}

/// One written entry as a range, its wildcards ending where the family's addresses end.
range_entry<address_bits> range_of(const address_entry& entry, family of) {
    range_entry<address_bits> range;
    range.negated = entry.negated;
    if (entry.length) {
        const ip_prefix prefix{*entry.first.value, static_cast<std::uint8_t>(*entry.length)};
        range.first = prefix.first().bits();
        range.last = prefix.last().bits();
        return range;
    }
    const auto bits_or = [](const std::optional<ip_address>& address, address_bits otherwise) {
        return address ? address->bits() : otherwise;
    };
    range.first = bits_or(entry.first.value, address_bits{});
    if (entry.last)
        range.last = bits_or(entry.last->value, highest_address(of));
    else
        range.last = bits_or(entry.first.value, highest_address(of));
    return range;
}

result<range_list<address_bits>> ranges_of(const written_addresses& written, family of) {
    range_list<address_bits> list;
    if (std::all_of(written.entries.begin(), written.entries.end(), is_plain_wildcard))
        return list;
    const std::uint64_t width = of == family::inet ? 32 : 128;
    list.entries.reserve(written.entries.size());
    for (const address_entry& entry : written.entries) {
        if (entry.length.value_or(0) > width)
            return fail_at(errc::filter_value_out_of_range, *written.line, entry.first.offset);
        const auto range = range_of(entry, of);
        if (range.last < range.first)
            return fail_at(errc::reversed_range, *written.line, entry.first.offset);
        list.entries.push_back(range);
    }
    return list;
}

result<void> read_addresses(const field_table& fields, filter_fields& filter) {
    const auto sources = read_written(fields.find(parameter::source_address));
    if (!sources)
        return fail(sources.error());
    const auto destinations = read_written(fields.find(parameter::dest_address));
    if (!destinations)
        return fail(destinations.error());

    const auto version = read_ip_version(fields);
    if (!version)
        return fail(version.error());
    filter.address_family = *version;
    for (const written_addresses* written : {&*sources, &*destinations})
        if (const auto agreed = agree_on_family(*written, filter.address_family); !agreed)
            return fail(agreed.error());

    // A list without any address, `!*`, admits nothing; which family does not matter then.
    const family of = filter.address_family.value_or(family::inet);
    auto source_ranges = ranges_of(*sources, of);
    if (!source_ranges)
        return fail(source_ranges.error());
    auto destination_ranges = ranges_of(*destinations, of);
    if (!destination_ranges)
        return fail(destination_ranges.error());
    if (!source_ranges->is_wildcard() || !destination_ranges->is_wildcard())
        filter.address_family = of;
    filter.source_addresses = std::move(*source_ranges);
    filter.destination_addresses = std::move(*destination_ranges);
    return {};
}

template <class Number>
result<number_field<Number>> read_optional_numbers(const header_line* line) {
    if (line == nullptr)
        return number_field<Number>{};
    return read_numbers<Number>(*line);
}

/// How the two lists of ports combine in mode `pairs`, or why they cannot.
result<port_list_mode> pair_up(const number_field<std::uint16_t>& sources,
                               const number_field<std::uint16_t>& destinations,
                               const header_line* source_line,
                               const header_line* destination_line) {
    if (sources.ranges.has_negation() || destinations.ranges.has_negation())
        return port_list_mode::product;
    if (sources.entries > max_port_pairs)
        return fail_at(errc::too_many_port_pairs, *source_line);
    if (destinations.entries > max_port_pairs)
        return fail_at(errc::too_many_port_pairs, *destination_line);
    if (sources.entries < 2 || destinations.entries < 2)
        return port_list_mode::product;
    if (sources.entries != destinations.entries)
        return fail_at(errc::port_lists_differ, *destination_line);
    // A list of nothing but `*` pairs with everything.
    if (sources.ranges.is_wildcard() || destinations.ranges.is_wildcard())
        return port_list_mode::product;
    return port_list_mode::pairs;
}

result<void> read_ports(const field_table& fields, port_list_mode mode, filter_fields& filter) {
    const header_line* const source_line = fields.find(parameter::source_port);
    const header_line* const destination_line = fields.find(parameter::dest_port);
    auto sources = read_optional_numbers<std::uint16_t>(source_line);
    if (!sources)
        return fail(sources.error());
    auto destinations = read_optional_numbers<std::uint16_t>(destination_line);
    if (!destinations)
        return fail(destinations.error());
    if (mode == port_list_mode::pairs) {
        const auto combined = pair_up(*sources, *destinations, source_line, destination_line);
        if (!combined)
            return fail(combined.error());
        filter.port_lists = *combined;
    }
    filter.source_ports = std::move(sources->ranges);
    filter.destination_ports = std::move(destinations->ranges);
    return {};
}

/// Reads one field into its place.
template <class Number>
result<void> read_into(range_list<Number>& place, const header_line* line) {
    auto field = read_optional_numbers<Number>(line);
    if (!field)
        return fail(field.error());
    place = std::move(field->ranges);
    return {};
}

/// A condition on ports or ICMP that no admitted protocol can meet.
result<void> check_protocols(const field_table& fields, const filter_fields& filter) {
    const auto& protocols = filter.protocols;
    const bool has_ports = protocols.admits(protocol_tcp) || protocols.admits(protocol_udp);
    const bool has_icmp = protocols.admits(protocol_icmp) || protocols.admits(protocol_icmpv6);
    if (!filter.source_ports.is_wildcard() && !has_ports)
        return fail_at(errc::ports_without_protocol, *fields.find(parameter::source_port));
    if (!filter.destination_ports.is_wildcard() && !has_ports)
        return fail_at(errc::ports_without_protocol, *fields.find(parameter::dest_port));
    if (!filter.icmp_types.is_wildcard() && !has_icmp)
        return fail_at(errc::icmp_without_protocol, *fields.find(parameter::icmp_type));
    if (!filter.icmp_codes.is_wildcard() && !has_icmp)
        return fail_at(errc::icmp_without_protocol, *fields.find(parameter::icmp_code));
    return {};
}

} // namespace

result<std::optional<family>> read_ip_version(const field_table& fields) {
    const header_line* const line = fields.find(parameter::x_jtap_ip_version);
    if (line == nullptr)
        return std::optional<family>();
    if (equal_ignoring_case(line->value, "ipv4"))
        return std::optional(family::inet);
    if (equal_ignoring_case(line->value, "ipv6"))
        return std::optional(family::inet6);
    return fail_at(errc::invalid_jtap_parameter, *line);
}

result<void> read_filter(const field_table& fields, const parse_options& options,
                         filter_fields& filter) {
    if (const auto done = read_addresses(fields, filter); !done)
        return fail(done.error());
    if (const auto done = read_into(filter.protocols, fields.find(parameter::protocol)); !done)
        return fail(done.error());
    if (const auto done = read_ports(fields, options.port_lists, filter); !done)
        return fail(done.error());
    if (const auto done = read_into(filter.icmp_types, fields.find(parameter::icmp_type)); !done)
        return fail(done.error());
    if (const auto done = read_into(filter.icmp_codes, fields.find(parameter::icmp_code)); !done)
        return fail(done.error());
    return check_protocols(fields, filter);
}

} // namespace flowtap::dtcp
