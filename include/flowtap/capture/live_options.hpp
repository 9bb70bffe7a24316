// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <flowtap/capture/kernel_filter.hpp>
#include <flowtap/core/ids.hpp>

namespace flowtap::capture {

/// Which packets of a device are read.
enum class observe : std::uint8_t {
    both,
    ingress, ///< those that the device received
    egress,  ///< those that the system sends through the device
};

/// Whether a device receives frames for others.
enum class reception : std::uint8_t { own_frames, promiscuous };

/// What a device does while it is captured.
enum class device_state : std::uint8_t {
    up,   ///< it is there again, and packets are read
    down, ///< it is switched off
    gone, ///< there is no device of this name any more
};

struct live_options {
    port_id port;
    observe which = observe::both;
    reception mode = reception::own_frames;
    /// Octets of the kernel's buffer: of each source's, or with libpcap of each direction's. 0
    /// stands for 32 MiB, or with libpcap for 8.
    std::size_t buffer = 0;
    /// Packets with this socket mark are not read: the copies that this system sends out itself
    /// (see `deliver::socket_options::mark`). With libpcap: Ethernet and loopback devices on Linux.
    std::optional<std::uint32_t> excluded_mark;
    /// A filter in the language of pcap-filter(7), in addition; empty takes everything. Only
    /// libpcap's source has it.
    std::string filter;
    /// A program in the kernel, in addition; may be shared by many sources. It runs for Ethernet
    /// and loopback devices; of others everything passes.
    std::shared_ptr<kernel_filter> in_kernel;
    /// Called, from the thread that reads the source, when the device has changed. Must not throw.
    /// libpcap's source does not outlive its device and never calls it.
    std::function<void(device_state)> on_change;
};

} // namespace flowtap::capture
