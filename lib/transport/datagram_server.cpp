// SPDX-License-Identifier: Apache-2.0
#include <flowtap/transport/datagram_server.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <map>
#include <utility>

#include "asio.hpp"
#include "datagram_queue.hpp"
#include "datagram_socket.hpp"

namespace flowtap::transport {

namespace asio = boost::asio;

namespace {

/// Datagrams that one call of the system receives, calls before others have their turn, and
/// datagrams that wait which are sent before that.
constexpr std::size_t batch_size = 16;
constexpr int batches_in_a_row = 4;
constexpr std::size_t flushed_in_a_row = 64;

/// How long sending rests when the system has no memory, or a device no room.
constexpr std::chrono::milliseconds send_rest{2};

/// One address that is listened on.
struct listening_socket {
    listening_socket(event_loop& loop, endpoint at, queue_budget& shared)
        : local(at), ready(loop.context()), queue(shared), rest(loop) {}
    listening_socket(event_loop& loop, endpoint at, std::unique_ptr<queue_budget> own)
        : local(at), ready(loop.context()), own_budget(std::move(own)), queue(*own_budget),
          rest(loop) {}

    bool is_at(const endpoint& asked) const {
        return local.port == asked.port && local.address.ip_family() == asked.address.ip_family() &&
               (local.address == asked.address || local.address.is_unspecified());
    }

    endpoint local;
    asio::posix::stream_descriptor ready;
    /// Of a receiver's socket; the others share that of the server.
    std::unique_ptr<queue_budget> own_budget;
    datagram_queue queue;
    loop_timer rest;
    bool waits_for_room = false;
    /// How many the system has thrown away, as last told: it counts modulo 2^32.
    std::uint32_t overflow = 0;
};

} // namespace

struct datagram_server::implementation : std::enable_shared_from_this<implementation> {
    implementation(event_loop& on, receiver to, const datagram_limits& with)
        : loop(on), receive(std::move(to)), limits(with), budget(with.queue),
          batch(batch_size, with.longest) {}

    /// `budget`: of its queue, shared or its own.
    template <class Budget>
    result<void> open(const endpoint& address, Budget&& shared, opener& via);
    result<void> open_for(const std::vector<ip_address>& receivers, opener& via);
    void wait_for_datagrams(listening_socket& on);
    void receive_from(listening_socket& on);
    void hand_over(const listening_socket& on, std::size_t count);

    listening_socket* socket_for(const endpoint& from, const endpoint& to);
    void send(listening_socket& on, waiting_datagram one);
    static send_outcome try_to_send(listening_socket& on, const waiting_datagram& one);
    void wait_for_room(listening_socket& on, send_outcome because);
    void flush(listening_socket& on);
    void tell_of_room();
    void close();

