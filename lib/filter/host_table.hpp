// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/packet_key.hpp>

#include "group.hpp"
#include "hits.hpp"
#include "values.hpp"

namespace flowtap::filter {

/// A criterion that is one range in every field: what a hash table hit is held against.
template <class Address>
struct host_rule {
    value_range<Address> source{Address{}, value_traits<Address>::highest};
    value_range<Address> destination{Address{}, value_traits<Address>::highest};
    value_range<std::uint16_t> source_port{0, 0xFFFF};
    value_range<std::uint16_t> destination_port{0, 0xFFFF};
    value_range<std::uint8_t> protocol{0, 0xFF};
    bool needs_ports = false;
    std::uint32_t entry = 0;

    /// `spec` as a rule, if it is of that form, global, and names one host at least on one side.
    static std::optional<host_rule> make(const filter_spec& spec, std::uint32_t entry);

    bool one_source() const noexcept { return source.first == source.last; }
    bool one_destination() const noexcept { return destination.first == destination.last; }

    FLOWTAP_INLINE bool matches(const packet_key& key) const noexcept {
        const Address from = narrow<Address>(key.source);
        const Address to = narrow<Address>(key.destination);
        return at_most(source.first, from) && at_most(from, source.last) &&
               at_most(destination.first, to) && at_most(to, destination.last) &&
               source_port.contains(key.source_port) &&
               destination_port.contains(key.destination_port) && protocol.contains(key.protocol) &&
               (key.has_ports || !needs_ports);
    }
};

/// Which addresses of a rule or packet are hashed.
enum class host_side : std::uint8_t { both, destination, source };

FLOWTAP_INLINE std::uint64_t mix_hash(std::uint64_t state, std::uint64_t value) noexcept {
    state = (state ^ value) * 0x9E37'79B9'7F4A'7C15ULL;
    return state ^ (state >> 32);
}
FLOWTAP_INLINE std::uint64_t mix_hash(std::uint64_t state, const address_bits& value) noexcept {
    return mix_hash(mix_hash(state, value.high), value.low);
}

template <class Address>
FLOWTAP_INLINE std::uint64_t hash_hosts(host_side side, const Address& source,
                                        const Address& destination) noexcept {
    std::uint64_t state = 0x2545'F491'4F6C'DD1DULL;
    if (side != host_side::destination)
        state = mix_hash(state, source);
    if (side != host_side::source)
        state = mix_hash(state, destination);
    return mix_hash(state, state >> 29);
}

/// The rules that name a host, found by its hash. Immutable once built.
template <class Address>
class host_table {
public:
    /// Rules with the same hosts; more than these are better off in a group.
    static constexpr std::size_t max_same_hosts = 32;

    host_table() = default;
    /// Takes `rules` whose `side` is one host each; leaves those that it has no room for.
    host_table(host_side side, std::vector<host_rule<Address>>& rules);

    bool empty() const noexcept { return rules_.empty(); }

    FLOWTAP_INLINE std::uint64_t hash(const packet_key& key) const noexcept {
        return hash_hosts(side_, narrow<Address>(key.source), narrow<Address>(key.destination));
    }
    FLOWTAP_INLINE void prefetch(std::uint64_t hash) const noexcept {
        __builtin_prefetch(&buckets_[hash & mask_]);
    }
    /// Adds the rules that match to what was found for packet number `packet`.
    FLOWTAP_INLINE void match(const packet_key& key, std::uint32_t packet, std::uint64_t hash,
                              hit_list& found) const noexcept {
        const auto tag = static_cast<std::uint32_t>(hash >> 32);
        for (std::uint64_t at = hash & mask_; buckets_[at].count != 0; at = (at + 1) & mask_) {
            if (buckets_[at].tag != tag)
                continue;
            const host_rule<Address>* rule = rules_.data() + buckets_[at].first;
            for (std::uint32_t left = buckets_[at].count; left != 0; --left, ++rule) {
                if (rule->matches(key))
                    found.add(packet, rule->entry);
            }
        }
    }

    std::size_t memory() const noexcept {
        return buckets_.capacity() * sizeof(bucket) + rules_.capacity() * sizeof(rules_[0]);
    }

private:
    struct bucket {
        std::uint32_t tag = 0;
        std::uint32_t first = 0;
        std::uint32_t count = 0;
    };

    host_side side_ = host_side::both;
    std::uint64_t mask_ = 0;
    std::vector<bucket> buckets_;
    std::vector<host_rule<Address>> rules_;
};

} // namespace flowtap::filter
