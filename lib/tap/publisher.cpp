// SPDX-License-Identifier: Apache-2.0
#include "publisher.hpp"

#include <algorithm>

namespace flowtap::tap {

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

void publisher::replace(std::shared_ptr<const path::interface_map> interfaces,
                        std::shared_ptr<const path::own_traffic> own) {
    interfaces_ = std::move(interfaces);
    own_ = std::move(own);
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

    path::snapshot next;
    next.criteria = std::make_shared<const filter::classifier>(std::move(*compiled));
    next.actions = actions_;
    next.interfaces = interfaces_;
    next.own = own_;
    published_ = edition{published_.value() + 1};
    watched_.emplace_back(published_, path_->publish(std::move(next)));
    newcomers_.clear();
    changed_ = false;
    watch();
    return {};
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
