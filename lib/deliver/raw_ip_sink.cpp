// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <utility>

#include <flowtap/deliver/raw_ip_sink.hpp>
#include <flowtap/packet/fragment.hpp>
#include <flowtap/path/delivery_ledger.hpp>

#include "mtu_cache.hpp"
#include "sockets.hpp"

namespace flowtap::deliver {

namespace {

using detail::send_error;

/// Raw sockets take no port: IPv6 ones refuse any but zero.
endpoint destination_of(const path::copy& what) noexcept {
    return {what.header->parameters().destination.address, 0};
}

std::size_t length_of(const path::copy& what) noexcept {
    return what.header->size() + what.packet.size();
}

} // namespace

struct raw_ip_sink::state {
    state(detail::mtu_cache known, too_long_copies what)
        : mtus(std::move(known)), too_long_ones(what) {}

    /// Sends copies from the front of `copies` that one call can send. Returns how many it took.
    std::size_t send_run(std::span<const path::copy> copies) noexcept;
    /// Puts the copies from the front that need nothing special into the batch.
    void fill_batch(std::span<const path::copy> copies, family of) noexcept;
    /// Takes one copy that cannot go out in one piece. 0 if there is no room for it now.
    std::size_t send_alone(const path::copy& what) noexcept;
    int send_pieces(const path::copy& what, std::size_t mtu) noexcept;
    std::size_t drop(path::drop_cause cause, const path::copy& what) noexcept;
    bool too_long(const path::copy& what) noexcept;
    int socket_for(family of) const noexcept {
        return of == family::inet ? inet.number() : inet6.number();
    }

    descriptor inet;
    descriptor inet6;
    detail::mtu_cache mtus;
    const too_long_copies too_long_ones;
    detail::message_batch batch;
    path::delivery_ledger* ledger = nullptr;
    int full_socket = -1;
    int full_error = 0;
};

result<std::unique_ptr<raw_ip_sink>> raw_ip_sink::open(const socket_options& options) {
    auto mtus = detail::mtu_cache::open(options);
    if (!mtus)
        return fail(mtus.error());
    auto made = std::make_unique<state>(std::move(*mtus), options.too_long);
    for (const family of : {family::inet, family::inet6}) {
        auto opened = options.via->raw_socket(of);
        if (!opened && opened.error().code == std::errc::address_family_not_supported)
            continue;
        if (!opened)
            return fail(opened.error());
        if (auto prepared = detail::prepare(*opened, options); !prepared)
            return fail(prepared.error());
#ifdef IP_NODEFRAG
        // Else connection tracking would put our fragments together again.
        const int on = 1;
        if (of == family::inet)
            ::setsockopt(opened->number(), IPPROTO_IP, IP_NODEFRAG, &on, sizeof on);
#endif
        (of == family::inet ? made->inet : made->inet6) = std::move(*opened);
    }
    return std::unique_ptr<raw_ip_sink>(new raw_ip_sink(std::move(made)));
}

raw_ip_sink::raw_ip_sink(std::unique_ptr<state> with) noexcept : state_(std::move(with)) {}
raw_ip_sink::~raw_ip_sink() = default;

std::size_t raw_ip_sink::consume(std::span<const path::copy> copies) noexcept {
    state_->ledger = &ledger();
    std::size_t done = 0;
    while (done < copies.size()) {
        const std::size_t taken = state_->send_run(copies.subspan(done));
        if (taken == 0)
            break;
        done += taken;
    }
    return done;
}

std::size_t raw_ip_sink::state::send_run(std::span<const path::copy> copies) noexcept {
    const path::copy& first = copies.front();
    const family of = destination_of(first).address.ip_family();
    const int socket = socket_for(of);
    if (socket < 0)
        return drop(path::drop_cause::unreachable, first);
    fill_batch(copies, of);
    if (batch.size() == 0)
        return send_alone(first);
    for (;;) {
        const std::size_t sent = batch.send(socket);
        if (sent != 0) {
            ledger->delivered(copies.first(sent));
            return sent;
        }
        const int reason = errno;
        switch (detail::kind_of(reason)) {
        case send_error::again:
            continue;
        case send_error::full:
            full_socket = socket;
            full_error = reason;
            return 0;
        case send_error::too_long:
            mtus.ask(first.header->parameters().destination.address);
            return send_alone(first);
        case send_error::final:
            return drop(detail::cause_of(reason), first);
        }
    }
}

void raw_ip_sink::state::fill_batch(std::span<const path::copy> copies, family of) noexcept {
    batch.clear();
    for (const path::copy& each : copies) {
        const endpoint to = destination_of(each);
        if (batch.full() || to.address.ip_family() != of || too_long(each) ||
            !each.header->write(each.packet, each.identification, batch.header()))
            return;
        batch.add(to, batch.header().first(each.header->size()), each.packet, 0);
    }
}

/// Whether a copy is known to be longer than the MTU. Nothing is known of a destination until a
/// copy was too long for it.
bool raw_ip_sink::state::too_long(const path::copy& what) noexcept {
    const std::size_t mtu = mtus.known(what.header->parameters().destination.address);
    return mtu != 0 && length_of(what) > mtu;
}

std::size_t raw_ip_sink::state::send_alone(const path::copy& what) noexcept {
    const ip_address to = what.header->parameters().destination.address;
    std::size_t mtu = mtus.known(to);
    if (mtu == 0)
        mtu = mtus.ask(to);
    // What fits and comes here cannot be written, or the system does not say why it did not go.
    if (mtu == 0 || length_of(what) <= mtu || too_long_ones == too_long_copies::drop)
        return drop(path::drop_cause::too_long, what);
    int outcome = send_pieces(what, mtu);
    if (outcome == EMSGSIZE)
        outcome = send_pieces(what, mtus.ask(to));
    if (outcome == 0) {
        ledger->delivered({&what, 1});
        return 1;
    }
    if (detail::kind_of(outcome) != send_error::full)
        return drop(detail::cause_of(outcome), what);
    // Pieces that have left go out again with the rest: a receiver knows them by their offset.
    full_socket = socket_for(to.ip_family());
    full_error = outcome;
    return 0;
}

int raw_ip_sink::state::send_pieces(const path::copy& what, std::size_t mtu) noexcept {
    auto pieces = packet::fragmenter::make(*what.header, what.packet, what.identification, mtu);
    if (!pieces)
        return EMSGSIZE;
    const endpoint to = destination_of(what);
    packet::fragmenter::piece piece;
    while (pieces->next(piece)) {
        int outcome = 0;
        do
            outcome = detail::send_one(socket_for(to.address.ip_family()), to, piece.header,
                                       piece.payload);
        while (outcome == EINTR);
        if (outcome != 0)
            return outcome;
    }
    return 0;
}

std::size_t raw_ip_sink::state::drop(path::drop_cause cause, const path::copy& what) noexcept {
    ledger->dropped(cause, {&what, 1});
    return 1;
}

void raw_ip_sink::wait(std::chrono::milliseconds limit) noexcept {
    detail::wait_writable(state_->full_socket, state_->full_error, static_cast<int>(limit.count()));
}

bool raw_ip_sink::has_unsent() const noexcept {
    return detail::has_unsent(state_->inet.number()) || detail::has_unsent(state_->inet6.number());
}

} // namespace flowtap::deliver
