// SPDX-License-Identifier: Apache-2.0
#include <flowtap/deliver/network_sink.hpp>

#include <utility>

#include "network_sink_state.hpp"

namespace flowtap::deliver {

using detail::destination;

detail::route_watch_state* network_sink::state_of(const network_options& options) noexcept {
    // Next hops that nobody can ask for would stay unknown: then everything is left to the system.
    const bool is_of_use = options.routes != nullptr && options.routes->can_resolve();
    return is_of_use ? options.routes->state_.get() : nullptr;
}

result<std::unique_ptr<network_sink>> network_sink::open(const network_options& options) {
    network_options with = options;
    if (!with.routes)
        if (auto watch = route_watch::open(options.socket))
            with.routes = std::move(*watch);
    auto made = std::make_unique<state>(with, state_of(with));
    const bool is_permitted_to_fail =
        options.choice == egress_choice::automatic && !options.socket.mark;
    if (options.choice != egress_choice::udp) {
        auto raw = raw_ip_sink::open(options.socket);
        if (raw)
            made->raw = std::move(*raw);
        else if (raw.error().code != std::errc::operation_not_permitted || !is_permitted_to_fail)
            return fail(raw.error());
    }
    const bool may_frame =
        options.choice == egress_choice::automatic || options.choice == egress_choice::frames;
    if (may_frame && made->routes != nullptr) {
        auto socket = detail::open_frame_socket(options.socket);
        if (socket)
            made->frame_socket = std::move(*socket);
        else if (options.choice == egress_choice::frames)
            return fail(socket.error());
    } else if (options.choice == egress_choice::frames) {
        return fail(
            error(std::make_error_code(std::errc::operation_not_permitted), "packet socket"));
    }
    return std::unique_ptr<network_sink>(new network_sink(std::move(made)));
}

network_sink::network_sink(std::unique_ptr<state> with) : state_(std::move(with)) {
    state_->report_to(ledger());
}
network_sink::~network_sink() = default;

bool network_sink::has_raw_sockets() const noexcept {
    return state_->raw != nullptr;
}

bool network_sink::sends_frames() const noexcept {
    return static_cast<bool>(state_->frame_socket);
}

std::size_t network_sink::consume(std::span<const path::copy> copies) noexcept {
    state_->start();
    std::size_t done = 0;
    while (done < copies.size()) {
        const std::size_t taken = state_->take(copies.subspan(done));
        if (taken == 0 && !state_->make_room_for(copies[done]))
            break;
        done += taken;
    }
    return done;
}

std::size_t network_sink::queued() const noexcept {
    return state_->pending.size();
}

void network_sink::advance() noexcept {
    if (state_->pending.size() == 0)
        return;
    state_->start();
    for (destination& each : state_->destinations.all())
        if (!each.waiting.empty())
            state_->flush(each);
}

void network_sink::withdraw(const path::copy_review& review, path::drop_cause cause) noexcept {
    for (destination& each : state_->destinations.all())
        if (!each.waiting.empty())
            state_->pending.filter(
                each.waiting, review,
                [&](const path::copy_origin& origin, stream_id stream, std::uint64_t octets) {
                    ledger().queued_dropped(cause, stream, octets, origin);
                });
}

void network_sink::wait(std::chrono::milliseconds limit) noexcept {
    if (state_->full_error != 0)
        detail::wait_writable(state_->frame_socket.number(), state_->full_error,
                              static_cast<int>(limit.count()));
    else if (state_->full_sink != nullptr)
        state_->full_sink->wait(limit);
    else if (state_->routes != nullptr)
        state_->routes->wait(limit);
}

void network_sink::report_to(path::delivery_ledger& ledger) noexcept {
    sink::report_to(ledger);
    state_->report_to(ledger);
}

} // namespace flowtap::deliver
