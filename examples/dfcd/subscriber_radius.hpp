// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <flowtap/config/configuration.hpp>
#include <flowtap/core/address.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/transport/event_loop.hpp>

#include "subscribers.hpp"

namespace dfcd {

/// Requests of RADIUS about subscribers, by what became of them.
struct subscriber_requests {
    std::uint64_t handled = 0;
    std::uint64_t refused = 0;
    std::uint64_t repeated = 0;
    std::uint64_t ignored = 0;
};

/// Who tells dfcd of subscribers with RADIUS: a server of accounting and one of dynamic
/// authorization at each address that is listened to. On the loop's thread.
class subscriber_radius {
public:
    /// Null without clients. `on_change` is called when something is to be published. Errors:
    /// `errc::no_radius` when dfcd was built without, those of the sockets.
    static flowtap::result<std::unique_ptr<subscriber_radius>>
    open(flowtap::transport::event_loop& loop,
         const flowtap::config::radius_flow_tap_settings& with, subscribers& of,
         std::function<void()> on_change);
    ~subscriber_radius();

    /// Other clients, at the same addresses. Without clients nobody is answered.
    void set_clients(const flowtap::config::radius_flow_tap_settings& with);
    /// Where it listens.
    std::vector<flowtap::endpoint> addresses() const;
    subscriber_requests counters() const;

private:
    struct implementation;
    explicit subscriber_radius(std::unique_ptr<implementation> with);
    std::unique_ptr<implementation> implementation_;
};

} // namespace dfcd
