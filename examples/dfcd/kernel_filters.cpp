// SPDX-License-Identifier: Apache-2.0
#include "kernel_filters.hpp"

#include <algorithm>
#include <string>

#include "log.hpp"

namespace dfcd {

namespace capture = flowtap::capture;
namespace tap = flowtap::tap;

std::shared_ptr<capture::kernel_filter> kernel_filters::of(flowtap::port_id port,
                                                           const std::string& device) {
    front& at = fronts_[port];
    if (!at.filter)
        at.filter = std::make_shared<capture::kernel_filter>();
    at.devices += (at.devices.empty() ? "" : ", ") + device;
    return at.filter;
}

std::vector<tap::filterable_port> kernel_filters::ports() const {
    std::vector<tap::filterable_port> all;
    for (const auto& [port, each] : fronts_)
        if (each.filter->sockets() != 0)
            all.push_back({port, flowtap::filter::frame_layout::ethernet,
                           flowtap::filter::way_of_frames::packet_type,
                           capture::kernel_filter::max_instructions});
    return all;
}

flowtap::result<void> kernel_filters::install(flowtap::port_id port,
                                              const flowtap::bpf_code& program) {
    return fronts_.at(port).filter->replace(program);
}

void kernel_filters::report(const std::vector<tap::kernel_filter_status>& now) {
    for (std::size_t i = 0; i < now.size(); ++i) {
        const bool is_known = i < reported_.size() && now[i].tells_the_same_as(reported_[i]);
        // What is pending is so for a tenth of a second.
        if (is_known || now[i].state == tap::kernel_filter_state::pending)
            continue;
        const std::string reason = now[i].reason.code ? ": " + now[i].reason.message() : "";
        log("the kernel filter of {} is {}{}", fronts_.at(now[i].port).devices,
            to_string(now[i].state), reason);
        reported_.resize(std::max(reported_.size(), i + 1));
        reported_[i] = now[i];
    }
}

} // namespace dfcd
