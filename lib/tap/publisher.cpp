// SPDX-License-Identifier: Apache-2.0
#include "publisher.hpp"

#include <limits>

namespace flowtap::tap {

namespace {

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

} // namespace

void publisher::limit(std::size_t memory) {
    // How many criteria there may be is the roster's business.
    limits_.criteria = unlimited;
    limits_.memory = memory;
    criteria_.limit(limits_);
}

result<void> publisher::insert(filter::criterion what) {
    const slot_id slot = what.slot();
    auto inserted = criteria_.insert(std::move(what));
    if (!inserted)
        return inserted;
    kernel_.insert(slot, filter_of(slot).spec());
    changed_ = true;
    return inserted;
}

void publisher::assign(slot_id slot, path::action then) {
    actions_.assign(slot, std::move(then));
    changed_ = true;
}

void publisher::erase(slot_id slot) {
    criteria_.erase(slot);
    actions_.erase(slot);
    kernel_.erase(slot);
    changed_ = true;
}

result<void> publisher::change(filter::criterion what, path::action then) {
    const slot_id slot = what.slot();
    erase(slot);
    auto inserted = insert_beyond_limits(std::move(what));
    if (!inserted)
        return inserted;
    actions_.assign(slot, std::move(then));
    kernel_.insert(slot, filter_of(slot).spec());
    return inserted;
}

result<void> publisher::insert_beyond_limits(filter::criterion what) {
    struct limits_again {
        ~limits_again() { of.criteria_.limit(of.limits_); }
        publisher& of;
    };
    const limits_again at_the_end{*this};
    criteria_.limit({.criteria = unlimited, .memory = unlimited, .entries = unlimited});
    return criteria_.insert(std::move(what));
}

void publisher::replace(path_tables with) {
    tables_ = std::move(with);
    kernel_.replace(tables_.interfaces);
    changed_ = true;
}

path::snapshot publisher::next_snapshot() {
    path::snapshot next;
    next.criteria = std::make_shared<const filter::classifier>(criteria_.version());
    next.actions = actions_;
    next.interfaces = tables_.interfaces;
    next.own = tables_.own;
    next.gates = tables_.gates;
    next.copy_limits = tables_.copy_limits;
    next.fragments = tables_.fragments;
    return next;
}

void publisher::publish(steady_time now) {
    watch();
    kernel_.collect();
    if (in_force_ < published_)
        return;
    if (changed_)
        last_change_ = now;
    const bool was_done = merger_.is_done();
    const bool merged = merger_.collect(criteria_);
    if (!changed_ && !merged) {
        kernel_.begin(now);
        // What came to nothing, as for want of memory, is not begun again at once, and so for ever.
        if (!was_done && now - last_change_ >= quiet)
            merger_.begin(criteria_, filter::merge_aim::whole);
        return;
    }

    // Before workers know what is new, the packets that it matches must come as far as to them.
    kernel_.widen();
    published_ = edition{published_.value() + 1};
    watched_.emplace_back(published_, path_->publish(next_snapshot()));
    changed_ = false;
    watch();
    if (in_force_ >= published_)
        kernel_.begin(now);
    merger_.begin(criteria_, filter::merge_aim::steady);
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
