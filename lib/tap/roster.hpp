// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/dtcp/authentication.hpp>
#include <flowtap/tap/settings.hpp>

#include "control_source.hpp"
#include "stream_table.hpp"

namespace flowtap::tap {

using hash_maker = std::function<std::unique_ptr<dtcp::keyed_hash>(std::string_view key)>;

/// All control sources that ever were, and what each may use of the system's limits.
///
/// A quota is set aside for its control source, used or not. The control sources without one share
/// what is left. So a control source with a quota learns nothing of the others from a 550; those
/// without can learn how much they have taken together, and nothing more. Content destinations
/// are shared out in the same proportion (551).
class roster {
public:
    explicit roster(hash_maker make_hash) : make_hash_(std::move(make_hash)) {}

    /// The control sources that are configured exist from now on.
    void apply(const settings& with);

    /// The control source of that name; it is made when it does not exist.
    control_source& enter(const std::string& name);

    /// Null if there never was one of that number.
    control_source* find(control_source_id number) const noexcept;

    /// By name.
    const std::map<std::string, std::unique_ptr<control_source>, std::less<>>&
    sources() const noexcept {
        return sources_;
    }

    bool has_room_for_criterion(const control_source& of) const;
    bool has_room_for_streams(const control_source& of, std::size_t added,
                              const stream_table& streams) const;

    criterion& insert(control_source& into, std::unique_ptr<criterion> added);
    void erase(control_source& from, criteria_id id);
    /// Over all control sources.
    std::size_t criteria() const noexcept { return criteria_; }

private:
    /// True if a quota is set aside for this control source alone.
    bool has_quota(const control_source& of) const;
    void configure(control_source& one);
    std::size_t stream_quota(std::size_t criteria_quota) const;

    hash_maker make_hash_;
    settings with_;
    std::map<std::string, std::unique_ptr<control_source>, std::less<>> sources_;
    std::vector<control_source*> by_number_;
    std::size_t criteria_ = 0;
    /// Those of control sources without a quota.
    std::size_t shared_criteria_ = 0;
    /// What the quotas set aside.
    std::size_t reserved_criteria_ = 0;
    std::size_t reserved_streams_ = 0;
};

} // namespace flowtap::tap
