// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>

#include <flowtap/core/clock.hpp>

namespace flowtap::tap {

class control_source;

/// When each control source that a remote authority vouched for did last log in. Every call is
/// logarithmic in their number.
class remote_logins {
public:
    void note(control_source& who, steady_time now) {
        forget(who);
        by_time_.emplace(now, &who);
        times_.emplace(&who, now);
    }

    void forget(control_source& who) {
        const auto found = times_.find(&who);
        if (found == times_.end())
            return;
        by_time_.erase({found->second, &who});
        times_.erase(found);
    }

    /// The time of the one that is longest ago; none if there is none.
    std::optional<steady_time> oldest() const {
        if (by_time_.empty())
            return std::nullopt;
        return by_time_.begin()->first;
    }

    /// Takes out the one that is longest ago, if that was at `until` or before; null if not.
    control_source* take(steady_time until) {
        if (by_time_.empty() || until < by_time_.begin()->first)
            return nullptr;
        control_source* const first = by_time_.begin()->second;
        forget(*first);
        return first;
    }

private:
    std::set<std::pair<steady_time, control_source*>> by_time_;
    std::map<control_source*, steady_time> times_;
};

} // namespace flowtap::tap
