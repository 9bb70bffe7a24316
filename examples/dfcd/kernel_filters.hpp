// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <flowtap/capture/kernel_filter.hpp>
#include <flowtap/tap/kernel_filters.hpp>

namespace dfcd {

/// The programs in front of the sockets that capture devices (`services flow-tap kernel-filter`).
class kernel_filters final : public flowtap::tap::kernel_filters {
public:
    /// What the sources of a port, on this device, are to be opened with. All of them before the
    /// access point is.
    std::shared_ptr<flowtap::capture::kernel_filter> of(flowtap::port_id port,
                                                        const std::string& device);

    /// Those with sockets that a program runs for.
    std::vector<flowtap::tap::filterable_port> ports() const override;
    flowtap::result<void> install(flowtap::port_id port, const flowtap::bpf_code& program) override;

    /// Logs what has become of the programs since the last call.
    void report(const std::vector<flowtap::tap::kernel_filter_status>& now);

private:
    /// What stands for a port.
    struct front {
        std::shared_ptr<flowtap::capture::kernel_filter> filter;
        /// For the log.
        std::string devices;
    };

    std::map<flowtap::port_id, front> fronts_;
    std::vector<flowtap::tap::kernel_filter_status> reported_;
};

} // namespace dfcd
