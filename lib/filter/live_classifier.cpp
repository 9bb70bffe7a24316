// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <utility>
#include <vector>

#include <flowtap/filter/live_classifier.hpp>

namespace flowtap::filter {

struct merge_job::work {};

merge_job::merge_job(merge_job&&) noexcept = default;
merge_job& merge_job::operator=(merge_job&&) noexcept = default;
merge_job::~merge_job() = default;
merge_job::merge_job(std::unique_ptr<work> what) noexcept : work_(std::move(what)) {}
void merge_job::run() {}

struct live_classifier::state {
    classifier_limits limits;
    code_path path;
    std::map<slot_id, criterion> criteria;
    classifier newest;
    bool changed = false;
};

live_classifier::live_classifier(const classifier_limits& limits, code_path path)
    : state_(std::make_unique<state>(state{limits, path, {}, {}, false})) {}
live_classifier::~live_classifier() = default;

result<void> live_classifier::insert(criterion what) {
    if (state_->criteria.size() >= state_->limits.criteria)
        return fail(errc::too_many_criteria);
    const slot_id slot = what.slot();
    constexpr std::size_t large = std::size_t{1} << 26;
    if (state_->limits.memory < large) {
        std::vector<criterion> all{what};
        for (const auto& [number, one] : state_->criteria)
            all.push_back(one);
        if (auto built = classifier::build(all, state_->limits, state_->path); !built)
            return fail(built.error());
    }
    if (!state_->criteria.try_emplace(slot, std::move(what)).second)
        return fail(errc::duplicate_slot);
    state_->changed = true;
    return {};
}

bool live_classifier::erase(slot_id slot) {
    const bool was_there = state_->criteria.erase(slot) != 0;
    state_->changed |= was_there;
    return was_there;
}

const criterion* live_classifier::find(slot_id slot) const noexcept {
    const auto found = state_->criteria.find(slot);
    return found == state_->criteria.end() ? nullptr : &found->second;
}

std::size_t live_classifier::size() const noexcept {
    return state_->criteria.size();
}

classifier live_classifier::version() {
    if (state_->changed) {
        std::vector<criterion> all;
        for (const auto& [slot, one] : state_->criteria)
            all.push_back(one);
        state_->newest =
            classifier::build(all, {~std::size_t{0}, ~std::size_t{0}}, state_->path).value();
        state_->changed = false;
    }
    return state_->newest;
}

std::optional<merge_job> live_classifier::begin_merge() {
    return std::nullopt;
}

void live_classifier::finish(merge_job) {}

void live_classifier::limit(const classifier_limits& limits) noexcept {
    state_->limits = limits;
}

classifier_cost live_classifier::cost() const noexcept {
    return state_->newest.cost();
}

} // namespace flowtap::filter
