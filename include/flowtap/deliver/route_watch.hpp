// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include <flowtap/core/result.hpp>
#include <flowtap/deliver/api.hpp>
#include <flowtap/deliver/socket_options.hpp>

namespace flowtap::deliver {

namespace detail {
class route_watch_state;
}

/// What all sinks of a process share to send frames of their own: for each destination in use its
/// route, device, next hop and MTU, followed by netlink (rtnetlink(7)).
///
/// It has no thread: the sinks that use it read what the system tells, at most every half a
/// millisecond while they send, and before they send after a pause. One of them does at a time; the
/// others do not wait for it. A lock is taken when a plan may have changed, never for each packet.
class FLOWTAP_DELIVER_API route_watch {
public:
    /// Opens its sockets. Next hops can be resolved if packet sockets can be opened (CAP_NET_RAW);
    /// see `can_resolve`. The mark of `options` takes part in routing, as that of any socket; with
    /// a device only routes out of it are there, also when it was gone and has come again.
    /// Errors: those of the system for netlink, and if there is no such device.
    static result<std::shared_ptr<route_watch>> open(const socket_options& options = {});
    ~route_watch();
    route_watch(const route_watch&) = delete;
    route_watch& operator=(const route_watch&) = delete;

    bool can_resolve() const noexcept;

    /// Changes of next hops that were followed while copies went to them: another Ethernet address,
    /// or no answer any more. Any thread.
    std::uint64_t changes() const noexcept;
    /// How often the system told more than could be read, and everything was asked anew. Any
    /// thread.
    std::uint64_t overruns() const noexcept;

private:
    friend class network_sink;

    explicit route_watch(std::unique_ptr<detail::route_watch_state> with) noexcept;

    std::unique_ptr<detail::route_watch_state> state_;
};

} // namespace flowtap::deliver
