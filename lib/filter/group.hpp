// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/packet_key.hpp>

#include "field_index.hpp"

namespace flowtap::filter {

/// The fields a group looks at.
enum class field : std::uint8_t {
    source_address,
    destination_address,
    protocol,
    source_port,
    destination_port,
    icmp_type,
    icmp_code,
    interface,
    vrf,
};
inline constexpr std::size_t field_count = 9;

/// A criterion on its way into a group.
struct member {
    const filter_spec* spec = nullptr;
    /// Its number in the entry table of the level.
    std::uint32_t entry = 0;
    /// Which fields it restricts, the addresses most significant.
    std::uint32_t shape = 0;
    /// The lowest addresses that its entries name, to put neighbours side by side.
    address_bits source;
    address_bits destination;
};

member make_member(const filter_spec& spec, std::uint32_t entry);

/// Puts criteria of like shape, and then of near addresses, side by side.
void sort_members(std::vector<member>& members);

/// A source and a destination port of one pair.
struct port_pair {
    value_range<std::uint16_t> source;
    value_range<std::uint16_t> destination;
};

/// What stands behind a bit of a group.
struct bit_owner {
    std::uint32_t entry = 0;
    /// The criterion's pairs, if the union of their ports is only the first half of the check.
    std::uint32_t first_pair = 0;
    std::uint32_t pair_count = 0;
};

/// The parts of a field that matching reads, side by side.
struct active_field {
    const row* rows = nullptr;
    const std::uint64_t* words = nullptr;
    const std::uint64_t* base = nullptr;
    field which = field::source_address;
};

/// Up to `group_bits` criteria as aggregated bit vectors: every field gives a row, the summaries of
/// the rows are combined first, then only the words that survived. Neither moved nor changed once
/// it is built.
template <class Address>
class group {
public:
    /// A group of as many of the (sorted) `members` as fit one, but no more than `most`; takes them
    /// from the front. Once `budget` is exceeded the group is unusable. One of at most
    /// `fewest_bits` takes no more than `memory_in_groups` says.
    group(std::span<const member>& members, std::size_t most, memory_budget& budget);
    group(const group&) = delete;
    group& operator=(const group&) = delete;

    std::size_t memory() const noexcept;

    field_index<Address> source_address;
    field_index<Address> destination_address;
    field_index<std::uint8_t> protocol;
    field_index<std::uint16_t> source_port;
    field_index<std::uint16_t> destination_port;
    field_index<std::uint8_t> icmp_type;
    field_index<std::uint8_t> icmp_code;
    /// By interface, for the two directions: who looks at packets that enter, or leave, there.
    std::array<field_index<std::uint32_t>, 2> interface;
    field_index<std::uint32_t> vrf;

    /// For each direction the fields that restrict any criterion.
    std::array<std::array<active_field, field_count>, 2> active;
    std::array<std::size_t, 2> active_count{};
    /// The same as a set, a bit a field.
    std::array<std::uint32_t, 2> active_set{};
    /// The bits that have an owner, and their summary for each direction.
    std::vector<std::uint64_t> owned;
    std::array<std::uint64_t, 2> occupied{};

    /// The owner of bit b of word w is `owners[first_owner[w] + b]`.
    std::vector<std::uint32_t> first_owner;
    std::vector<bit_owner> owners;
    std::vector<port_pair> pairs;

private:
    std::vector<std::size_t> place(std::span<const member> members);
    void build_fields(std::span<const member> members, const std::vector<std::size_t>& bits,
                      memory_budget& budget);
    template <class T>
    void activate(field which, const field_index<T>& index, direction way);
};

/// A group of so many criteria is one word wide.
inline constexpr std::size_t fewest_bits = 64;

/// The most octets that `spec` takes in a group of at most `fewest_bits`.
template <class Address>
std::size_t memory_in_groups(const filter_spec& spec) noexcept;
/// The most octets that such a group takes beside.
template <class Address>
std::size_t memory_of_group() noexcept;

extern template std::size_t memory_in_groups<std::uint32_t>(const filter_spec&) noexcept;
extern template std::size_t memory_in_groups<address_bits>(const filter_spec&) noexcept;
extern template std::size_t memory_of_group<std::uint32_t>() noexcept;
extern template std::size_t memory_of_group<address_bits>() noexcept;
extern template class group<std::uint32_t>;
extern template class group<address_bits>;

} // namespace flowtap::filter
