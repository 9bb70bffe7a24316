// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/ids.hpp>

namespace flowtap::tap {

/// A moment at which the criterion of a slot is to be looked at.
struct timer {
    steady_time due;
    /// Timers of one moment are due in the order in which they were set. 0 stands for no timer.
    std::uint64_t order = 0;
    slot_id who;

    friend bool operator<(const timer& a, const timer& b) noexcept {
        return a.due != b.due ? a.due < b.due : a.order < b.order;
    }
};

/// The timers of all criteria, one each at most, in the order in which they are due. Every change
/// is logarithmic in their number, and nothing ever goes through all of them.
///
/// `Less` orders two timers; tests count how often it is called.
template <class Less = std::less<timer>>
class basic_timer_queue {
public:
    explicit basic_timer_queue(Less less = Less()) : queue_(less) {}

    /// Sets the timer of `who`, in the place of the one it has.
    void set(slot_id who, steady_time due) {
        cancel(who);
        if (timers_.size() <= who.value())
            timers_.resize(who.value() + std::size_t{1});
        timers_[who.value()] = {due, ++last_order_, who};
        queue_.insert(timers_[who.value()]);
    }

    void cancel(slot_id who) {
        if (who.value() >= timers_.size() || timers_[who.value()].order == 0)
            return;
        queue_.erase(timers_[who.value()]);
        timers_[who.value()] = {};
    }

    /// When the first one is due; none if there is none.
    std::optional<steady_time> next() const {
        if (queue_.empty())
            return std::nullopt;
        return queue_.begin()->due;
    }

    /// Whether `who` has a timer that is due. Constant time.
    bool is_due(slot_id who, steady_time now) const noexcept {
        return who.value() < timers_.size() && timers_[who.value()].order != 0 &&
               timers_[who.value()].due <= now;
    }

    /// Takes out the first one that is due; none if there is none (more).
    std::optional<timer> take_due(steady_time now) {
        if (queue_.empty() || now < queue_.begin()->due)
            return std::nullopt;
        const timer first = *queue_.begin();
        timers_[first.who.value()] = {};
        queue_.erase(queue_.begin());
        return first;
    }

    std::size_t size() const noexcept { return queue_.size(); }

private:
    std::set<timer, Less> queue_;
    std::vector<timer> timers_; ///< by slot
    std::uint64_t last_order_ = 0;
};

using timer_queue = basic_timer_queue<>;

} // namespace flowtap::tap
