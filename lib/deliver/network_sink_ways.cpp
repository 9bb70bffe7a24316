// SPDX-License-Identifier: Apache-2.0
// Which way copies leave, and how those go that leave through the system's sockets.
#include "network_sink_state.hpp"

namespace flowtap::deliver {

using detail::destination;
using detail::egress_plan;

namespace {

/// A plan is looked up again after so long, which also tells the watch that it is in use.
constexpr std::chrono::nanoseconds plan_lifetime = std::chrono::milliseconds(500);

} // namespace

std::size_t network_sink::state::take(std::span<const path::copy> copies) noexcept {
    full_sink = nullptr;
    full_error = 0;
    const std::size_t taken = routes == nullptr ? 0 : take_frames(copies);
    if (taken != 0 || full_error != 0)
        return taken;
    destination* const its = routes == nullptr ? nullptr : destination_of(copies.front());
    if (routes != nullptr &&
        (its == nullptr || !its->waiting.empty() || way_of(*its) != egress_plan::way::system))
        return 0;
    return take_by_system(copies);
}

egress_plan::way network_sink::state::way_of(destination& its) noexcept {
    if (its.version != version || now - its.planned_at >= plan_lifetime)
        look_up(its);
    if (!its.draining)
        return its.plan.how;
    its.draining = system_is_busy();
    return its.draining ? egress_plan::way::resolving : its.plan.how;
}

void network_sink::state::look_up(destination& its) noexcept {
    const bool was_system = its.version != 0 && its.plan.how == egress_plan::way::system;
    its.plan = routes->look_up(its.to, now);
    its.version = version;
    its.planned_at = its.used_at = now;
    if (its.plan.how == egress_plan::way::frame && !frame_socket)
        its.plan.how = egress_plan::way::system;
    if (its.plan.how == egress_plan::way::frame && was_system)
        its.draining = true;
}

bool network_sink::state::system_is_busy() const noexcept {
    return udp.has_unsent() || (raw != nullptr && raw->has_unsent());
}

path::sink* network_sink::state::system_sink_for(const path::copy& what) noexcept {
    if (raw == nullptr || (options.choice != egress_choice::raw && udp.can_send(what)))
        return &udp;
    return raw.get();
}

/// Takes copies from the first on that leave through the same socket of the system's.
std::size_t network_sink::state::take_by_system(std::span<const path::copy> copies) noexcept {
    path::sink* const through = system_sink_for(copies.front());
    std::size_t end = 1;
    for (; end < copies.size() && system_sink_for(copies[end]) == through; ++end) {
        if (routes == nullptr)
            continue;
        destination* const its = destination_of(copies[end]);
        if (its == nullptr || !its->waiting.empty() || way_of(*its) != egress_plan::way::system)
            break;
    }
    const std::size_t taken = through->consume(copies.first(end));
    if (taken < end)
        full_sink = through;
    return taken;
}

} // namespace flowtap::deliver
