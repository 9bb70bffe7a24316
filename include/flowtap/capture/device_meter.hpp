// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <flowtap/capture/api.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/path/source.hpp>

namespace flowtap::capture {

/// How many packets have passed a network device since it was made, both ways, as the system counts
/// them (`ip -s link`). The loopback device's count once. Errors: `errc::cannot_open_device`, with
/// the device's name. Linux only.
FLOWTAP_CAPTURE_API result<std::uint64_t> packets_of_device(const std::string& device);

/// Counts what a filter in front of the capture sockets keeps away: what the device counts, less
/// what its sources handed over or lost. The sources of a device, one for each worker, share one
/// meter.
///
/// The number is as good as the device's. It is looked at once a second, and what had passed a
/// second ago is held against what has arrived by now: so the number lags behind by up to two
/// seconds, and is neither too large nor ever less than before. Devices count what is on the wire:
/// the packets that a super-packet is split into, where sources split them; virtual devices (veth)
/// count super-packets as one, so that the number is too small there. What the device counts and
/// nobody can capture, like copies with the excluded socket mark, is in it, too; a device that
/// begins anew when it comes back counts on.
class FLOWTAP_CAPTURE_API device_meter {
public:
    /// The device's count, as `packets_of_device`.
    using count = std::function<result<std::uint64_t>()>;

    /// Looks at `count` from now on. `clock` is asked once a batch; any thread calls both.
    device_meter(count of, std::function<steady_time()> clock);
    ~device_meter();

    /// `what`, with `path::source::filtered`. It keeps what it needs of the meter.
    std::unique_ptr<path::source> watch(std::unique_ptr<path::source> what);

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace flowtap::capture
