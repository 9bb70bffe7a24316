// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <flowtap/deliver/network_sink.hpp>
#include <flowtap/packet/fragment.hpp>
#include <flowtap/path/delivery_ledger.hpp>

#include "destination_table.hpp"
#include "frame_batch.hpp"
#include "pending_copies.hpp"
#include "route_watch_state.hpp"
#include "sockets.hpp"

namespace flowtap::deliver {

namespace {

using detail::destination;
using detail::egress_plan;

/// Copies that are looked at before what was made of them is sent.
constexpr std::size_t scan_limit = 256;

/// A plan is looked up again after so long, which also tells the watch that it is in use.
constexpr std::chrono::nanoseconds plan_lifetime = std::chrono::milliseconds(500);

steady_time clock_now() noexcept {
    return std::chrono::steady_clock::now();
}

} // namespace

struct network_sink::state {
    state(const network_options& with, detail::route_watch_state* known)
        : options(with), routes(known), udp(with) {}

    std::size_t take(std::span<const path::copy> copies) noexcept;
    std::size_t take_frames(std::span<const path::copy> copies) noexcept;
    std::size_t take_by_system(std::span<const path::copy> copies) noexcept;

    /// What is to be done with a copy that was looked at.
    enum class step : std::uint8_t { next, by_system, full };
    step scan(const path::copy& what, std::size_t number) noexcept;
    step put_frames(const path::copy& what, std::size_t number, const egress_plan& plan) noexcept;
    step note(std::size_t number, path::drop_cause cause) noexcept;
    std::size_t send_frames(std::span<const path::copy> copies, std::size_t scanned) noexcept;
    std::size_t on_refusal(std::span<const path::copy> copies, std::size_t number,
                           int reason) noexcept;
    void settle(std::span<const path::copy> copies, std::size_t done) noexcept;
    void report_to(path::delivery_ledger& to) noexcept {
        ledger = &to;
        udp.report_to(to);
        if (raw != nullptr)
            raw->report_to(to);
    }

    destination* destination_of(const path::copy& what) noexcept {
        return destinations.find(what.header->parameters().destination.address, now);
    }
    egress_plan::way way_of(destination& its) noexcept;
    void look_up(destination& its) noexcept;
    bool make_room_for(const path::copy& what) noexcept;
    path::sink* system_sink_for(const path::copy& what) noexcept;
    bool system_is_busy() const noexcept;
    void flush(destination& its) noexcept;
    bool send_first(destination& its) noexcept;
    void tell_end_of(const path::copy& what, const path::delivery_counters& before,
                     const path::delivery_counters& after) noexcept;
    void start() noexcept {
        now = clock_now();
        if (routes != nullptr)
            routes->poll(now);
        version = routes == nullptr ? 0 : routes->version();
    }

    const network_options options;
    detail::route_watch_state* const routes; ///< owned by `options`
    udp_sink udp;
    std::unique_ptr<raw_ip_sink> raw;
    descriptor frame_socket; ///< none where copies do not leave as frames
    detail::destination_table destinations;
    detail::pending_copies pending;
    detail::frame_batch frames;
    path::delivery_ledger* ledger = nullptr;
    /// What becomes of a copy that was queued, and so is in `ledger` already.
    path::delivery_ledger second_count;

    /// What was found for a copy of those at hand that is no frame: it is dropped, or was queued.
    struct finding {
        std::size_t number;
        destination* queued_for; ///< null: dropped
        path::drop_cause cause;
    };
    std::array<finding, scan_limit> findings;
    std::size_t finding_count = 0;
    std::size_t settled = 0; ///< copies at the front that the ledger was told of

    steady_time now;
    std::uint64_t version = 0;
    path::sink* full_sink = nullptr; ///< the one of the system's that had no room
    int full_error = 0;              ///< why a frame had none; 0: it was not a frame
};

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

/// Called when a copy was not taken. If that is because others of its destination wait, the answer
/// that they wait for may have come since the batch began. Returns whether some of them left.
bool network_sink::state::make_room_for(const path::copy& what) noexcept {
    destination* const its = routes == nullptr ? nullptr : destination_of(what);
    if (its == nullptr || its->waiting.empty() || full_error != 0 || full_sink != nullptr)
        return false;
    now = clock_now();
    routes->poll_now(now);
    version = routes->version();
    const std::size_t before = pending.size();
    flush(*its);
    return pending.size() < before;
}

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

/// Sends what waits, as far as that is possible by now, or drops it.
void network_sink::state::flush(destination& its) noexcept {
    while (!its.waiting.empty()) {
        const egress_plan::way way = way_of(its);
        const bool is_late = now - pending.since(its.waiting) >= detail::route_table::resolve_limit;
        if (way == egress_plan::way::unreachable ||
            (way == egress_plan::way::resolving && is_late)) {
            const path::copy first = pending.front(its.waiting);
            ledger->queued_dropped(path::drop_cause::unreachable, first.stream,
                                   first.packet.size());
            pending.pop_front(its.waiting);
        } else if (way == egress_plan::way::resolving || !send_first(its)) {
            return;
        }
    }
}

/// Sends the first copy that waits for a destination, and removes it. False if there was no room.
bool network_sink::state::send_first(destination& its) noexcept {
    const path::copy first = pending.front(its.waiting);
    // Without the queue it is a copy as any other, which may be queued once more.
    const detail::pending_copies::queue all = std::exchange(its.waiting, {});
    path::delivery_ledger* const told = ledger;
    const path::delivery_counters before = second_count.totals();
    report_to(second_count);
    std::size_t taken = take(std::span(&first, 1));
    report_to(*told);
    if (!its.waiting.empty()) {
        pending.pop_back(its.waiting);
        taken = 0;
    }
    its.waiting = all;
    if (taken == 0)
        return false;
    tell_end_of(first, before, second_count.totals());
    pending.pop_front(its.waiting);
    return true;
}

/// Tells the ledger what became of a copy that was queued, by what was counted meanwhile.
void network_sink::state::tell_end_of(const path::copy& what, const path::delivery_counters& before,
                                      const path::delivery_counters& after) noexcept {
    for (std::size_t i = 0; i < after.dropped.size(); ++i) {
        if (after.dropped[i] == before.dropped[i])
            continue;
        ledger->queued_dropped(static_cast<path::drop_cause>(i), what.stream, what.packet.size());
        return;
    }
    ledger->queued_delivered(what.stream, what.packet.size());
}

void network_sink::withdraw(const path::copy_review& review, path::drop_cause cause) noexcept {
    for (destination& each : state_->destinations.all())
        if (!each.waiting.empty())
            state_->pending.filter(each.waiting, review,
                                   [&](stream_id stream, std::uint64_t octets) {
                                       ledger().queued_dropped(cause, stream, octets);
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
