// SPDX-License-Identifier: Apache-2.0
#include "publication.hpp"

#include <utility>

namespace flowtap::path::detail {

namespace {

/// Workers need not ask whether there is a classifier.
std::unique_ptr<const published> make_published(snapshot what, std::uint64_t number) {
    if (!what.criteria)
        what.criteria = std::make_shared<const filter::classifier>();
    const bool sees_frames = what.criteria->cost().frames != 0;
    return std::make_unique<const published>(published{std::move(what), number, sees_frames});
}

} // namespace

publication::publication() : in_force_(make_published({}, 0)) {
    current_.store(in_force_.get());
}

publication::~publication() = default;

void publication::add(reader& place) noexcept {
    // Workers walk the list while it grows; nothing is ever taken out of it.
    place.next_ = readers_.load();
    readers_.store(&place);
}

const published& publication::enter(reader& place) noexcept {
    place.state_.store(reader::entering);
    const published* now = current_.load();
    place.state_.store(now->number + 2, std::memory_order_release);
    return *now;
}

void publication::leave(reader& place) noexcept {
    place.state_.store(reader::offline);
    std::uint64_t number = awaited_.load();
    if (number == 0 || !all_passed(number))
        return;
    // Of several workers that see this, one calls.
    if (awaited_.compare_exchange_strong(number, 0) && wake_)
        wake_();
}

bool publication::all_passed(std::uint64_t number) const noexcept {
    for (const reader* place = readers_.load(); place != nullptr; place = place->next_) {
        const std::uint64_t state = place->state_.load();
        if (state == reader::entering || (state != reader::offline && state - 2 < number))
            return false;
    }
    return true;
}

void publication::put_in_force(std::unique_ptr<const published> what) noexcept {
    before_ = std::exchange(in_force_, std::move(what));
    current_.store(in_force_.get());
}

std::uint64_t publication::publish(snapshot what) {
    waiting_ = make_published(std::move(what), ++last_);
    settled();
    return last_;
}

std::uint64_t publication::settled() {
    for (;;) {
        if (before_) {
            // Announced first: a worker that leaves after the look below then calls.
            awaited_.store(in_force_->number);
            if (!all_passed(in_force_->number))
                return before_->number;
            awaited_.store(0);
            before_.reset();
        }
        if (!waiting_)
            return in_force_->number;
        put_in_force(std::move(waiting_));
    }
}

} // namespace flowtap::path::detail
