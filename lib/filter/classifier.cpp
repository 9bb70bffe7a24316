// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <flowtap/filter/classifier.hpp>

#include "engine.hpp"

namespace flowtap::filter {

namespace {

bool has_duplicate_slot(std::span<const criterion> criteria) {
    std::vector<slot_id> slots;
    slots.reserve(criteria.size());
    for (const criterion& one : criteria)
        slots.push_back(one.slot());
    std::sort(slots.begin(), slots.end());
    return std::adjacent_find(slots.begin(), slots.end()) != slots.end();
}

std::vector<member> members_of(family wanted, std::span<const criterion> criteria) {
    std::vector<member> members;
    for (const criterion& one : criteria) {
        const filter_spec& spec = one.spec();
        // A frame has no values; ports and ICMP are looked up as absent, but a protocol never is.
        const bool never = wanted == family::ccc && !spec.protocols.is_wildcard();
        if (spec.families.contains(wanted) && !never)
            members.push_back(make_member(spec, one.slot()));
    }
    return members;
}

} // namespace

match_buffer::match_buffer(std::size_t max_packets, std::size_t max_matches)
    : slots_(max_matches), ends_(max_packets + 1) {}

struct classifier::compiled {
    compiled_set set;
    match_function match = nullptr;
    classifier_cost cost;
};

classifier::classifier() noexcept = default;
classifier::~classifier() = default;
classifier::classifier(classifier&&) noexcept = default;
classifier& classifier::operator=(classifier&&) noexcept = default;
classifier::classifier(const classifier&) noexcept = default;
classifier& classifier::operator=(const classifier&) noexcept = default;
classifier::classifier(std::shared_ptr<const compiled> from) noexcept
    : compiled_(std::move(from)) {}

result<classifier> classifier::build(std::span<const criterion> criteria,
                                     const classifier_limits& limits, code_path path) {
    if (criteria.size() > limits.criteria)
        return fail(errc::too_many_criteria);
    if (has_duplicate_slot(criteria))
        return fail(errc::duplicate_slot);
    if (criteria.empty())
        return classifier();

    memory_budget budget(limits.memory);
    auto built = std::make_unique<compiled>();
    built->set.inet.build(members_of(family::inet, criteria), budget);
    built->set.inet6.build(members_of(family::inet6, criteria), budget);
    built->set.ccc.build(members_of(family::ccc, criteria), budget);
    if (budget.exceeded())
        return fail(errc::too_much_memory);

    const compiled_set& set = built->set;
    built->match = choose_match(path);
    built->cost.criteria = criteria.size();
    built->cost.memory =
        sizeof(compiled) + set.inet.memory() + set.inet6.memory() + set.ccc.memory();
    built->cost.groups_inet = set.inet.groups.size();
    built->cost.groups_inet6 = set.inet6.groups.size();
    if (built->cost.memory > limits.memory)
        return fail(errc::too_much_memory);
    return classifier(std::move(built));
}

std::size_t classifier::match(std::span<const packet_key> keys,
                              match_buffer& found) const noexcept {
    const std::size_t most = found.ends_.size() - 1;
    const auto batch = keys.first(std::min(keys.size(), most));
    found.ends_[0] = 0;
    if (compiled_) {
        const match_output out{found.slots_.data(), found.slots_.size(), found.ends_.data()};
        found.packets_ = compiled_->match(compiled_->set, batch, out);
    } else {
        std::fill_n(found.ends_.begin(), batch.size() + 1, 0U);
        found.packets_ = batch.size();
    }
    return found.packets_;
}

classifier_cost classifier::cost() const noexcept {
    return compiled_ ? compiled_->cost : classifier_cost{};
}

} // namespace flowtap::filter
