// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/path/data_path.hpp>
#include <flowtap/subscriber/mirroring.hpp>
#include <flowtap/tap/access_point.hpp>
#include <flowtap/tap/kernel_filters.hpp>
#include <flowtap/transport/datagram_server.hpp>

#include "notifier.hpp"
#include "subscriber_radius.hpp"

namespace dfcd {

/// What the control side has counted, and what is there now.
struct control_counters {
    flowtap::tap::status tap;
    flowtap::transport::datagram_counters datagrams;
    /// Of the devices that have one, in the order of their ports.
    std::vector<flowtap::tap::kernel_filter_status> kernel_filters;
    /// Without `services radius-flow-tap`: none.
    std::optional<flowtap::subscriber::mirroring_status> subscribers;
    /// What RADIUS asked about them, by what became of it.
    subscriber_requests radius;
    /// What was told of them by SNMP.
    notifier_counters notifications;
};

/// Everything that has happened, in numbers: no name, no address and no interface. Workers,
/// content destinations and devices are ordinals.
struct totals {
    flowtap::path::path_statistics path;
    control_counters control;

    /// All workers together.
    flowtap::path::path_counters packets() const;
};

/// Whether a number only grows.
enum class measure_kind : std::uint8_t { counter, gauge };

/// One thing that is counted, described once for all that shows it: the summary, its JSON, the
/// status and the metrics. Of a thing with a label there is a number for each of its values.
template <class Of>
struct measure {
    /// Where it stands in JSON: a name, or one in an object (`requests.received`). With a label it
    /// is an object with the label's values as names.
    std::string_view key;
    /// The metric's name without what is in front of all of them.
    std::string_view metric;
    std::string_view help;
    measure_kind kind = measure_kind::counter;
    std::string_view label = {};
    std::span<const std::string_view> values = {};
    std::uint64_t (*read)(const Of& from, std::size_t value) = nullptr;

    std::size_t size() const { return label.empty() ? 1 : values.size(); }
};

/// What each worker counts of packets.
std::span<const measure<flowtap::path::path_counters>> packet_measures();
/// What each worker counts of copies, and each content destination.
std::span<const measure<flowtap::path::delivery_counters>> copy_measures();
/// What the control side counts.
std::span<const measure<control_counters>> control_measures();
/// How the kernel filter of each device is.
std::span<const measure<flowtap::tap::kernel_filter_status>> kernel_filter_measures();

/// Content destinations that are shown one by one: those with the lowest ordinals. What there is of
/// others is shown as one, so that nothing is missing and what is shown stays short.
inline constexpr std::size_t most_destinations = 1024;

/// One line for each content destination that ever had a copy.
struct shown_destination {
    std::string ordinal; ///< a number, or `others`
    flowtap::path::delivery_counters counted;
};
std::vector<shown_destination> shown_destinations(const totals& counted);

} // namespace dfcd
