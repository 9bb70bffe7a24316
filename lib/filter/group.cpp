// SPDX-License-Identifier: Apache-2.0
#include "group.hpp"

#include <algorithm>
#include <tuple>
#include <variant>

#include "admitted_ranges.hpp"

namespace flowtap::filter {

namespace {

template <class T>
T lowest_named(const range_list<T>& list) {
    T lowest{};
    bool some = false;
    for (const auto& entry : list.entries) {
        if (!entry.negated && (!some || entry.first < lowest)) {
            lowest = entry.first;
            some = true;
        }
    }
    return lowest;
}

template <class List>
std::uint32_t shape_bit(const List& list, unsigned position) {
    return list.is_wildcard() ? 0U : 1U << position;
}

/// The one-interface ranges of a list of ids.
template <class Id>
std::vector<value_range<std::uint32_t>> id_ranges(std::span<const Id> ids) {
    std::vector<value_range<std::uint32_t>> ranges;
    for (const Id id : ids)
        ranges.push_back({id.value(), id.value()});
    join_ranges(ranges);
    return ranges;
}

template <class T, class Listed>
void add_list(field_builder<T>& builder, std::size_t bit, const range_list<Listed>& list) {
    if (list.is_wildcard())
        builder.admit_all(bit);
    else if (list.entries.size() == 1 && !list.entries.front().negated)
        builder.admit_range(bit, clip<T>(value_range<Listed>(list.entries.front())));
    else
        builder.admit(bit, admitted_ranges<T>(list));
}

/// Whether any of `members` has a scope of this kind.
template <class Scope>
bool has_scope(std::span<const member> members) {
    return std::any_of(members.begin(), members.end(), [](const member& one) {
        return std::holds_alternative<Scope>(one.spec->scope);
    });
}

/// A field of all `members`, of which criterion i has bit `bits[i]`.
template <class T, class Listed>
field_index<T> index_lists(std::span<const member> members, const std::vector<std::size_t>& bits,
                           std::size_t words, range_list<Listed> filter_spec::*list,
                           memory_budget& budget) {
    const bool restricted = std::any_of(members.begin(), members.end(), [&](const member& one) {
        return !(one.spec->*list).is_wildcard();
    });
    if (!restricted)
        return {};
    field_builder<T> builder(words);
    for (std::size_t i = 0; i < members.size(); ++i)
        add_list(builder, bits[i], members[i].spec->*list);
    return builder.finish(budget);
}

field_index<std::uint32_t> index_vrfs(std::span<const member> members,
                                      const std::vector<std::size_t>& bits, std::size_t words,
                                      memory_budget& budget) {
    field_builder<std::uint32_t> builder(words);
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (const auto* scope = std::get_if<vrf_scope>(&members[i].spec->scope))
            builder.admit(bits[i], id_ranges(std::span(&scope->vrf, 1)));
        else
            builder.admit_all(bits[i]);
    }
    return builder.finish(budget);
}

field_index<std::uint32_t> index_inputs(std::span<const member> members,
                                        const std::vector<std::size_t>& bits, std::size_t words,
                                        memory_budget& budget) {
    field_builder<std::uint32_t> builder(words);
    for (std::size_t i = 0; i < members.size(); ++i) {
        const filter_scope& scope = members[i].spec->scope;
        if (const auto* input = std::get_if<input_scope>(&scope))
            builder.admit(bits[i], id_ranges(std::span<const interface_id>(input->interfaces)));
        else if (std::holds_alternative<output_scope>(scope))
            builder.admit(bits[i], {});
        else
            builder.admit_all(bits[i]);
    }
    return builder.finish(budget);
}

field_index<std::uint32_t> index_outputs(std::span<const member> members,
                                         const std::vector<std::size_t>& bits, std::size_t words,
                                         memory_budget& budget) {
    field_builder<std::uint32_t> builder(words);
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (const auto* output = std::get_if<output_scope>(&members[i].spec->scope))
            builder.admit(bits[i], id_ranges(std::span<const interface_id>(output->interfaces)));
        else
            builder.admit(bits[i], {});
    }
    return builder.finish(budget);
}

/// How many of the first `members` get a word of their own for each shape, and still fit one group;
/// none if not all do.
bool fits_with_padding(std::span<const member> members) {
    std::size_t words = 0;
    for (std::size_t i = 0, run = 0; i < members.size(); ++i, ++run) {
        if (i == 0 || members[i].shape != members[i - 1].shape)
            run = 0;
        words += run % 64 == 0 ? 1 : 0;
    }
    return words <= group_words;
}

