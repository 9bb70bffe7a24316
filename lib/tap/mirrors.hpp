// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/path/data_path.hpp>
#include <flowtap/tap/subscribers.hpp>

#include "name_table.hpp"
#include "publisher.hpp"
#include "stream_table.hpp"

namespace flowtap::tap {

/// All mirrors, each of which has a few criteria of the data path that share its streams: one for
/// each direction and family. They belong to no control source.
class mirror_table final : public mirror_port {
public:
    mirror_table(path::data_path& path, publisher& published, stream_table& streams,
                 name_table& names)
        : path_(&path), published_(&published), streams_(&streams), names_(&names) {}

    result<mirror_number> add_mirror(const mirror& what) override;
    result<void> change_mirror(mirror_number which, const mirror& what) override;
    void remove_mirror(mirror_number which) override;

    /// A name for one more criterion.
    trigger_number next_trigger() noexcept { return trigger_number{++last_trigger_}; }
    /// What all mirrors of a criterion have matched, those that are gone included.
    path::slot_counters counters(trigger_number of) const;
    /// The criterion is deleted, and so are its mirrors.
    void forget(trigger_number which) { triggers_.erase(which); }

    std::size_t size() const noexcept { return mirrors_.size(); }
    /// What all mirrors have matched, those that are gone included.
    path::slot_counters totals() const;

private:
    struct placed {
        mirror what;
        std::vector<slot_id> slots;
        std::vector<stream_key> streams;
    };
    /// A criterion that has, or had, mirrors.
    struct asked {
        std::set<mirror_number> mirrors;
        path::slot_counters ended;
    };

    result<std::vector<filter_spec>> specs_of(const mirror& what) const;
    result<void> place(placed& made);
    path::action action_of(const placed& of, std::vector<packet::header_template> headers);
    void take_out(placed& gone, std::vector<stream_key> streams);
    void drop_slots(placed& of);
    path::slot_counters counters_of(const placed& of) const;

    path::data_path* path_;
    publisher* published_;
    stream_table* streams_;
    name_table* names_;
    std::map<mirror_number, placed> mirrors_;
    std::map<trigger_number, asked> triggers_;
    path::slot_counters ended_;
    std::uint64_t last_mirror_ = 0;
    std::uint64_t last_trigger_ = 0;
};

} // namespace flowtap::tap
