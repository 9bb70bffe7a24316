// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <flowtap/core/clock.hpp>
#include <flowtap/subscriber/mirroring.hpp>

namespace flowtap::subscriber {

/// What RADIUS has asked for at logins whose sessions have not begun yet.
class announcements {
public:
    /// Whether there are fewer than `most` of others.
    bool has_room(const session_identity& of, std::size_t most, steady_time now) {
        drop_ended(now);
        return waiting_.size() < most + (waiting_.contains(key_of(of)) ? 1 : 0);
    }

    void put(const session_identity& of, const radius_request& asked, steady_time until) {
        erase(of);
        waiting_[key_of(of)] = {asked, until};
        order_.emplace(until, key_of(of));
    }

    void erase(const session_identity& of) {
        const auto found = waiting_.find(key_of(of));
        if (found == waiting_.end())
            return;
        order_.erase({found->second.until, found->first});
        waiting_.erase(found);
    }

    /// Takes out what was asked for a session that begins; none if nothing was, or too long ago.
    std::optional<radius_request> take(const session_identity& of, steady_time now) {
        drop_ended(now);
        const auto found = waiting_.find(key_of(of));
        if (found == waiting_.end())
            return std::nullopt;
        const radius_request asked = found->second.asked;
        erase(of);
        return asked;
    }

private:
    using key = std::pair<std::string, std::string>;
    struct announcement {
        radius_request asked;
        steady_time until;
    };

    static key key_of(const session_identity& of) { return {of.element, of.accounting_session}; }

    void drop_ended(steady_time now) {
        for (; !order_.empty() && order_.begin()->first <= now; order_.erase(order_.begin()))
            waiting_.erase(order_.begin()->second);
    }

    std::map<key, announcement> waiting_;
    std::set<std::pair<steady_time, key>> order_;
};

} // namespace flowtap::subscriber
