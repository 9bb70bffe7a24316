// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/dtcp/request.hpp>
#include <flowtap/dtcp/response.hpp>
#include <flowtap/path/data_path.hpp>
#include <flowtap/tap/subscribers.hpp>

#include "bandwidth.hpp"
#include "edition.hpp"
#include "stream_table.hpp"

namespace flowtap::tap {

struct content_destination;

/// What a criterion was added with. Never changes, and is shared with the LIST answers that are
/// still on their way.
struct criterion_terms {
    /// All of an entry that does not change: no statistics, number or count.
    dtcp::list_entry entry;
    std::uint8_t priority = 1;
};

/// The timeouts of a criterion as they were set, and where those in seconds count from. What is
/// left of packets and octets is known to the data path alone. REFRESH makes a new one.
struct countdowns {
    dtcp::timeouts limits;
    steady_time idle_since;
    steady_time total_since;
    std::uint32_t refreshes = 0;
    std::optional<wall_time> last_refresh;
};

/// The countdowns after a REFRESH: each timeout that is given starts again, the others go on.
countdowns refreshed(const countdowns& before, const dtcp::timeouts& given, time_stamp now);

/// Dropped packets that a control source was told of, and when it may be told of more.
struct drop_report {
    std::uint64_t packets = 0;
    steady_time next = steady_time::min();
};

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

    // Of a subscriber ADD only, whose slot has no filter: its mirrors have their own.
    trigger_number trigger;
    /// The drop policy that is on.
    std::optional<std::string> drop_policy;

    // In dynamic flow capture only.
    std::vector<std::shared_ptr<content_destination>> destinations;
    /// As `path::action::rank`.
    std::uint64_t rank = 0;
    /// Bit/s, when the counters were read last.
    std::uint64_t bandwidth = 0;
    /// By content destination.
    std::array<drop_report, path::max_targets> drop_reports{};

    bool is_static() const noexcept { return terms->entry.is_static; }
};

/// What the counters of a criterion stood at, at one moment: all that a LIST answer keeps of it
/// besides what is shared.
struct criterion_reading {
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;
    std::uint64_t bandwidth = 0;
    /// What is left of the timeouts in packets and octets; of use where they are set.
    std::uint64_t packets_left = 0;
    std::uint64_t octets_left = 0;
    /// The beginning of time if it never matched.
    steady_time last_match = steady_time::min();
};

/// All of a reading but the bandwidth.
criterion_reading make_reading(const path::slot_counters& counted, const path::match_budget& left);

/// What is left of each timeout that is set; zero of one that has ended.
dtcp::timeouts remaining_of(const countdowns& timers, const criterion_reading& reading,
                            steady_time now);

/// What LIST shows of a criterion under Stats, as it was at `now`.
dtcp::list_statistics make_statistics(const criterion_reading& reading, const countdowns& timers,
                                      steady_time now);

} // namespace flowtap::tap
