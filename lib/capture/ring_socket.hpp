// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <flowtap/capture/live_options.hpp>
#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/opener.hpp>
#include <flowtap/core/result.hpp>

#include "device.hpp"
#include "packet_ring.hpp"
#include "socket_filter.hpp"

namespace flowtap::capture::detail {

class fanout_group;

/// A packet socket that captures one device through a ring.
class ring_socket {
public:
    /// What has become of the device since it was opened.
    enum class condition : std::uint8_t { fine, device_changed, broken };

    /// Captures `device` from now on; with `group`, the share of it that falls to one more member.
    /// Nothing is captured that came before, from another device, or past the filters. Errors:
    /// `errc::cannot_open_device`, `errc::ring_unavailable`, `errc::unsupported_link_type`,
    /// `errc::filter_not_in_kernel`.
    static result<ring_socket> open(const std::string& device, const live_options& options,
                                    fanout_group* group, opener& with);

    // No assignment: what was there before has to be taken down in order.
    ring_socket(ring_socket&&) noexcept = default;
    ring_socket& operator=(ring_socket&&) = delete;

    packet_ring& ring() noexcept { return ring_; }
    int number() const noexcept { return socket_.number(); }
    const device_facts& device() const noexcept { return facts_; }

    /// What of the packets found no room in the ring since this was asked last.
    std::uint32_t take_lost() const noexcept;
    /// Reads and clears the socket's error. `broken`: `reason` says why.
    condition check(std::string& reason) const;
    /// Whether the device that it captures is there, up or not.
    bool has_device() const noexcept;

private:
    ring_socket() = default;
    result<void> prepare(const live_options& options);
    result<void> bind_to_device() const;
    result<void> listen_to_all() const;

    // In the order in which they are taken down, the last one first.
    device_facts facts_;
    descriptor socket_;
    packet_ring ring_;
    socket_filter filter_;
};

} // namespace flowtap::capture::detail
