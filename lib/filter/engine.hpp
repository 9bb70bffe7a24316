// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include <flowtap/filter/classifier.hpp>

#include "group.hpp"
#include "hits.hpp"
#include "host_table.hpp"

namespace flowtap::filter {

/// The criteria of one family, compiled.
template <class Address>
struct engine {
    /// Criteria that name hosts, once there are too many for one group: by both hosts, by the
    /// destination alone, by the source alone.
    std::array<host_table<Address>, 3> hosts;
    bool some_hosts = false;
    /// All others.
    std::vector<std::unique_ptr<const group<Address>>> groups;

    /// Compiles `members`, the criteria that look at the family.
    void build(std::vector<member> members, memory_budget& budget);
    std::size_t memory() const noexcept;
};

extern template struct engine<std::uint32_t>;
extern template struct engine<address_bits>;

/// A compiled set of criteria.
struct compiled_set {
    engine<std::uint32_t> inet;
    engine<address_bits> inet6;
    /// Frames have no addresses; any kind would do.
    engine<std::uint32_t> ccc;
};

/// Adds all matches of `keys`, at most `chunk_packets`, to `found`, in any order. Stops when that
/// is full: what was added then is of no use.
using match_function = void (*)(const compiled_set& set, std::span<const packet_key> keys,
                                hit_list& found) noexcept;

/// The function for `path` on this processor.
match_function choose_match(code_path path) noexcept;

} // namespace flowtap::filter
