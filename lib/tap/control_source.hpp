// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/ids.hpp>
#include <flowtap/dtcp/authentication.hpp>
#include <flowtap/dtcp/request.hpp>
#include <flowtap/dtcp/version.hpp>
#include <flowtap/tap/settings.hpp>

#include "criterion.hpp"
#include "sequence_guard.hpp"

namespace flowtap::tap {

/// One mediation device as the protocol knows it, with its criteria. It outlives its sessions and
/// its criteria, so that no number of it is ever used again.
class control_source {
public:
    control_source(control_source_id number, std::string name)
        : id_(number), name_(std::move(name)) {}

    control_source_id id() const noexcept { return id_; }
    const std::string& name() const noexcept { return name_; }

    control_source_settings with;
    /// Made for `with.key`.
    std::unique_ptr<dtcp::keyed_hash> hash;
    sequence_guard sequence;
    /// Of the last request that could be read: notifications speak it, too.
    std::optional<dtcp::version> last_version;
    /// A session asked for notifications.
    bool wants_notifications = false;
    /// Answers to datagrams that have not been sent to their end.
    std::size_t replies_waiting = 0;
    /// Entries in LIST answers that have not been read to their end.
    std::size_t entries_listed = 0;
    /// The edition that does not have the criterion removed last.
    edition last_removal;

    /// The id that the next criterion gets; 0 when all have been used.
    criteria_id next_id() const noexcept { return next_id_; }
    /// Takes a criterion whose id is `next_id()`.
    criterion& insert(std::unique_ptr<criterion> added);
    void erase(criteria_id id);

    criterion* find(criteria_id id);
    std::size_t size() const noexcept { return criteria_.size(); }
    /// Those that count towards limits: subscriber criteria have one of their own.
    std::size_t filters() const noexcept { return criteria_.size() - triggers_; }
    /// By id.
    const std::map<criteria_id, std::unique_ptr<criterion>>& criteria() const noexcept {
        return criteria_;
    }

    /// The criteria that are selected, by id. Takes time in proportion to the entries of the
    /// selection and to the criteria gone through, of which a negated entry leaves some out: their
    /// number is added to `visited`.
    std::vector<criterion*> select(const dtcp::selector& by, std::size_t& visited) const;
    std::vector<criterion*> select(const dtcp::selector& by) const {
        std::size_t ignored = 0;
        return select(by, ignored);
    }
    std::vector<criterion*> select_all() const;
    bool has_criteria_to(const std::string& cdest_id) const {
        return by_destination_.contains(cdest_id);
    }

private:
    std::vector<criterion*> select(const dtcp::criteria_selection& by, std::size_t& visited) const;
    std::vector<criterion*> select(const std::string& cdest_id, std::size_t& visited) const;

    control_source_id id_;
    std::string name_;
    criteria_id next_id_{1};
    std::map<criteria_id, std::unique_ptr<criterion>> criteria_;
    std::map<std::string, std::set<criteria_id>, std::less<>> by_destination_;
    std::size_t triggers_ = 0;
};

} // namespace flowtap::tap
