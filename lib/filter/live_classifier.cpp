// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <flowtap/filter/live_classifier.hpp>

#include "live_state.hpp"

namespace flowtap::filter {

merge_job::merge_job(merge_job&&) noexcept = default;
merge_job& merge_job::operator=(merge_job&&) noexcept = default;
merge_job::~merge_job() = default;
merge_job::merge_job(std::unique_ptr<work> what) noexcept : work_(std::move(what)) {}

void merge_job::run() noexcept {
    if (!work_ || work_->has_run)
        return;
    work_->retired.clear();
    try {
        work_->outcome = merge(work_->parts, {}, work_->path);
        work_->has_run = true;
    } catch (...) {
        // Memory was lost. As if it had not been run: what is held stays as it is.
        work_->outcome.reset();
    }
}

std::size_t merge_job::size() const noexcept {
    return work_ ? work_->size : 0;
}

live_classifier::live_classifier(const classifier_limits& limits, code_path path)
    : state_(std::make_unique<state>(limits, path)) {}
live_classifier::~live_classifier() = default;

result<void> live_classifier::insert(criterion what) {
    return state_->insert(std::move(what));
}

bool live_classifier::erase(slot_id slot) {
    return state_->erase(slot);
}

const criterion* live_classifier::find(slot_id slot) const noexcept {
    const state::slot_record* const record = state_->slots.find(slot);
    return record == nullptr ? nullptr : record->what;
}

std::size_t live_classifier::size() const noexcept {
    return state_->size;
}

classifier live_classifier::version() {
    if (state_->changed)
        state_->renew();
    return classifier(state_->newest);
}

std::optional<merge_job> live_classifier::begin_merge(merge_aim aim) {
    auto work = state_->begin(aim);
    if (!work)
        return std::nullopt;
    return merge_job(std::move(work));
}

bool live_classifier::finish(merge_job done) {
    return done.work_ && state_->finish(*done.work_);
}

void live_classifier::limit(const classifier_limits& limits) noexcept {
    state_->limits = limits;
}

classifier_cost live_classifier::cost() const noexcept {
    return state_->cost();
}

std::uint64_t live_classifier::compiled() const noexcept {
    return state_->compiled;
}

} // namespace flowtap::filter