    event_loop& loop;
    receiver receive;
    datagram_limits limits;
    queue_budget budget;
    std::vector<std::unique_ptr<listening_socket>> sockets;
    std::map<ip_address, listening_socket*> by_receiver;
    datagram_batch batch;
    datagram_counters counters;
    std::function<void()> room_changed;
    bool told_full = false;
    bool closed = false;
};

template <class Budget>
result<void> datagram_server::implementation::open(const endpoint& address, Budget&& shared,
                                                   opener& via) {
    auto socket = datagram_socket::open(address, via);
    if (!socket)
        return fail(socket.error());
    if (limits.send_buffer > 0)
        static_cast<void>(::setsockopt(socket->number(), SOL_SOCKET, SO_SNDBUF, &limits.send_buffer,
                                       sizeof limits.send_buffer));
    auto made =
        std::make_unique<listening_socket>(loop, socket->local(), std::forward<Budget>(shared));
    boost::system::error_code failure;
    made->ready.assign(socket->number(), failure);
    if (failure)
        return fail(
            error(std::error_code(failure.value(), std::generic_category()), to_string(address)));
    static_cast<void>(socket->release()); // the loop's now
    sockets.push_back(std::move(made));
    return {};
}

result<void> datagram_server::implementation::open_for(const std::vector<ip_address>& receivers,
                                                       opener& via) {
    std::array<std::vector<listening_socket*>, 2> opened;
    std::array<std::size_t, 2> next{};
    for (const ip_address& receiver : receivers) {
        if (by_receiver.contains(receiver))
            continue;
        const std::size_t of = receiver.ip_family() == family::inet ? 0 : 1;
        if (opened[of].size() < most_receivers) {
            auto made = open({ip_address(receiver.ip_family(), {}), 0},
                             std::make_unique<queue_budget>(limits.queue / 8), via);
            if (!made)
                return made;
            opened[of].push_back(sockets.back().get());
        }
        by_receiver.emplace(receiver, opened[of][next[of]++ % opened[of].size()]);
    }
    return {};
}

// --- receiving ---

void datagram_server::implementation::wait_for_datagrams(listening_socket& on) {
    on.ready.async_wait(asio::posix::descriptor_base::wait_read,
                        [self = shared_from_this(), &on](const boost::system::error_code& failure) {
                            if (!failure && !self->closed)
                                self->receive_from(on);
                        });
}

void datagram_server::implementation::receive_from(listening_socket& on) {
    for (int i = 0; i < batches_in_a_row; ++i) {
        const int count = batch.receive(on.ready.native_handle());
        if (count < 0) {
            // An error is one about a datagram that was sent, and stands in the way of what came.
            counters.undelivered += take_errors(on.ready.native_handle());
            if (count == -EAGAIN)
                break;
            continue;
        }
        counters.overflowed += static_cast<std::uint32_t>(batch.overflow() - on.overflow);
        on.overflow = batch.overflow();
        hand_over(on, static_cast<std::size_t>(count));
        if (closed)
            return;
    }
    wait_for_datagrams(on);
}

void datagram_server::implementation::hand_over(const listening_socket& on, std::size_t count) {
    for (std::size_t index = 0; index < count && !closed; ++index) {
        const datagram_batch::item one = batch[index];
        ++counters.received;
        if (one.at.is_unspecified())
            ++counters.to_many;
        else if (one.too_long)
            ++counters.too_long;
        else
            receive(one.from, {one.at, on.local.port}, one.octets);
    }
}

// --- sending ---

listening_socket* datagram_server::implementation::socket_for(const endpoint& from,
                                                              const endpoint& to) {
    const auto find = [&](auto good) {
        const auto found = std::find_if(sockets.begin(), sockets.end(), good);
        return found == sockets.end() ? nullptr : found->get();
    };
    if (from.port == 0) {
        const auto own = by_receiver.find(to.address);
        return own != by_receiver.end() ? own->second : find([&](const auto& one) {
            return one->local.address.ip_family() == to.address.ip_family();
        });
    }
    if (from.address.ip_family() != to.address.ip_family())
        return nullptr;
    auto* const exact = find([&](const auto& one) { return one->local == from; });
    return exact != nullptr ? exact : find([&](const auto& one) { return one->is_at(from); });
}

send_outcome datagram_server::implementation::try_to_send(listening_socket& on,
                                                          const waiting_datagram& one) {
    return outcome_of(send_datagram_from(on.ready.native_handle(), one.source, one.to, one.octets));
}

void datagram_server::implementation::send(listening_socket& on, waiting_datagram one) {
    auto outcome = send_outcome::full;
    if (on.queue.empty())
        outcome = try_to_send(on, one);
    if (outcome == send_outcome::sent) {
        ++counters.sent;
        return;
    }
    if (outcome == send_outcome::impossible || !on.queue.push(std::move(one))) {
        ++counters.not_sent;
        return;
    }
    wait_for_room(on, outcome);
    tell_of_room();
}

void datagram_server::implementation::wait_for_room(listening_socket& on, send_outcome because) {
    if (std::exchange(on.waits_for_room, true))
        return;
    if (because == send_outcome::exhausted) {
        on.rest.call_at(loop.now().steady + send_rest,
                        [self = shared_from_this(), &on] { self->flush(on); });
        return;
    }
    on.ready.async_wait(asio::posix::descriptor_base::wait_write,
                        [self = shared_from_this(), &on](const boost::system::error_code& failure) {
                            if (!failure)
                                self->flush(on);
                        });
}

void datagram_server::implementation::flush(listening_socket& on) {
    if (closed)
        return;
    on.waits_for_room = false;
    const auto done = on.queue.flush(
        flushed_in_a_row, [&](const waiting_datagram& one) { return try_to_send(on, one); });
    counters.sent += done.sent;
    counters.not_sent += done.lost;
    if (!on.queue.empty())
        wait_for_room(on, done.last);
    tell_of_room();
}

void datagram_server::implementation::tell_of_room() {
    if (std::exchange(told_full, budget.is_full()) == budget.is_full() || !room_changed)
        return;
    const auto call = room_changed; // it may be replaced by what it calls
    call();
}

void datagram_server::implementation::close() {
    closed = true;
    boost::system::error_code ignored;
    for (const auto& one : sockets) {
        one->ready.close(ignored);
        one->rest.cancel();
    }
}

// --- the server ---

datagram_server::datagram_server(std::shared_ptr<implementation> with)
    : implementation_(std::move(with)) {}

datagram_server::~datagram_server() {
    implementation_->close();
}

result<std::unique_ptr<datagram_server>>
datagram_server::listen(event_loop& loop, const std::vector<endpoint>& listen, receiver receive,
                        const datagram_limits& limits, const std::vector<ip_address>& receivers,
                        opener& via) {
    const auto made = std::make_shared<implementation>(loop, std::move(receive), limits);
    for (const endpoint& address : listen)
        if (const auto opened = made->open(address, made->budget, via); !opened)
            return fail(opened.error());
    if (const auto opened = made->open_for(receivers, via); !opened)
        return fail(opened.error());
    for (const auto& one : made->sockets)
        made->wait_for_datagrams(*one);
    return std::unique_ptr<datagram_server>(new datagram_server(made));
}

std::vector<endpoint> datagram_server::addresses() const {
    std::vector<endpoint> all;
    for (const auto& one : implementation_->sockets)
        all.push_back(one->local);
    return all;
}

void datagram_server::send(const endpoint& from, const endpoint& to, std::string_view octets) {
    auto* const on = implementation_->socket_for(from, to);
    if (on == nullptr) {
        ++implementation_->counters.not_sent;
        return;
    }
    const ip_address any(to.address.ip_family(), {});
    implementation_->send(*on, {from.port == 0 ? any : from.address, to, std::string(octets)});
}

bool datagram_server::is_full() const noexcept {
    return implementation_->budget.is_full();
}

void datagram_server::on_room(std::function<void()> what) {
    implementation_->room_changed = std::move(what);
}

datagram_counters datagram_server::counters() const noexcept {
    return implementation_->counters;
}

} // namespace flowtap::transport
