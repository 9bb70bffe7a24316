// SPDX-License-Identifier: Apache-2.0
#include "publisher.hpp"

#include <algorithm>
#include <cstddef>
#include <set>

namespace flowtap::tap {

namespace {

std::ptrdiff_t difference(std::size_t count) {
    return static_cast<std::ptrdiff_t>(count);
}

} // namespace

void publisher::insert(filter::criterion what, path::action then) {
    const slot_id slot = what.slot();
    if (places_.size() <= slot.value())
        places_.resize(slot.value() + std::size_t{1}, nowhere);
    places_[slot.value()] = criteria_.size();
    criteria_.push_back(std::move(what));
    actions_.assign(slot, std::move(then));
    newcomers_.push_back(slot);
    changed_ = true;
}

void publisher::erase(slot_id slot) {
    const std::size_t place = std::exchange(places_[slot.value()], nowhere);
    if (place + 1 != criteria_.size()) {
        criteria_[place] = std::move(criteria_.back());
        places_[criteria_[place].slot().value()] = place;
    }
    criteria_.pop_back();
    actions_.erase(slot);
    std::erase(newcomers_, slot);
    changed_ = true;
}

void publisher::change(filter::criterion what, path::action then) {
    const slot_id slot = what.slot();
    criteria_[places_[slot.value()]] = std::move(what);
    actions_.assign(slot, std::move(then));
    changed_ = true;
}

void publisher::replace(path_tables with) {
    tables_ = std::move(with);
    changed_ = true;
}

result<void> publisher::publish(std::size_t memory) {
    watch();
    if (!changed_ || in_force_ < published_)
        return {};
    filter::classifier_limits limits;
    limits.criteria = std::max(limits.criteria, criteria_.size());
    limits.memory = memory;
    auto compiled = filter::classifier::build(criteria_, limits);
    if (!compiled)
        return fail(std::move(compiled).error());

    memory_ = compiled->cost().memory;
    path::snapshot next;
    next.criteria = std::make_shared<const filter::classifier>(std::move(*compiled));
    next.actions = actions_;
    next.interfaces = tables_.interfaces;
    next.own = tables_.own;
    next.gates = tables_.gates;
    next.copy_limits = tables_.copy_limits;
    published_ = edition{published_.value() + 1};
    watched_.emplace_back(published_, path_->publish(std::move(next)));
    newcomers_.clear();
    changed_ = false;
    watch();
    return {};
}

std::vector<slot_id> publisher::find_overflow(std::size_t memory) const {
    if (newcomers_.empty())
        return {};
    constexpr std::size_t most_trials = 12;
    std::size_t trials = most_trials;
    std::vector<slot_id> rejected;
    std::size_t fitting = 0;
    // Each round looks for the first newcomer that does not fit beside those before it.
    do {
        std::size_t failing = newcomers_.size();
        while (failing - fitting > 1) {
            if (trials-- == 0) {
                rejected.insert(rejected.end(), newcomers_.begin() + difference(fitting),
                                newcomers_.end());
                return rejected;
            }
            const std::size_t middle = fitting + (failing - fitting) / 2;
            (fits(middle, rejected, memory) ? fitting : failing) = middle;
        }
        rejected.push_back(newcomers_[fitting]);
        fitting = failing;
    } while (fitting < newcomers_.size() && !fits(newcomers_.size(), rejected, memory));
    return rejected;
}

bool publisher::fits(std::size_t count, std::span<const slot_id> rejected,
                     std::size_t memory) const {
    std::set<slot_id> without(rejected.begin(), rejected.end());
    without.insert(newcomers_.begin() + difference(count), newcomers_.end());
    std::vector<filter::criterion> tried;
    for (const filter::criterion& one : criteria_)
        if (!without.contains(one.slot()))
            tried.push_back(one);
    filter::classifier_limits limits;
    limits.criteria = std::max(limits.criteria, tried.size());
    limits.memory = memory;
    return filter::classifier::build(tried, limits).has_value();
}

void publisher::watch() {
    // settled() may put a publication in force that was held back, so it comes first.
    const path::generation settled = path_->settled();
    const path::generation in_force = path_->in_force();
    for (const auto& [number, generation] : watched_)
        if (generation <= in_force)
            in_force_ = number;
    while (!watched_.empty() && watched_.front().second <= settled) {
        settled_ = watched_.front().first;
        watched_.pop_front();
    }
}

} // namespace flowtap::tap
