// SPDX-License-Identifier: Apache-2.0
#include "host_table.hpp"

#include <algorithm>
#include <bit>
#include <variant>

namespace flowtap::filter {

namespace {

/// Narrows `range` to the only entry of `list`. False if the list is of another form.
template <class T, class Listed>
bool take_single_range(const range_list<Listed>& list, value_range<T>& range) {
    if (list.is_wildcard())
        return true;
    if (list.entries.size() != 1 || list.has_negation())
        return false;
    const auto& entry = list.entries.front();
    const value_range<Listed> only{entry.first, entry.last};
    const auto clipped = clip<T>(only);
    if (clipped)
        range = *clipped;
    return clipped.has_value();
}

} // namespace

template <class Address>
std::optional<host_rule<Address>> host_rule<Address>::make(const filter_spec& spec,
                                                           std::uint32_t entry) {
    host_rule rule;
    rule.entry = entry;
    rule.needs_ports = !spec.source_ports.is_wildcard() || !spec.destination_ports.is_wildcard();
    const bool fits = std::holds_alternative<global_scope>(spec.scope) &&
                      spec.icmp_types.is_wildcard() && spec.icmp_codes.is_wildcard() &&
                      take_single_range(spec.source_addresses, rule.source) &&
                      take_single_range(spec.destination_addresses, rule.destination) &&
                      take_single_range(spec.protocols, rule.protocol) &&
                      take_single_range(spec.source_ports, rule.source_port) &&
                      take_single_range(spec.destination_ports, rule.destination_port);
    if (!fits || (!rule.one_source() && !rule.one_destination()))
        return std::nullopt;
    return rule;
}

template <class Address>
host_table<Address>::host_table(host_side side, std::vector<host_rule<Address>>& rules)
    : side_(side) {
    struct hashed {
        std::uint64_t hash;
        std::uint32_t rule;
    };
    std::vector<hashed> order;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const auto& rule = rules[i];
        if ((side != host_side::destination && !rule.one_source()) ||
            (side != host_side::source && !rule.one_destination()))
            continue;
        order.push_back({hash_hosts(side, rule.source.first, rule.destination.first),
                         static_cast<std::uint32_t>(i)});
    }
    std::sort(order.begin(), order.end(), [](const hashed& a, const hashed& b) {
        return a.hash != b.hash ? a.hash < b.hash : a.rule < b.rule;
    });
    if (order.empty())
        return;

    // One bucket a hash, at most half of them in use.
    const std::size_t size = std::bit_ceil(order.size() * 2);
    buckets_.resize(size);
    mask_ = size - 1;
    std::vector<bool> taken(rules.size());
    for (std::size_t first = 0; first < order.size();) {
        std::size_t last = first + 1;
        while (last < order.size() && order[last].hash == order[first].hash)
            ++last;
        const std::size_t count = std::min(last - first, max_same_hosts);
        std::size_t at = order[first].hash & mask_;
        while (buckets_[at].count != 0)
            at = (at + 1) & mask_;
        buckets_[at] = {static_cast<std::uint32_t>(order[first].hash >> 32),
                        static_cast<std::uint32_t>(rules_.size()),
                        static_cast<std::uint32_t>(count)};
        for (std::size_t i = first; i < first + count; ++i) {
            rules_.push_back(rules[order[i].rule]);
            taken[order[i].rule] = true;
        }
        first = last;
    }
    rules_.shrink_to_fit();

    std::size_t kept = 0;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        if (!taken[i])
            rules[kept++] = rules[i];
    }
    rules.resize(kept);
}

template struct host_rule<std::uint32_t>;
template struct host_rule<address_bits>;
template class host_table<std::uint32_t>;
template class host_table<address_bits>;

} // namespace flowtap::filter
