// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <flowtap/filter/classifier.hpp>

#include "assembly.hpp"
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
    for (std::size_t i = 0; i < criteria.size(); ++i) {
        const filter_spec& spec = criteria[i].spec();
        // A frame has no values; ports and ICMP are looked up as absent, but a protocol never is.
        const bool never = wanted == family::ccc && !spec.protocols.is_wildcard();
        if (spec.families.contains(wanted) && !never)
            members.push_back(make_member(spec, static_cast<std::uint32_t>(i)));
    }
    return members;
}

} // namespace

match_buffer::match_buffer(std::size_t max_packets, std::size_t max_matches)
    : slots_(max_matches), ends_(max_packets + 2),
      hits_(std::make_unique_for_overwrite<detail::hit[]>(max_matches)) {}

struct classifier::compiled {
    compiled_set set;
    std::unique_ptr<entry[]> entries;
    match_function match = nullptr;
    version_number number = 0;
    classifier_cost cost;

    /// Adds all matches of the packets of a chunk to `found`, unless that is full before.
    void find(std::span<const packet_key> keys, hit_list& found) const noexcept {
        found.enter(entries.get());
        match(set, keys, found);
    }
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

    built->entries = std::make_unique<entry[]>(criteria.size());
    for (std::size_t i = 0; i < criteria.size(); ++i)
        built->entries[i].slot = criteria[i].slot();
    const compiled_set& set = built->set;
    built->match = choose_match(path);
    built->cost.criteria = criteria.size();
    built->cost.memory = sizeof(compiled) + criteria.size() * sizeof(entry) + set.inet.memory() +
                         set.inet6.memory() + set.ccc.memory();
    built->cost.groups_inet = set.inet.groups.size();
    built->cost.groups_inet6 = set.inet6.groups.size();
    if (built->cost.memory > limits.memory)
        return fail(errc::too_much_memory);
    return classifier(std::move(built));
}

std::size_t classifier::match(std::span<const packet_key> keys,
                              match_buffer& found) const noexcept {
    const auto batch = keys.first(std::min(keys.size(), found.ends_.size() - 2));
    found.ends_[0] = 0;
    found.packets_ = batch.size();
    if (!compiled_) {
        std::fill_n(found.ends_.begin(), batch.size() + 1, 0U);
        return batch.size();
    }
    std::size_t size = chunk_packets;
    for (std::size_t done = 0; done < batch.size();) {
        const auto chunk = batch.subspan(done, std::min(size, batch.size() - done));
        std::uint32_t* const ends = found.ends_.data() + done;
        hit_list hits(found.hits_.get(), found.slots_.size() - *ends, compiled_->number);
        compiled_->find(chunk, hits);
        if (!hits.full()) {
            assemble(hits, chunk.size(), found.slots_.data(), ends);
            done += chunk.size();
            size = std::min(size * 2, chunk_packets);
        } else if (chunk.size() > 1) {
            size = chunk.size() / 2;
        } else {
            found.packets_ = done;
            break;
        }
    }
    return found.packets_;
}

classifier_cost classifier::cost() const noexcept {
    return compiled_ ? compiled_->cost : classifier_cost{};
}

} // namespace flowtap::filter