bool needs_pair_check(const filter_spec& spec) {
    return spec.port_lists == port_list_mode::pairs && spec.source_ports.entries.size() > 1 &&
           spec.destination_ports.entries.size() > 1;
}

} // namespace

member make_member(const filter_spec& spec, std::uint32_t entry) {
    std::uint32_t shape = shape_bit(spec.destination_addresses, 8) |
                          shape_bit(spec.source_addresses, 7) | shape_bit(spec.source_ports, 6) |
                          shape_bit(spec.destination_ports, 5) | shape_bit(spec.protocols, 4) |
                          shape_bit(spec.icmp_types, 3) | shape_bit(spec.icmp_codes, 2);
    shape |= static_cast<std::uint32_t>(spec.scope.index()); // four kinds
    return {&spec, entry, shape, lowest_named(spec.source_addresses),
            lowest_named(spec.destination_addresses)};
}

void sort_members(std::vector<member>& members) {
    std::sort(members.begin(), members.end(), [](const member& a, const member& b) {
        return std::tie(a.shape, a.destination, a.source, a.entry) <
               std::tie(b.shape, b.destination, b.source, b.entry);
    });
}

template <class Address>
group<Address>::group(std::span<const member>& members, std::size_t most, memory_budget& budget) {
    const auto mine = members.first(std::min(members.size(), most));
    members = members.subspan(mine.size());
    const std::vector<std::size_t> bits = place(mine);
    if (budget.take(sizeof(group) + owners.capacity() * sizeof(bit_owner) +
                    pairs.capacity() * sizeof(port_pair)))
        build_fields(mine, bits, budget);
}

/// Gives each member a bit, a shape beginning a new word if there are words enough.
template <class Address>
std::vector<std::size_t> group<Address>::place(std::span<const member> members) {
    const bool padded = members.size() > fewest_bits && fits_with_padding(members);
    std::vector<std::size_t> bits;
    bits.reserve(members.size());
    owners.reserve(members.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (padded && i != 0 && members[i].shape != members[i - 1].shape)
            next = (next + 63) / 64 * 64;
        if (next % 64 == 0) {
            first_owner.push_back(static_cast<std::uint32_t>(i));
            owned.push_back(0);
        }
        owned.back() |= std::uint64_t{1} << (next % 64);
        bits.push_back(next++);

        const filter_spec& spec = *members[i].spec;
        bit_owner owner{members[i].entry, static_cast<std::uint32_t>(pairs.size()), 0};
        if (needs_pair_check(spec)) {
            const std::size_t count =
                std::min(spec.source_ports.entries.size(), spec.destination_ports.entries.size());
            for (std::size_t pair = 0; pair < count; ++pair)
                pairs.push_back(
                    {spec.source_ports.entries[pair], spec.destination_ports.entries[pair]});
            owner.pair_count = static_cast<std::uint32_t>(count);
        }
        owners.push_back(owner);
    }
    pairs.shrink_to_fit();
    return bits;
}

template <class Address>
void group<Address>::build_fields(std::span<const member> members,
                                  const std::vector<std::size_t>& bits, memory_budget& budget) {
    const std::size_t words = owned.size();
    source_address =
        index_lists<Address>(members, bits, words, &filter_spec::source_addresses, budget);
    destination_address =
        index_lists<Address>(members, bits, words, &filter_spec::destination_addresses, budget);
    protocol = index_lists<std::uint8_t>(members, bits, words, &filter_spec::protocols, budget);
    source_port =
        index_lists<std::uint16_t>(members, bits, words, &filter_spec::source_ports, budget);
    destination_port =
        index_lists<std::uint16_t>(members, bits, words, &filter_spec::destination_ports, budget);
    icmp_type = index_lists<std::uint8_t>(members, bits, words, &filter_spec::icmp_types, budget);
    icmp_code = index_lists<std::uint8_t>(members, bits, words, &filter_spec::icmp_codes, budget);
    const bool some_output = has_scope<output_scope>(members);
    if (some_output || has_scope<input_scope>(members))
        interface[0] = index_inputs(members, bits, words, budget);
    if (some_output)
        interface[1] = index_outputs(members, bits, words, budget);
    if (has_scope<vrf_scope>(members))
        vrf = index_vrfs(members, bits, words, budget);
    if (budget.exceeded())
        return;

    for (const direction way : {direction::ingress, direction::egress}) {
        if (way == direction::egress && !some_output)
            continue;
        // The addresses come first: they decide most.
        activate(field::source_address, source_address, way);
        activate(field::destination_address, destination_address, way);
        activate(field::protocol, protocol, way);
        activate(field::source_port, source_port, way);
        activate(field::destination_port, destination_port, way);
        activate(field::icmp_type, icmp_type, way);
        activate(field::icmp_code, icmp_code, way);
        activate(field::interface, interface[static_cast<std::size_t>(way)], way);
        activate(field::vrf, vrf, way);
        occupied[static_cast<std::size_t>(way)] =
            words == group_words ? ~0ULL : (1ULL << words) - 1;
    }
}

