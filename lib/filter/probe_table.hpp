// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "handle.hpp"
#include "planner.hpp"
#include "rule.hpp"

namespace flowtap::filter {

/// What all packets are put to: whether their handle of one shape may be that of any criterion. A
/// Bloom filter of one word a handle, with a bit in each octet of the word.
struct probe {
    /// The fewest words, and their `shift`.
    static constexpr std::size_t fewest_words = 32;
    static constexpr std::uint8_t smallest_shift = 27;

    handle_shape shape;
    /// From a handle to the number of its word.
    std::uint8_t shift = 0;
    std::uint32_t salt = 0;
    const std::uint32_t* words = nullptr;
};

/// A handle, and the rules of the criteria that have it.
struct handle_slot {
    static constexpr std::uint32_t count_bits = 5;
    /// The most rules of one handle.
    static constexpr std::uint32_t most = (1U << count_bits) - 1;

    std::uint32_t handle = 0;
    /// From the top: the number of the first rule, whether the groups have more criteria with this
    /// handle, how many rules there are. Zero if the slot is free.
    std::uint32_t where = 0;

    std::uint32_t first() const noexcept { return where >> (count_bits + 1); }
    std::uint32_t count() const noexcept { return where & most; }
    bool asks_groups() const noexcept { return (where & (most + 1)) != 0; }
};

inline constexpr std::uint32_t word_factor = 0x297A'2D39;

/// The bits of a handle in its word: one in each octet.
inline std::uint32_t word_bits(std::uint32_t handle) noexcept {
    const std::uint32_t mixed = handle * word_factor;
    std::uint32_t bits = 0;
    for (unsigned octet = 0; octet < 32; octet += 8)
        bits |= 1U << (octet + ((mixed >> octet) & 7));
    return bits;
}

/// Rules that are found by their handles. Neither changed nor moved once it is built.
template <class Address>
class probe_table {
public:
    probe_table() = default;
    probe_table(const probe_table&) = delete;
    probe_table& operator=(const probe_table&) = delete;

    /// Takes the rules that `plan` has handles for, but those of criteria that have too many others
    /// with the same handle. Marks what it did not take in `left`, by the member of `owners`.
    void build(std::span<const rule<Address>> rules, std::span<const std::uint32_t> owners,
               const probe_plan& plan, std::vector<bool>& left);

    /// As if it had not been built.
    void clear() noexcept;

    std::size_t memory() const noexcept;

    /// The steps by which the parts of a packet are computed, in order.
    std::vector<hash_step> steps;
    /// The hash fields that the steps read, a bit each.
    std::uint32_t fields = 0;
    /// At most `max_probes`.
    std::vector<probe> probes;
    std::vector<handle_slot> slots;
    /// From a handle to the number of the slot where it is looked for first.
    std::uint32_t slot_shift = 31;
    std::vector<rule<Address>> rules;

private:
    std::vector<std::uint32_t> words_;
};

extern template class probe_table<std::uint32_t>;
extern template class probe_table<address_bits>;

} // namespace flowtap::filter
