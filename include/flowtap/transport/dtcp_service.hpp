// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include <flowtap/tap/access_point.hpp>
#include <flowtap/transport/api.hpp>
#include <flowtap/transport/channel_router.hpp>
#include <flowtap/transport/event_loop.hpp>

namespace flowtap::transport {

/// The name of the subsystem that Junos serves DTCP on.
inline constexpr std::string_view dtcp_subsystem = "flow-tap-dtcp";

/// Runs an access point on a loop: gives it the octets of the channels it serves, its turns, its
/// time and its deadline, and does what it asks for.
///
/// However many channels have sent something, the access point gets one turn for all of them.
/// Everything but `wake` is for the loop's thread.
///
/// \code
/// dtcp_service service(loop, access_point);
/// data_path.on_settled([&] { service.wake(); });
/// router.serve(request_kind::subsystem, std::string(dtcp_subsystem),
///              [&](const channel_request& asked) { return service.open(asked); });
/// \endcode
class FLOWTAP_TRANSPORT_API dtcp_service {
public:
    /// Both must outlive the service.
    dtcp_service(event_loop& loop, tap::access_point& point);
    /// Channels that are still open are finished.
    ~dtcp_service();
    dtcp_service(const dtcp_service&) = delete;
    dtcp_service& operator=(const dtcp_service&) = delete;

    /// The handler of a new channel, for the router; null when the principal may not tap.
    std::unique_ptr<channel_handler> open(const channel_request& asked);

    /// Gives the access point a turn soon: after `apply` or `restart`, or anything else that was
    /// done to it directly.
    void request_turn();

    /// The same from any thread: for `path::data_path::on_settled`. Does not block.
    void wake();

    /// `what` is called after each turn, when what was asked for in it is in force: for programs
    /// that wait for criteria.
    void on_turn(std::function<void()> what);

    /// Where datagrams of the access point go. Without this they are dropped.
    void on_datagram(std::function<void(const tap::send_datagram&)> send);

private:
    struct implementation;
    std::shared_ptr<implementation> implementation_;
};

} // namespace flowtap::transport
