// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/filter/criterion.hpp>

namespace flowtap::filter::sets {

/// Finds all filters that a packet meets, without the classifier: looks up, by one prefix of each
/// filter, those that may match, and puts each to the definitions (`matches`). Fast enough to tell
/// hits from misses in a trace over 100,000 filters, where asking each filter would take minutes.
class reference_matcher {
public:
    /// The filters must outlive it, unchanged.
    explicit reference_matcher(std::span<const filter_spec> filters) : filters_(filters) {
        for (std::size_t i = 0; i < filters.size(); ++i)
            add(static_cast<std::uint32_t>(i));
    }

    /// The numbers of the filters that `key` meets, ascending, in `found`.
    void find(const packet_key& key, std::vector<std::uint32_t>& found) const {
        found.clear();
        visit(key, [&found](std::uint32_t number) {
            found.push_back(number);
            return false;
        });
        std::ranges::sort(found);
        const auto twice = std::ranges::unique(found);
        found.erase(twice.begin(), twice.end());
    }

    /// Whether `key` meets any filter.
    bool any(const packet_key& key) const {
        bool is_met = false;
        visit(key, [&is_met](std::uint32_t) { return is_met = true; });
        return is_met;
    }

private:
    struct hash {
        std::size_t operator()(const address_bits& bits) const noexcept {
            return (bits.high * 0x9E37'79B9'7F4A'7C15U) ^ (bits.low * 0xC2B2'AE3D'27D4'EB4FU >> 7);
        }
    };
    using numbers = std::vector<std::uint32_t>;
    /// The filters of one side and one length of prefix; the IPv4 addresses are the lowest 32 bits.
    using by_prefix = std::unordered_map<address_bits, numbers, hash>;
    enum class side { source, destination };

    static address_bits cut(const address_bits& bits, int length) {
        const auto ones = [](int count) { return count == 0 ? 0 : ~0ULL << (64 - count); };
        return {bits.high & ones(std::min(length, 64)), bits.low & ones(std::max(length - 64, 0))};
    }

    /// The length of the longest prefix that holds the whole range.
    static int common(const value_range<address_bits>& range) {
        const std::uint64_t high = range.first.high ^ range.last.high;
        const std::uint64_t low = range.first.low ^ range.last.low;
        return high != 0 ? std::countl_zero(high) : 64 + std::countl_zero(low);
    }

    /// The shortest prefix that the filter needs on this side; negative when a lookup cannot tell.
    static int shortest(const range_list<address_bits>& list) {
        int length = -1;
        for (const auto& entry : list.entries) {
            if (entry.negated)
                continue;
            const int of_entry = common(entry);
            length = length < 0 ? of_entry : std::min(length, of_entry);
        }
        return length;
    }

    void add(std::uint32_t number) {
        const filter_spec& spec = filters_[number];
        const int source = shortest(spec.source_addresses);
        const int destination = shortest(spec.destination_addresses);
        if (source < 0 && destination < 0) {
            rest_.push_back(number);
            return;
        }
        const side from = source > destination ? side::source : side::destination;
        const auto& list =
            from == side::source ? spec.source_addresses : spec.destination_addresses;
        for (const auto& entry : list.entries) {
            if (!entry.negated) {
                const int length = common(entry);
                tables_[{from, length}][cut(entry.first, length)].push_back(number);
            }
        }
    }

    /// Calls `each` for the filters that are met, until it says that it has seen enough.
    template <class Each>
    void visit(const packet_key& key, const Each& each) const {
        const auto stops = [&](std::uint32_t number) {
            return matches(filters_[number], key) && each(number);
        };
        for (const auto& [what, table] : tables_) {
            const auto& address = what.first == side::source ? key.source : key.destination;
            const auto found = table.find(cut(address, what.second));
            if (found != table.end() && std::ranges::any_of(found->second, stops))
                return;
        }
        (void)std::ranges::any_of(rest_, stops);
    }

    std::span<const filter_spec> filters_;
    std::map<std::pair<side, int>, by_prefix> tables_;
    numbers rest_;
};

} // namespace flowtap::filter::sets
