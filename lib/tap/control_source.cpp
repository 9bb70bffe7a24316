// SPDX-License-Identifier: Apache-2.0
#include "control_source.hpp"

#include "interval_set.hpp"

namespace flowtap::tap {

criterion& control_source::insert(std::unique_ptr<criterion> added) {
    for (const std::string& destination : added->terms->entry.cdest_ids)
        by_destination_[destination].insert(added->id);
    next_id_ = criteria_id{added->id.value() + 1};
    triggers_ += added->trigger != trigger_number{};
    const criteria_id id = added->id;
    return *criteria_.emplace_hint(criteria_.end(), id, std::move(added))->second;
}

void control_source::erase(criteria_id id) {
    const auto found = criteria_.find(id);
    for (const std::string& destination : found->second->terms->entry.cdest_ids) {
        const auto index = by_destination_.find(destination);
        if (index == by_destination_.end())
            continue;
        index->second.erase(id);
        if (index->second.empty())
            by_destination_.erase(index);
    }
    triggers_ -= found->second->trigger != trigger_number{};
    criteria_.erase(found);
}

criterion* control_source::find(criteria_id id) {
    const auto found = criteria_.find(id);
    return found == criteria_.end() ? nullptr : found->second.get();
}

std::vector<criterion*> control_source::select(const dtcp::selector& by,
                                               std::size_t& visited) const {
    return std::visit([&](const auto& one) { return select(one, visited); }, by);
}

std::vector<criterion*> control_source::select_all() const {
    std::vector<criterion*> all;
    all.reserve(criteria_.size());
    for (const auto& [id, one] : criteria_)
        all.push_back(one.get());
    return all;
}

std::vector<criterion*> control_source::select(const dtcp::criteria_selection& by,
                                               std::size_t& visited) const {
    interval_set wanted;
    interval_set unwanted;
    bool some_plain = false;
    for (const auto& entry : by.ids.entries) {
        (entry.negated ? unwanted : wanted).insert(entry);
        some_plain |= !entry.negated;
    }
    if (!some_plain)
        wanted.insert({1, UINT32_MAX});
    wanted.normalise();
    unwanted.normalise();

    std::vector<criterion*> selected;
    for (const auto& range : wanted.ranges()) {
        if (range.first > UINT32_MAX)
            break;
        auto at = criteria_.lower_bound(criteria_id{static_cast<std::uint32_t>(range.first)});
        for (; at != criteria_.end() && at->first.value() <= range.last; ++at, ++visited)
            if (!unwanted.contains(at->first.value()))
                selected.push_back(at->second.get());
    }
    return selected;
}

std::vector<criterion*> control_source::select(const std::string& cdest_id,
                                               std::size_t& visited) const {
    std::vector<criterion*> selected;
    const auto found = by_destination_.find(cdest_id);
    if (found == by_destination_.end())
        return selected;
    for (const criteria_id id : found->second)
        selected.push_back(criteria_.find(id)->second.get());
    visited += selected.size();
    return selected;
}

} // namespace flowtap::tap
