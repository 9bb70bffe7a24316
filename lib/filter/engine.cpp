// SPDX-License-Identifier: Apache-2.0
#include "engine.hpp"

#include <algorithm>

namespace flowtap::filter {

namespace {

/// The share of a group that one of its criteria has, when there are as many as there can be.
template <class Address>
std::size_t share_of_group() noexcept {
    return (memory_of_group<Address>() + fewest_bits - 1) / fewest_bits;
}

/// What is enough for `members` in groups of the smallest size, beside `memory_of_group` for the
/// last one, which may have few of them.
template <class Address>
std::size_t memory_in_small_groups(std::span<const member> members) noexcept {
    std::size_t sum = 0;
    for (const member& one : members)
        sum += memory_in_groups<Address>(*one.spec) + share_of_group<Address>();
    return sum;
}

} // namespace

template <class Address>
std::size_t memory_allowed(const filter_spec& spec) noexcept {
    // So that one address may have a dozen handles.
    constexpr std::size_t some_handles = 512;
    constexpr std::size_t one_rule = sizeof(rule<Address>) + 64;
    const std::size_t rules =
        std::max({spec.source_addresses.entries.size(), spec.destination_addresses.entries.size(),
                  spec.source_ports.entries.size(), spec.destination_ports.entries.size()});
    // Whatever the rules take, the groups have to be enough.
    return some_handles + std::max(memory_in_groups<Address>(spec) + share_of_group<Address>(),
                                   std::min(rules, max_rules) * one_rule);
}

/// The rules of all members, and whose they are.
template <class Address>
struct engine<Address>::owned_rules {
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

/// Puts rules where `plan` has them, and says which members are left to the groups. A criterion
/// stands in one place: when one of its rules goes to the groups, all of it does.
template <class Address>
std::vector<bool> engine<Address>::build_table(const owned_rules& all, const probe_plan& plan,
                                               std::size_t members) {
    std::vector<bool> left(members);
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
    return left;
}

template <class Address>
void engine<Address>::clear_table() noexcept {
    table.clear();
    decltype(scanned)().swap(scanned);
    all_ask_groups = false;
}

template <class Address>
void engine<Address>::build(std::vector<member> members, memory_budget& budget) {
    if (members.empty())
        return;
    std::size_t allowed = memory_of_engine;
    for (const member& one : members)
        allowed += memory_allowed<Address>(*one.spec);

    const owned_rules all(members, residuals);
    residuals.shrink();
    probe_plan plan = plan_probes<Address>(all.rules);
    std::vector<member> rest;
    const auto is_allowed = [&](const std::vector<bool>& left) {
        rest.clear();
        for (std::size_t i = 0; i < members.size(); ++i) {
            if (left[i])
                rest.push_back(members[i]);
        }
        return memory() + memory_in_small_groups<Address>(rest) + memory_of_group<Address>() <=
               allowed;
    };
    if (!is_allowed(build_table(all, plan, members.size()))) {
        clear_table();
        spare_handles<Address>(all.rules, plan);
        if (!is_allowed(build_table(all, plan, members.size()))) {
            clear_table();
            residuals = residual_store();
            all_ask_groups = true;
            rest = std::move(members);
        }
    }
    const std::size_t taken = memory();
    if (!budget.take(taken))
        return;
    sort_members(rest);
    build_groups(rest, allowed - taken, budget);
}

/// Makes groups of all of `rest`, as large as can be with so much memory.
template <class Address>
void engine<Address>::build_groups(std::span<const member> rest, std::size_t allowed,
                                   memory_budget& budget) {
    std::size_t least = memory_in_small_groups<Address>(rest);
    std::size_t most = group_bits;
    while (!rest.empty()) {
        const auto some = rest.first(std::min(rest.size(), most));
        const std::size_t least_of_others = least - memory_in_small_groups<Address>(some);
        const std::size_t kept = some.size() == rest.size() ? 0 : memory_of_group<Address>();
        const std::size_t left = std::min(allowed - least_of_others - kept, budget.left());
        memory_budget own(left);
        auto behind = rest;
        auto made = std::make_unique<const group<Address>>(behind, most, own);
        const std::size_t taken = own.exceeded() ? left + 1 : made->memory() + sizeof(made);
        if (taken > left && most > fewest_bits) {
            most /= 2;
            continue;
        }
        if (!budget.take(taken))
            return;
        allowed -= taken;
        least = least_of_others;
        rest = behind;
        groups.push_back(std::move(made));
    }
    groups.shrink_to_fit();
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

template std::size_t memory_allowed<std::uint32_t>(const filter_spec&) noexcept;
template std::size_t memory_allowed<address_bits>(const filter_spec&) noexcept;
template struct engine<std::uint32_t>;
template struct engine<address_bits>;

} // namespace flowtap::filter
