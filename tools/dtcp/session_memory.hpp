// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include <flowtap/dtcp/escape.hpp>
#include <flowtap/dtcp/response.hpp>

namespace dtcp_tool {

/// What answers have told of one's own criteria, to be offered when a command is completed.
class session_memory {
public:
    void learn(const flowtap::dtcp::list_entry& entry) {
        criteria_.insert(entry.id.value());
        // As they are to be typed, and so that none commands the terminal.
        for (const std::string& destination : entry.cdest_ids)
            destinations_.insert(flowtap::dtcp::escape_value(destination));
    }
    void learn(const flowtap::dtcp::response& answer) {
        if (answer.status == flowtap::dtcp::status_code::ok && answer.criterion)
            criteria_.insert(*answer.criterion);
    }
    /// Criteria end by notifications, too.
    void learn(const flowtap::dtcp::notification& told) {
        using flowtap::dtcp::status_code;
        if (told.status == status_code::criterion_timeout && told.criterion)
            criteria_.erase(*told.criterion);
        if (told.status == status_code::congestion_delete)
            std::erase_if(criteria_, [&](std::uint64_t id) { return told.purged.admits(id); });
        if (told.status == status_code::restart)
            criteria_.clear();
    }
    void forget(std::uint64_t criterion) { criteria_.erase(criterion); }
    void forget_criteria() { criteria_.clear(); }

    const std::set<std::uint64_t>& criteria() const noexcept { return criteria_; }
    const std::set<std::string>& destinations() const noexcept { return destinations_; }

private:
    std::set<std::uint64_t> criteria_;
    std::set<std::string> destinations_;
};

} // namespace dtcp_tool
