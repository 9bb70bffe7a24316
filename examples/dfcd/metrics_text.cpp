// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "summary.hpp"

namespace dfcd {

namespace path = flowtap::path;
namespace tap = flowtap::tap;

namespace {

/// One thing of several that have the same measures: a worker, a content destination.
template <class Of>
struct part {
    std::string name;
    const Of* counted;
};

/// Which values are left out.
enum class zeros : std::uint8_t { kept, left_out_with_label };

/// The metrics of some things: each of them a family with a sample for every part.
template <class Of>
void put_metrics(std::string& text, std::string_view prefix, std::string_view part_label,
                 std::span<const measure<Of>> all, const std::vector<part<Of>>& parts,
                 zeros how = zeros::kept) {
    for (const measure<Of>& one : all) {
        const std::string name = fmt::format("flowtap_{}{}", prefix, one.metric);
        text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, one.help, name,
                            one.kind == measure_kind::counter ? "counter" : "gauge");
        for (const part<Of>& each : parts)
            for (std::size_t i = 0; i < one.size(); ++i) {
                const std::uint64_t value = one.read(*each.counted, i);
                if (value == 0 && !one.label.empty() && how == zeros::left_out_with_label)
                    continue;
                std::string labels;
                if (!part_label.empty())
                    labels = fmt::format("{}=\"{}\"", part_label, each.name);
                if (!one.label.empty())
                    labels += fmt::format("{}{}=\"{}\"", labels.empty() ? "" : ",", one.label,
                                          one.values[i]);
                text += labels.empty() ? fmt::format("{} {}\n", name, value)
                                       : fmt::format("{}{{{}}} {}\n", name, labels, value);
            }
    }
}

} // namespace

std::string metrics_text(const totals& counted) {
    std::string text;
    std::vector<part<path::path_counters>> workers;
    std::vector<part<path::delivery_counters>> their_copies;
    for (const path::path_counters& each : counted.path.workers) {
        workers.push_back({std::to_string(workers.size()), &each});
        their_copies.push_back({workers.back().name, &each});
    }
    put_metrics(text, "", "worker", packet_measures(), workers);
    put_metrics(text, "", "worker", copy_measures(), their_copies);

    const std::vector<shown_destination> shown = shown_destinations(counted);
    std::vector<part<path::delivery_counters>> destinations;
    for (const shown_destination& each : shown)
        destinations.push_back({each.ordinal, &each.counted});
    put_metrics(text, "destination_", "destination", copy_measures(), destinations,
                zeros::left_out_with_label);
    std::vector<part<tap::kernel_filter_status>> filters;
    for (const tap::kernel_filter_status& each : counted.control.kernel_filters)
        filters.push_back({std::to_string(filters.size()), &each});
    put_metrics(text, "", "device", kernel_filter_measures(), filters);
    put_metrics(text, "", "", control_measures(),
                std::vector<part<control_counters>>{{"", &counted.control}});
    return text;
}

} // namespace dfcd
