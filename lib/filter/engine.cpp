// SPDX-License-Identifier: Apache-2.0
#include "engine.hpp"

#include <algorithm>

namespace flowtap::filter {

namespace {

/// The rules of all members, and whose they are.
template <class Address>
struct owned_rules {
    owned_rules(const std::vector<member>& members, residual_store& residuals) {
        rules.reserve(members.size());
        owners.reserve(members.size());
        for (std::size_t i = 0; i < members.size(); ++i) {
            append_rules(*members[i].spec, members[i].entry, rules, residuals);
            owners.resize(rules.size(), static_cast<std::uint32_t>(i));
        }
    }

    std::vector<rule<Address>> rules;
    std::vector<std::uint32_t> owners;
};

} // namespace

template <class Address>
void engine<Address>::build(std::vector<member> members, memory_budget& budget) {
    if (members.empty())
        return;
    const owned_rules<Address> all(members, residuals);
    const probe_plan plan = plan_probes<Address>(all.rules);

    // A criterion stands in one place: when one of its rules goes to the groups, all of it does.
    std::vector<bool> left(members.size());
    std::vector<std::size_t> without;
    for (std::size_t i = 0; i < all.rules.size(); ++i) {
        if (plan.shape_of[i] == probe_plan::none)
            without.push_back(i);
    }
    if (without.size() > max_scanned) {
        for (const std::size_t i : without)
            left[all.owners[i]] = true;
    }
    table.build(all.rules, all.owners, plan, left);
    for (const std::size_t i : without) {
        if (left[all.owners[i]])
            all_ask_groups = true;
        else
            scanned.push_back(all.rules[i]);
    }
    residuals.shrink();
    if (!budget.take(table.memory() + residuals.memory() + scanned.capacity() * sizeof(scanned[0])))
        return;

    std::vector<member> rest;
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (left[i])
            rest.push_back(members[i]);
    }
    sort_members(rest);
    for (std::span<const member> some(rest); !some.empty() && !budget.exceeded();)
        groups.push_back(std::make_unique<const group<Address>>(some, budget));
}

template <class Address>
std::size_t engine<Address>::memory() const noexcept {
    std::size_t sum = table.memory() + residuals.memory() +
                      scanned.capacity() * sizeof(scanned[0]) +
                      groups.capacity() * sizeof(groups[0]);
    for (const auto& one : groups)
        sum += one->memory();
    return sum;
}

template struct engine<std::uint32_t>;
template struct engine<address_bits>;

} // namespace flowtap::filter
