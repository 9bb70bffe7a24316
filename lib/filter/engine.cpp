// SPDX-License-Identifier: Apache-2.0
#include "engine.hpp"

#include <algorithm>
#include <unordered_set>

namespace flowtap::filter {

namespace {

/// Moves the members that are rules for hash tables out of `members`.
template <class Address>
std::vector<host_rule<Address>> host_rules(const std::vector<member>& members) {
    std::vector<host_rule<Address>> rules;
    for (const member& one : members) {
        if (const auto rule = host_rule<Address>::make(*one.spec, one.entry))
            rules.push_back(*rule);
    }
    return rules;
}

/// Leaves in `members` only those whose entry is not in a table: not a rule, or a rule left over.
template <class Address>
void drop_placed(std::vector<member>& members, const std::vector<host_rule<Address>>& left_over) {
    std::unordered_set<std::uint32_t> again;
    for (const auto& rule : left_over)
        again.insert(rule.entry);
    std::erase_if(members, [&](const member& one) {
        return host_rule<Address>::make(*one.spec, one.entry).has_value() &&
               !again.contains(one.entry);
    });
}

} // namespace

template <class Address>
void engine<Address>::build(std::vector<member> members, memory_budget& budget) {
    if (members.size() > group_bits) {
        std::vector<host_rule<Address>> rules = host_rules<Address>(members);
        hosts = {host_table<Address>(host_side::both, rules),
                 host_table<Address>(host_side::destination, rules),
                 host_table<Address>(host_side::source, rules)};
        for (const auto& table : hosts) {
            some_hosts |= !table.empty();
            if (!budget.take(table.memory()))
                return;
        }
        drop_placed(members, rules);
    }
    sort_members(members);
    for (std::span<const member> left(members); !left.empty() && !budget.exceeded();)
        groups.push_back(std::make_unique<const group<Address>>(left, budget));
}

template <class Address>
std::size_t engine<Address>::memory() const noexcept {
    std::size_t sum = groups.capacity() * sizeof(groups[0]);
    for (const auto& one : groups)
        sum += one->memory();
    for (const auto& table : hosts)
        sum += table.memory();
    return sum;
}

template struct engine<std::uint32_t>;
template struct engine<address_bits>;

} // namespace flowtap::filter
