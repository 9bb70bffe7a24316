// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <flowtap/capture/api.hpp>
#include <flowtap/capture/live_options.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/packet/view.hpp>
#include <flowtap/path/source.hpp>

namespace flowtap::capture {

/// The packets of a network device through libpcap, which is portable and not the fastest way.
///
/// What the device received is ingress, what the system sends through it is egress. On the loopback
/// device every packet is read once, as ingress. VLAN tags that the kernel took off are put back.
/// Checksums that are left to the hardware and packets that the kernel has merged are handed over
/// as they are. When the device goes down or away the source fails.
class FLOWTAP_CAPTURE_API live_source final : public path::source {
public:
    /// Opens `device`. Needs CAP_NET_RAW.
    /// Errors: `errc::cannot_open_device`, `errc::invalid_filter`, `errc::filter_not_in_kernel`,
    /// `errc::unsupported_link_type`.
    static result<std::unique_ptr<live_source>> open(const std::string& device,
                                                     const live_options& options = {});
    ~live_source() override;

    path::read_result read(std::span<path::captured_packet> packets) noexcept override;
    void wait(std::chrono::milliseconds limit) noexcept override;
    void interrupt() noexcept override;
    path::backpressure when_full() const noexcept override;
    /// As of the last read that found nothing, or at most about a thousand batches ago.
    std::uint64_t lost() const noexcept override;
    error failure() const override;

    packet::link_type link() const noexcept;

private:
    struct state;
    explicit live_source(std::unique_ptr<state> with) noexcept;
    std::unique_ptr<state> state_;
};

} // namespace flowtap::capture
