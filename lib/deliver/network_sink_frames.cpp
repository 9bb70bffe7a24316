// SPDX-License-Identifier: Apache-2.0
// Copies that leave as frames of our own, and those that wait until they can.
#include "network_sink_state.hpp"

#include <algorithm>
#include <cerrno>

#include <flowtap/packet/fragment.hpp>

namespace flowtap::deliver {

using detail::destination;
using detail::egress_plan;

/// Looks copies up from the first on, as far as they need no socket of the system's, and sends the
/// frames that come of it. What is queued or dropped between them costs them nothing. Returns how
/// many copies it took.
std::size_t network_sink::state::take_frames(std::span<const path::copy> copies) noexcept {
    frames.clear();
    finding_count = settled = 0;
    std::size_t scanned = 0;
    while (scanned < std::min(copies.size(), scan_limit) &&
           scan(copies[scanned], scanned) == step::next)
        ++scanned;
    const std::size_t done = frames.size() == 0 ? scanned : send_frames(copies, scanned);
    settle(copies, done);
    return done;
}

network_sink::state::step network_sink::state::scan(const path::copy& what,
                                                    std::size_t number) noexcept {
    destination* const its = destination_of(what);
    if (its == nullptr)
        return step::full;
    const egress_plan::way way = way_of(*its);
    if (its->waiting.empty() && way == egress_plan::way::frame)
        return put_frames(what, number, its->plan);
    if (way == egress_plan::way::unreachable && its->waiting.empty())
        return note(number, path::drop_cause::unreachable);
    if (way == egress_plan::way::system && its->waiting.empty())
        return step::by_system;
    // Behind those that wait already, even if the way is free by now.
    if (!pending.put(its->waiting, what, now))
        return step::full;
    findings[finding_count++] = {number, its, {}};
    return step::next;
}

network_sink::state::step network_sink::state::note(std::size_t number,
                                                    path::drop_cause cause) noexcept {
    findings[finding_count++] = {number, nullptr, cause};
    return step::next;
}

network_sink::state::step network_sink::state::put_frames(const path::copy& what,
                                                          std::size_t number,
                                                          const egress_plan& plan) noexcept {
    const std::size_t length = what.header->size() + what.packet.size();
    if (length <= plan.mtu) {
        if (frames.left() == 0)
            return step::full;
        if (!what.header->write(what.packet, what.identification, frames.header()))
            return note(number, path::drop_cause::too_long);
        frames.add(plan, what.header->size(), what.packet, number, true);
        return step::next;
    }
    auto pieces =
        packet::fragmenter::make(*what.header, what.packet, what.identification, plan.mtu);
    // Each carries at least this much.
    const std::size_t least = plan.mtu > 64 ? (plan.mtu - 56) & ~std::size_t{7} : 0;
    const std::size_t wanted = least == 0 ? SIZE_MAX : length / least + 1;
    if (!pieces || wanted > detail::frame_batch::room)
        return note(number, path::drop_cause::too_long);
    if (options.socket.too_long == too_long_copies::drop)
        return note(number, path::drop_cause::too_long);
    if (wanted > frames.left())
        return step::full;
    packet::fragmenter::piece piece;
    std::size_t left = length;
    while (pieces->next(piece)) {
        std::copy(piece.header.begin(), piece.header.end(), frames.header().begin());
        left -= std::min(left, piece.payload.size());
        frames.add(plan, piece.header.size(), piece.payload, number, left <= what.header->size());
    }
    return step::next;
}

/// Sends the frames of the first `scanned` copies. Returns how many copies from the first on are
/// done with.
std::size_t network_sink::state::send_frames(std::span<const path::copy> copies,
                                             std::size_t scanned) noexcept {
    const std::size_t sent = frames.send(frame_socket.number());
    if (sent == frames.size())
        return scanned;
    // A copy of which a fragment has not left goes out again as a whole: a receiver drops what it
    // has. What stands in the way shows when it is tried again.
    const std::size_t number = frames.copy_of(sent);
    return sent != 0 ? number : on_refusal(copies, number, errno);
}

/// The system did not take the first frame, which is of copy `number`.
std::size_t network_sink::state::on_refusal(std::span<const path::copy> copies, std::size_t number,
                                            int reason) noexcept {
    if (detail::kind_of(reason) == detail::send_error::full) {
        full_error = reason;
        return number;
    }
    // The device may have gone, or its MTU changed, without anybody having read of it.
    settle(copies, number);
    const std::span<const path::copy> first = copies.subspan(number, 1);
    destination& its = *destination_of(first[0]);
    const egress_plan before = its.plan;
    routes->poll_now(now);
    version = routes->version();
    look_up(its);
    std::size_t done = number;
    if (its.plan != before) {
        done += take_frames(first);
    } else {
        ledger->dropped(reason == ENXIO || reason == ENODEV ? path::drop_cause::unreachable
                                                            : detail::cause_of(reason),
                        first);
        ++done;
    }
    settled = done;
    return done;
}

/// Tells the ledger what became of the first `done` copies: what was not found to be anything else
/// has left as frames. Takes back what was queued of the others.
void network_sink::state::settle(std::span<const path::copy> copies, std::size_t done) noexcept {
    while (finding_count > 0 && findings[finding_count - 1].number >= done)
        if (const finding& last = findings[--finding_count]; last.queued_for != nullptr)
            pending.pop_back(last.queued_for->waiting);
    for (const finding& each : std::span(findings).first(finding_count)) {
        ledger->delivered(copies.subspan(settled, each.number - settled));
        const std::span<const path::copy> one = copies.subspan(each.number, 1);
        if (each.queued_for == nullptr)
            ledger->dropped(each.cause, one);
        else
            ledger->queued(one);
        settled = each.number + 1;
    }
    ledger->delivered(copies.subspan(settled, done - settled));
    settled = done;
    finding_count = 0;
}

} // namespace flowtap::deliver
