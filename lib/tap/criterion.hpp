// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/dtcp/request.hpp>
#include <flowtap/dtcp/response.hpp>

#include "bandwidth.hpp"
#include "edition.hpp"
#include "stream_table.hpp"

namespace flowtap::tap {

/// What a criterion was added with. Never changes, and is shared with the LIST answers that are
/// still on their way.
struct criterion_terms {
    /// All of an entry that does not change: no statistics, number or count.
    dtcp::list_entry entry;
    std::uint8_t priority = 1;
};

/// The timeouts of a criterion and where they count from. REFRESH makes a new one.
struct countdowns {
    dtcp::timeouts limits;
    steady_time idle_since;
    steady_time total_since;
    /// What the counters stood at when the timeout was set.
    std::uint64_t packets_from = 0;
    std::uint64_t octets_from = 0;
    std::uint32_t refreshes = 0;
    std::optional<wall_time> last_refresh;
};

/// The countdowns after a REFRESH: each timeout that is given starts again, the others go on.
countdowns refreshed(const countdowns& before, const dtcp::timeouts& given, std::uint64_t packets,
                     std::uint64_t octets, time_stamp now);

/// One thing that a control source wants copied.
struct criterion {
    criterion(criteria_id number, slot_id place, bandwidth_meter with)
        : id(number), slot(place), meter(with) {}

    criteria_id id;
    slot_id slot;
    std::shared_ptr<const criterion_terms> terms;
    std::shared_ptr<const countdowns> timers;
    std::vector<stream_key> streams;
    bandwidth_meter meter;

    bool is_static() const noexcept { return terms->entry.is_static; }
};

/// What the counters of a criterion stood at, at one moment: all that a LIST answer keeps of it
/// besides what is shared.
struct criterion_reading {
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;
    std::uint64_t bandwidth = 0;
    steady_time last_active;
};

/// What LIST shows of a criterion under Stats, as it was at `now`.
dtcp::list_statistics make_statistics(const criterion_reading& reading, const countdowns& timers,
                                      steady_time now);

} // namespace flowtap::tap
