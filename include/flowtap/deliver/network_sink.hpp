// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <flowtap/core/result.hpp>
#include <flowtap/deliver/api.hpp>
#include <flowtap/deliver/raw_ip_sink.hpp>
#include <flowtap/deliver/route_watch.hpp>
#include <flowtap/deliver/udp_sink.hpp>
#include <flowtap/path/sink.hpp>

namespace flowtap::deliver {

/// Which way copies leave.
enum class egress_choice : std::uint8_t {
    /// As frames of our own where that is possible, else through IP sockets.
    automatic,
    /// The same, but it is an error if the process may not send frames.
    frames,
    /// Through raw IP sockets: the host's packet filter, queueing disciplines and IPsec apply.
    raw,
    /// Through plain UDP sockets: no privilege, but only addresses of the system's own.
    udp,
};

struct network_options : udp_options {
    egress_choice choice = egress_choice::automatic;
    /// What all sinks of a process share that leave through the same device, if any; none has the
    /// sink open its own.
    std::shared_ptr<route_watch> routes;
};

/// Sends each copy the fastest way there is for it: as a frame of our own, through a plain UDP
/// socket if its source address is the system's own, else through a raw socket.
///
/// Frames go out on Ethernet devices (and what looks like them: VLANs, bridges, bonds) to next hops
/// whose addresses are known; copies to a next hop that has not been resolved yet are queued, in 4
/// MiB for all destinations, sent in order when it is, and dropped as `unreachable` when it is not
/// within 3 s. A destination that is unreachable costs the others
/// nothing. All copies of a stream leave in order, also when their way changes.
///
/// With `socket_options::device` all copies leave through it, or are `unreachable`. The egress of a
/// copy (`path::copy::egress`) is not looked at: `egress_bindings` is for that.
///
/// What was sent past the host's packet filter and queueing disciplines is told by its mark only at
/// devices further down; it is not seen at all at the one it leaves through.
class FLOWTAP_DELIVER_API network_sink final : public path::sink {
public:
    /// Without the privilege for raw sockets, copies that need one are dropped and counted as
    /// `drop_cause::send_error`: see `has_raw_sockets`.
    /// Errors: those of the system other than for a missing privilege, unless a way was chosen that
    /// needs it.
    static result<std::unique_ptr<network_sink>> open(const network_options& options = {});
    ~network_sink() override;

    bool has_raw_sockets() const noexcept;
    /// Whether copies may leave as frames.
    bool sends_frames() const noexcept;

    std::size_t consume(std::span<const path::copy> copies) noexcept override;
    std::size_t queued() const noexcept override;
    void advance() noexcept override;
    void withdraw(const path::copy_review& review, path::drop_cause cause) noexcept override;
    void wait(std::chrono::milliseconds limit) noexcept override;
    void report_to(path::delivery_ledger& ledger) noexcept override;

private:
    struct state;
    explicit network_sink(std::unique_ptr<state> with);
    static detail::route_watch_state* state_of(const network_options& options) noexcept;

    std::unique_ptr<state> state_;
};

} // namespace flowtap::deliver
