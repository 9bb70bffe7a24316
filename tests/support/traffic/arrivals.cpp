// SPDX-License-Identifier: Apache-2.0
#include "arrivals.hpp"

#include <algorithm>
#include <sstream>

namespace traffic {

void flow_arrivals::add(std::uint64_t place) {
    ++packets_;
    if (!ranges_.empty() && place <= ranges_.back().last) {
        add_late(place);
        return;
    }
    if (!ranges_.empty() && place == ranges_.back().last + 1) {
        ranges_.back().last = place;
    } else if (ranges_.size() < most_ranges) {
        ranges_.push_back({place, place});
    } else {
        ++further_gaps_;
        ranges_.back().last = place;
    }
}

void flow_arrivals::add_late(std::uint64_t place) {
    const auto after =
        std::upper_bound(ranges_.begin(), ranges_.end(), place,
                         [](std::uint64_t value, const range& each) { return value < each.first; });
    const auto before = after == ranges_.begin() ? ranges_.end() : after - 1;
    if (before != ranges_.end() && place <= before->last) {
        ++duplicates_;
        return;
    }
    ++disordered_;
    const bool joins_before = before != ranges_.end() && before->last + 1 == place;
    const bool joins_after = after != ranges_.end() && place + 1 == after->first;
    if (joins_before && joins_after) {
        before->last = after->last;
        ranges_.erase(after);
    } else if (joins_before) {
        before->last = place;
    } else if (joins_after) {
        after->first = place;
    } else if (ranges_.size() < most_ranges) {
        ranges_.insert(after, {place, place});
    }
}

namespace {

void add_flow(std::ostringstream& out, std::size_t number, const flow_arrivals& flow) {
    out << "{\"flow\":" << number << ",\"packets\":" << flow.packets()
        << ",\"disordered\":" << flow.disordered() << ",\"duplicates\":" << flow.duplicates()
        << ",\"further_gaps\":" << flow.further_gaps() << ",\"ranges\":[";
    const char* comma = "";
    for (const flow_arrivals::range& each : flow.ranges()) {
        out << comma << '[' << each.first << ',' << each.last << ']';
        comma = ",";
    }
    out << "]}";
}

} // namespace

std::string to_json(const std::vector<port_arrivals>& ports) {
    std::ostringstream out;
    out << "{\"ports\":[";
    const char* comma = "";
    for (const port_arrivals& port : ports) {
        // Names are what the command line gave: addresses and ports, nothing to escape.
        out << comma << "{\"name\":\"" << port.name << "\",\"packets\":" << port.packets
            << ",\"octets\":" << port.octets << ",\"foreign\":" << port.foreign
            << ",\"altered\":" << port.altered << ",\"overflowed\":" << port.overflowed
            << ",\"nanoseconds\":" << port.latest_time - port.first_time << ",\"flows\":[";
        comma = "";
        for (std::size_t i = 0; i < port.flows.size(); ++i) {
            if (port.flows[i].packets() == 0)
                continue;
            out << comma;
            add_flow(out, i, port.flows[i]);
            comma = ",";
        }
        out << "]}";
        comma = ",";
    }
    out << "]}";
    return out.str();
}

} // namespace traffic
