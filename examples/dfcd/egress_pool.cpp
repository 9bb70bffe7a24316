// SPDX-License-Identifier: Apache-2.0
#include "egress_pool.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <flowtap/deliver/network_sink.hpp>

#include "lines.hpp"
#include "log.hpp"

namespace dfcd {

namespace config = flowtap::config;
namespace deliver = flowtap::deliver;
namespace path = flowtap::path;

namespace {

/// Opens what the copies of one worker leave through, and shares the routes of the device.
deliver::egress_bindings::opening opening_for(const options& chosen, const std::string& device) {
    deliver::network_options how = network_options_for(chosen);
    how.socket.device = device;
    if (auto routes = deliver::route_watch::open(how.socket))
        how.routes = std::move(*routes);
    return [how]() -> flowtap::result<std::unique_ptr<path::sink>> {
        auto opened = deliver::network_sink::open(how);
        if (!opened)
            return flowtap::fail(opened.error());
        return std::unique_ptr<path::sink>(std::move(*opened));
    };
}

} // namespace

/// Waits for news of devices on the loop. What is called when it is gone does nothing.
struct egress_pool::watcher {
    watcher(boost::asio::io_context& context, int number, std::function<void()> what)
        : descriptor(context, number), on_news(std::move(what)) {
        wait();
    }
    ~watcher() {
        // The socket is another one's.
        descriptor.release();
    }
    watcher(const watcher&) = delete;
    watcher& operator=(const watcher&) = delete;

    void wait() {
        descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                              [this](const boost::system::error_code& failed) {
                                  if (failed)
                                      return;
                                  on_news();
                                  wait();
                              });
    }

    boost::asio::posix::stream_descriptor descriptor;
    std::function<void()> on_news;
};

egress_pool::egress_pool(const options& chosen, deliver::device_watch devices, listener on_change)
    : options_(chosen), devices_(std::move(devices)), on_change_(std::move(on_change)) {}

egress_pool::~egress_pool() = default;

flowtap::result<std::unique_ptr<egress_pool>>
egress_pool::open(const options& chosen, flowtap::transport::event_loop& loop, listener on_change) {
    auto devices = deliver::device_watch::open();
    if (!devices)
        return flowtap::fail(devices.error());
    std::unique_ptr<egress_pool> made(
        new egress_pool(chosen, std::move(*devices), std::move(on_change)));
    made->watcher_ =
        std::make_unique<watcher>(loop.context(), made->devices_.number(), [pool = made.get()] {
            pool->devices_.read();
            pool->look();
        });
    return made;
}

flowtap::result<std::unique_ptr<path::sink>>
egress_pool::make_sink(std::unique_ptr<path::sink> otherwise) {
    return bindings_.make_sink(std::move(otherwise));
}

path::egress_id egress_pool::number_of(const config::pool_interface& member) {
    if (member.device.empty())
        return {};
    const auto known = numbers_.find(member.name);
    if (known != numbers_.end())
        return known->second;
    if (numbers_.size() == deliver::egress_bindings::most) {
        log("there have been too many members of the pool: copies of a new one leave as the "
            "routing table says");
        return {};
    }
    const path::egress_id next(static_cast<std::uint32_t>(numbers_.size() + 1));
    numbers_.emplace(member.name, next);
    return next;
}

void egress_pool::apply(const std::vector<config::pool_interface>& members) {
    std::map<std::string, pool_device> next;
    for (const config::pool_interface& wanted : members) {
        pool_device made{wanted.device, number_of(wanted)};
        const auto before = members_.find(wanted.name);
        if (before != members_.end() && before->second.device == wanted.device)
            made = before->second;
        next.emplace(wanted.name, std::move(made));
    }
    for (const auto& [name, gone] : members_)
        if (const auto stays = next.find(name);
            gone.is_bound && (stays == next.end() || !stays->second.is_bound))
            bindings_.remove(gone.number);
    members_ = std::move(next);
    look();
    tell_all();
}

bool egress_pool::make_usable(pool_device& one) {
    if (one.is_bound && bindings_.state(one.number) == deliver::egress_bindings::status::in_use)
        return true;
    const auto made = one.is_bound ? bindings_.restore(one.number)
                                   : bindings_.set(one.number, opening_for(options_, one.device));
    one.is_bound |= made.has_value();
    if (!made)
        log("a member of the pool cannot be opened: {}", made.error().message());
    return made.has_value();
}

void egress_pool::look() {
    for (auto& [name, one] : members_) {
        // Without a device of its own nothing can be said of it.
        const bool can_send = one.number == path::egress_id{} || devices_.can_send(one.device);
        const bool usable = can_send && (one.number == path::egress_id{} || make_usable(one));
        if (!usable && one.is_bound)
            bindings_.fail(one.number);
        if (usable == one.is_usable)
            continue;
        one.is_usable = usable;
        log("a member of the pool of radius-flow-tap {}",
            usable ? "can be used" : "cannot be used: its sessions go to the others");
        on_change_(name, usable);
    }
}

void egress_pool::tell_all() {
    for (const auto& [name, one] : members_)
        on_change_(name, one.is_usable);
}

} // namespace dfcd