template <class Address>
template <class T>
void group<Address>::activate(field which, const field_index<T>& index, direction way) {
    const row_set& rows = index.rows();
    if (rows.size() == 0)
        return;
    const auto side = static_cast<std::size_t>(way);
    active[side][active_count[side]++] = {rows.rows(), rows.words(), rows.base(), which};
    active_set[side] |= 1U << static_cast<unsigned>(which);
}

template <class Address>
std::size_t group<Address>::memory() const noexcept {
    return sizeof(group) + source_address.memory() + destination_address.memory() +
           protocol.memory() + source_port.memory() + destination_port.memory() +
           icmp_type.memory() + icmp_code.memory() + interface[0].memory() + interface[1].memory() +
           vrf.memory() + owned.capacity() * sizeof(std::uint64_t) +
           first_owner.capacity() * sizeof(std::uint32_t) + owners.capacity() * sizeof(bit_owner) +
           pairs.capacity() * sizeof(port_pair);
}

namespace {

/// The octets of `intervals` more intervals of a field in a group that is one word wide, each with
/// a row.
template <class T>
constexpr std::size_t memory_of_intervals(std::size_t intervals) noexcept {
    return intervals * (sizeof(row) + sizeof(std::uint64_t) + sizeof(T) + sizeof(std::uint32_t));
}

/// The same for one list of a criterion. Entries admit at most one range each, negated ones one
/// more in all, and a range begins and ends an interval.
template <class T, class Listed>
std::size_t memory_of_list(const range_list<Listed>& list) noexcept {
    return list.is_wildcard() ? 0 : memory_of_intervals<T>(2 * (list.entries.size() + 1));
}

std::size_t count_of_scope(const filter_scope& scope) noexcept {
    if (const auto* input = std::get_if<input_scope>(&scope))
        return input->interfaces.size();
    if (const auto* output = std::get_if<output_scope>(&scope))
        return output->interfaces.size();
    return std::holds_alternative<vrf_scope>(scope) ? 1 : 0;
}

} // namespace

template <class Address>
std::size_t memory_in_groups(const filter_spec& spec) noexcept {
    const std::size_t pairs =
        needs_pair_check(spec)
            ? std::min(spec.source_ports.entries.size(), spec.destination_ports.entries.size())
            : 0;
    return sizeof(bit_owner) + pairs * sizeof(port_pair) +
           memory_of_list<Address>(spec.source_addresses) +
           memory_of_list<Address>(spec.destination_addresses) +
           memory_of_list<std::uint8_t>(spec.protocols) +
           memory_of_list<std::uint16_t>(spec.source_ports) +
           memory_of_list<std::uint16_t>(spec.destination_ports) +
           memory_of_list<std::uint8_t>(spec.icmp_types) +
           memory_of_list<std::uint8_t>(spec.icmp_codes) +
           memory_of_intervals<std::uint32_t>(2 * count_of_scope(spec.scope));
}

template <class Address>
std::size_t memory_of_group() noexcept {
    constexpr std::size_t octet_fields = 3;
    // Each field has a base, a row for no value, and a first interval.
    return sizeof(group<Address>) + sizeof(void*) + sizeof(std::uint64_t) + sizeof(std::uint32_t) +
           octet_fields * 256 * sizeof(std::uint16_t) +
           (field_count + 1) * (sizeof(std::uint64_t) + memory_of_intervals<Address>(2));
}

template std::size_t memory_in_groups<std::uint32_t>(const filter_spec&) noexcept;
template std::size_t memory_in_groups<address_bits>(const filter_spec&) noexcept;
template std::size_t memory_of_group<std::uint32_t>() noexcept;
template std::size_t memory_of_group<address_bits>() noexcept;
template class group<std::uint32_t>;
template class group<address_bits>;

} // namespace flowtap::filter
