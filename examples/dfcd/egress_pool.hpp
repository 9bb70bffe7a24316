// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <flowtap/config/radius_flow_tap.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/deliver/device_watch.hpp>
#include <flowtap/deliver/egress_bindings.hpp>
#include <flowtap/path/sink.hpp>
#include <flowtap/transport/event_loop.hpp>

#include "options.hpp"

namespace dfcd {

/// The devices that copies of subscribers leave through: one egress binding for each member of the
/// pool that has a device. Everything is on the loop's thread.
class egress_pool {
public:
    /// Called when a member can be used again, or cannot any more.
    using listener = std::function<void(const std::string& member, bool usable)>;

    static flowtap::result<std::unique_ptr<egress_pool>>
    open(const options& chosen, flowtap::transport::event_loop& loop, listener on_change);
    ~egress_pool();
    egress_pool(const egress_pool&) = delete;
    egress_pool& operator=(const egress_pool&) = delete;

    /// A worker's sink; `otherwise` takes copies that are bound to no member.
    flowtap::result<std::unique_ptr<flowtap::path::sink>>
    make_sink(std::unique_ptr<flowtap::path::sink> otherwise);

    /// Has these members from now on. One whose device cannot be used is not given up: it is tried
    /// again when devices change.
    void apply(const std::vector<flowtap::config::pool_interface>& members);

    /// What copies through a member carry. The same name has the same number for good; zero for a
    /// member without a device, and beyond 255 names.
    flowtap::path::egress_id number_of(const flowtap::config::pool_interface& member);

    /// Tells the listener how it is with every member now.
    void tell_all();

private:
    struct watcher;
    struct pool_device {
        std::string device;
        flowtap::path::egress_id number;
        bool is_usable = false;
        /// Its binding is there, in use or failed.
        bool is_bound = false;
    };

    egress_pool(const options& chosen, flowtap::deliver::device_watch devices, listener on_change);
    void look();
    bool make_usable(pool_device& one);

    const options& options_;
    flowtap::deliver::device_watch devices_;
    listener on_change_;
    flowtap::deliver::egress_bindings bindings_;
    std::map<std::string, pool_device> members_;
    std::map<std::string, flowtap::path::egress_id> numbers_;
    std::unique_ptr<watcher> watcher_;
};

} // namespace dfcd
