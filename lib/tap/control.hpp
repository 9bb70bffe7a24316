// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <flowtap/core/address.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/dtcp/response.hpp>
#include <flowtap/tap/access_point.hpp>

#include "bandwidth.hpp"
#include "capture_groups.hpp"
#include "control_source.hpp"
#include "mirrors.hpp"
#include "name_table.hpp"
#include "notifier.hpp"
#include "publisher.hpp"
#include "roster.hpp"
#include "slot_index.hpp"
#include "stream_table.hpp"
#include "timers.hpp"

namespace flowtap::tap {

/// All that an access point knows but for its sessions.
struct control {
    control(settings with_settings, surroundings around);

    settings with;
    path::data_path& path;
    audit_log& audit;
    hash_maker make_hash;
    roster sources;
    name_table names;
    /// Of dynamic flow capture.
    capture_groups groups;
    stream_table streams;
    publisher published;
    mirror_table mirrors;
    /// Null: nobody knows subscribers.
    subscriber_service* subscribers;
    /// All criteria.
    slot_index placed;
    /// When a timeout in seconds may have ended.
    timer_queue timers;
    sample_clock samples;
    /// Criteria that were ever added.
    std::uint64_t arrivals = 0;
    notifier notifications;
    sequence_store* sequences;
    status counts;

    void apply(settings next);

    /// Puts a criterion in its place and starts its countdowns. It is in force from the edition on
    /// that is pending now.
    criterion& insert(control_source& into, std::unique_ptr<criterion> added);

    /// Deletes a criterion: it copies nothing more for packets that workers have not begun with,
    /// and is gone for good in the edition that this returns.
    edition remove(control_source& from, criterion& what, time_stamp now);

    /// What a criterion has matched: that of a subscriber ADD by its mirrors.
    path::slot_counters counters_of(const criterion& what) const {
        return what.trigger == trigger_number{} ? path.counters(what.slot)
                                                : mirrors.counters(what.trigger);
    }

    /// What the counters of a criterion stand at.
    criterion_reading read(criterion& what, steady_time now);

    /// Reads the counters of some criteria for their averages, and begins a new round when the last
    /// one is complete. Returns true if that deleted criteria.
    bool sample(time_stamp now);
    /// When `sample` is to be called next.
    steady_time next_sample() const noexcept { return sampled_ ? samples.begun() : samples.next(); }

private:
    /// Criteria that are read in one call of `sample`, so that requests need not wait for all.
    static constexpr std::size_t sample_slice = 4096;

    /// How far the round has come, in slots; none when it is complete.
    std::optional<std::uint32_t> sampled_;
};

/// What a request came through.
enum class channel_kind : std::uint8_t {
    stream,   ///< a session: SSH
    datagram, ///< UDP
};

/// Where a request came from.
struct requester {
    control_source& source;
    std::string_view peer;
    std::optional<ip_address> address;
    channel_kind by = channel_kind::stream;
};

/// What an audit record says beside who and when.
struct audit_note {
    audit_event event = audit_event::refusal;
    dtcp::status_code status = {};
    std::uint32_t criterion = 0;
    std::uint64_t count = 0;
    std::string detail = {};
};

/// Writes an audit record. False if that failed.
bool write_audit(audit_log& log, std::string_view principal, std::string_view peer, audit_note note,
                 wall_time now);

} // namespace flowtap::tap
