// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <flowtap/capture/api.hpp>
#include <flowtap/capture/live_options.hpp>
#include <flowtap/core/opener.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/packet/view.hpp>
#include <flowtap/path/source.hpp>

namespace flowtap::capture {

/// What a ring source has read, since it was opened.
struct ring_counters {
    /// What the kernel handed over, before anything was split.
    std::uint64_t frames = 0;
    /// Super-packets that were split, and what they became.
    std::uint64_t super_packets = 0;
    std::uint64_t segments = 0;
    /// Super-packets that cannot be split, in tunnels for example, and were handed over whole.
    std::uint64_t unsplit = 0;
    /// Checksums that were completed, but for those of segments.
    std::uint64_t completed_checksums = 0;
    /// Frames with the device's own time.
    std::uint64_t hardware_times = 0;
};

/// The packets of a network device through a ring that Linux shares with the program (TPACKET_V3):
/// no system call and no copy for an ordinary packet.
///
/// What the device received is ingress, what the system sends through it is egress, in the order in
/// which the kernel saw them. On the loopback device every packet is read once, as ingress. Packets
/// are handed over as the receiving host sees them: VLAN tags that the kernel took off are put
/// back, checksums that were left to the hardware are completed, super-packets are split. A
/// packet's time is the device's own where it has been set up to stamp all it receives, else the
/// system's.
///
/// A device may be switched off and on, and may go away and come again under its name: the source
/// waits for it. It fails for other errors only.
class FLOWTAP_CAPTURE_API ring_source final : public path::source {
public:
    /// Opens `device`. Needs CAP_NET_RAW, and again where it comes back; `with` must outlive the
    /// source. Errors: `errc::cannot_open_device`, also when there is no such device;
    /// `errc::unsupported_link_type`, `errc::ring_unavailable` and `errc::filter_not_in_kernel`.
    /// `live_options::filter` must be empty: else `errc::invalid_filter`.
    static result<std::unique_ptr<ring_source>> open(const std::string& device,
                                                     const live_options& options = {},
                                                     opener& with = direct_opener());

    /// As many sources as are asked for, one at least, which share the device's packets: every
    /// packet comes out of one of them. Packets with the same two addresses come out of the same
    /// one, in order, whatever their direction; so do all fragments of a packet.
    /// `options.on_change` is called for the first of them only.
    static result<std::vector<std::unique_ptr<ring_source>>>
    open_shared(const std::string& device, std::size_t count, const live_options& options = {},
                opener& with = direct_opener());

    ~ring_source() override;

    path::read_result read(std::span<path::captured_packet> packets) noexcept override;
    void wait(std::chrono::milliseconds limit) noexcept override;
    void interrupt() noexcept override;
    path::backpressure when_full() const noexcept override;
    /// As of the last read that found nothing, or at most some dozen batches ago.
    std::uint64_t lost() const noexcept override;
    error failure() const override;

    /// Of the device as it was opened last.
    packet::link_type link() const noexcept;
    /// As of the last batch. Any thread.
    ring_counters counters() const noexcept;

private:
    struct state;
    explicit ring_source(std::unique_ptr<state> with) noexcept;
    std::unique_ptr<state> state_;
};

} // namespace flowtap::capture
