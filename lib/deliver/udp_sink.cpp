// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include <flowtap/deliver/udp_sink.hpp>
#include <flowtap/path/delivery_ledger.hpp>

#ifdef __linux__
#include <linux/filter.h>
#endif

#include "sockets.hpp"

namespace flowtap::deliver {

namespace {

using detail::send_error;

/// Where things stand in the headers that a template writes.
constexpr std::size_t inet_header = 20;
constexpr std::size_t inet6_header = 40;
constexpr std::size_t udp_header = 8;

/// Receives nothing: what comes to a port that copies come from is nobody's.
void receive_nothing(const descriptor& socket) noexcept {
#ifdef __linux__
    sock_filter refuse{BPF_RET | BPF_K, 0, 0, 0};
    const sock_fprog program{1, &refuse};
    ::setsockopt(socket.number(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
#else
    static_cast<void>(socket);
#endif
}

/// Has the kernel write the outer headers as a template would.
void set_header_options(const descriptor& socket, family of, too_long_copies what) noexcept {
    const int on = 1;
    if (of == family::inet) {
        // Neither sets DF; the second refuses what is longer than the device's MTU.
        const int fragments =
            what == too_long_copies::fragment ? IP_PMTUDISC_DONT : IP_PMTUDISC_INTERFACE;
        ::setsockopt(socket.number(), IPPROTO_IP, IP_MTU_DISCOVER, &fragments, sizeof fragments);
        ::setsockopt(socket.number(), SOL_SOCKET, SO_NO_CHECK, &on, sizeof on);
    } else if (what == too_long_copies::drop) {
        const int none = IPV6_PMTUDISC_INTERFACE;
        ::setsockopt(socket.number(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, &none, sizeof none);
    }
}

void put_control(std::span<std::byte> room, std::size_t& used, int level, int type,
                 int value) noexcept {
    cmsghdr header{};
    header.cmsg_len = CMSG_LEN(sizeof value);
    header.cmsg_level = level;
    header.cmsg_type = type;
    std::memcpy(room.data() + used, &header, sizeof header);
    std::memcpy(room.data() + used + CMSG_LEN(0), &value, sizeof value);
    used += CMSG_SPACE(sizeof value);
}

/// Control data with the time to live and the class of the outer header in `header`.
std::size_t write_control(family of, byte_view header, std::span<std::byte> room) noexcept {
    std::size_t used = 0;
    if (of == family::inet) {
        put_control(room, used, IPPROTO_IP, IP_TTL, std::to_integer<int>(header[8]));
        put_control(room, used, IPPROTO_IP, IP_TOS, std::to_integer<int>(header[1]));
    } else {
        const int traffic_class = (load_big_endian<std::uint16_t>(header) >> 4) & 0xFF;
        put_control(room, used, IPPROTO_IPV6, IPV6_HOPLIMIT, std::to_integer<int>(header[7]));
        put_control(room, used, IPPROTO_IPV6, IPV6_TCLASS, traffic_class);
    }
    return used;
}

/// Whether a plain socket can send what is encapsulated like this. The kernel gives a free port in
/// the place of port 0, and refuses a TTL of 0.
bool is_plain(const packet::encapsulation& with) noexcept {
    return with.kind != packet::encapsulation_kind::ip_in_ip && with.source.port != 0 &&
           with.ttl != 0;
}

} // namespace

struct udp_sink::state {
    explicit state(const udp_options& with) : options(with) {
        const std::size_t wanted = std::max<std::size_t>(with.sockets, 1) * 2;
        places.resize(std::size_t{1} << (64 - __builtin_clzll(wanted)));
    }

    /// A source address and port that was asked for, with its socket, if it could be opened.
    struct place {
        endpoint source;
        bool used = false;
        descriptor socket;
    };

    /// The socket that copies from `source` leave through; -1 if there is none.
    int socket_for(const endpoint& source) noexcept;
    descriptor open(const endpoint& source) noexcept;
    int socket_of(const path::copy& what) noexcept {
        const packet::encapsulation& with = what.header->parameters();
        return is_plain(with) ? socket_for(with.source) : -1;
    }
    std::size_t send_run(std::span<const path::copy> copies) noexcept;
    void fill_batch(std::span<const path::copy> copies, const endpoint& source) noexcept;
    std::size_t drop(path::drop_cause cause, const path::copy& what) noexcept;

    udp_options options;
    std::vector<place> places; ///< open addressing; never more than half full
    std::size_t used = 0;
    detail::message_batch batch;
    path::delivery_ledger* ledger = nullptr;
    int full_socket = -1;
    int full_error = 0;
};

udp_sink::udp_sink(const udp_options& options) : state_(std::make_unique<state>(options)) {}
udp_sink::~udp_sink() = default;

descriptor udp_sink::state::open(const endpoint& source) noexcept {
    auto made = options.socket.via->udp_socket(source);
    if (!made || !detail::prepare(*made, options.socket))
        return {};
    receive_nothing(*made);
    set_header_options(*made, source.address.ip_family(), options.socket.too_long);
    return std::move(*made);
}

int udp_sink::state::socket_for(const endpoint& source) noexcept {
    const std::uint64_t mixed =
        (source.address.bits().low ^ source.address.bits().high ^ source.port) *
        0x9E37'79B9'7F4A'7C15ULL;
    for (std::size_t i = mixed >> 32;; ++i) {
        place& its = places[i % places.size()];
        if (its.used && its.source == source)
            return its.socket.number();
        if (its.used)
            continue;
        if (used == std::max<std::size_t>(options.sockets, 1))
            return -1;
        ++used;
        its.used = true;
        its.source = source;
        its.socket = open(source);
        return its.socket.number();
    }
}

bool udp_sink::can_send(const path::copy& what) noexcept {
    return state_->socket_of(what) >= 0;
}

std::size_t udp_sink::consume(std::span<const path::copy> copies) noexcept {
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

std::size_t udp_sink::state::send_run(std::span<const path::copy> copies) noexcept {
    const path::copy& first = copies.front();
    const int socket = socket_of(first);
    if (socket < 0)
        return drop(path::drop_cause::send_error, first);
    fill_batch(copies, first.header->parameters().source);
    if (batch.size() == 0)
        return drop(path::drop_cause::too_long, first);
    bool cleared = false;
    for (;;) {
        const std::size_t sent = batch.send(socket);
        if (sent != 0) {
            ledger->delivered(copies.first(sent));
            return sent;
        }
        const int reason = errno;
        const send_error kind = detail::kind_of(reason);
        if (kind == send_error::again)
            continue;
        if (kind == send_error::full) {
            full_socket = socket;
            full_error = reason;
            return 0;
        }
        if (kind == send_error::too_long || cleared)
            return drop(detail::cause_of(reason), first);
        // It may be the answer to an earlier packet: once more, without what is queued.
        detail::clear_errors(socket);
        cleared = true;
    }
}

void udp_sink::state::fill_batch(std::span<const path::copy> copies,
                                 const endpoint& source) noexcept {
    batch.clear();
    const family of = source.address.ip_family();
    const std::size_t outer = (of == family::inet ? inet_header : inet6_header) + udp_header;
    for (const path::copy& each : copies) {
        const packet::encapsulation& with = each.header->parameters();
        if (batch.full() || with.source != source || !is_plain(with) ||
            !each.header->write(each.packet, each.identification, batch.header()))
            return;
        const byte_view header = batch.header().first(each.header->size());
        const std::size_t control = write_control(of, header, batch.control());
        batch.add(with.destination, header.subspan(outer), each.packet, control);
    }
}

std::size_t udp_sink::state::drop(path::drop_cause cause, const path::copy& what) noexcept {
    ledger->dropped(cause, {&what, 1});
    return 1;
}

void udp_sink::wait(std::chrono::milliseconds limit) noexcept {
    detail::wait_writable(state_->full_socket, state_->full_error, static_cast<int>(limit.count()));
}

bool udp_sink::has_unsent() const noexcept {
    return std::ranges::any_of(state_->places, [](const state::place& each) {
        return each.used && detail::has_unsent(each.socket.number());
    });
}

} // namespace flowtap::deliver
