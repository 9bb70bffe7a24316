// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include <flowtap/filter/classifier.hpp>

#include "group.hpp"
#include "hits.hpp"
#include "probe_table.hpp"
#include "residual.hpp"

namespace flowtap::filter {

/// The criteria of one family, compiled.
template <class Address>
struct engine {
    /// The most rules that all packets are held against.
    static constexpr std::size_t max_scanned = 8;

    /// Those that can be told by a handle.
    probe_table<Address> table;
    /// Those that cannot, if they are few.
    std::vector<rule<Address>> scanned;
    /// The rest of the checks of both.
    residual_store residuals;
    /// All others.
    std::vector<std::unique_ptr<const group<Address>>> groups;
    /// Whether a group has a criterion without a handle: all packets are looked up there.
    bool all_ask_groups = false;

    /// Compiles `members`, the criteria that look at the family. Takes no more memory than they are
    /// allowed together, and `memory_of_engine`: where that is little, with fewer handles, and
    /// with smaller groups.
    void build(std::vector<member> members, memory_budget& budget);
    std::size_t memory() const noexcept;
    /// Whether there are criteria that no probe tells of.
    bool must_ask_all() const noexcept { return all_ask_groups || !scanned.empty(); }
    bool empty() const noexcept {
        return table.probes.empty() && scanned.empty() && groups.empty();
    }

private:
    struct owned_rules;
    std::vector<bool> build_table(const owned_rules& all, const probe_plan& plan,
                                  std::size_t members);
    void clear_table() noexcept;
    void build_groups(std::span<const member> rest, std::size_t allowed, memory_budget& budget);
};

/// What an engine may take beside what its criteria are allowed.
inline constexpr std::size_t memory_of_engine = std::size_t{192} << 10;
/// How much memory `spec` may take in an engine, in whatever form.
template <class Address>
std::size_t memory_allowed(const filter_spec& spec) noexcept;

extern template std::size_t memory_allowed<std::uint32_t>(const filter_spec&) noexcept;
extern template std::size_t memory_allowed<address_bits>(const filter_spec&) noexcept;

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

/// Packets that are looked at before there are keys of them; at least one.
struct sifted_packets {
    const plain_headers& headers;
    std::size_t count;
    interface_id interface;
    vrf_id vrf;

    std::uint64_t all() const noexcept {
        return ~std::uint64_t{0} >> (plain_headers::most - count);
    }
};
static_assert(plain_headers::most == chunk_packets && chunk_packets == 64);

/// A bit for each packet that passes a probe of the set for IPv4.
using sift_function = std::uint64_t (*)(const compiled_set& set,
                                        const sifted_packets& packets) noexcept;

/// What runs for every packet, for certain instructions.
struct match_code {
    match_function match = nullptr;
    sift_function sift = nullptr;
};

extern const match_code portable_code;
#if defined(__x86_64__)
extern const match_code avx2_code;
extern const match_code avx512_code;
#endif

/// The code for `path` on this processor.
match_code choose_match(code_path path) noexcept;

} // namespace flowtap::filter
