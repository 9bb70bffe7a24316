// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include <flowtap/tap/access_point.hpp>
#include <flowtap/transport/api.hpp>
#include <flowtap/transport/channel_router.hpp>
#include <flowtap/transport/datagram_server.hpp>
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
/// data_path.on_news([&] { service.wake(); });
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

    /// The same from any thread: for `path::data_path::on_news`. Does not block.
    void wake();

    /// `what` is called after each turn, when what was asked for in it is in force: for programs
    /// that wait for criteria.
    void on_turn(std::function<void()> what);

    /// Takes the datagram `octets`, that came from `from` to the local `at`: for
    /// `datagram_server::listen`.
    void receive(const endpoint& from, const endpoint& at, byte_view octets);

    /// Datagrams of the access point go out through `server`, which must outlive the service.
    /// Without this they are dropped. LIST answers over UDP go at the pace that it takes them.
    void send_through(datagram_server& server);

private:
    struct implementation;
    std::shared_ptr<implementation> implementation_;
};

} // namespace flowtap::transport
