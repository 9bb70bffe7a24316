// SPDX-License-Identifier: Apache-2.0
#include <flowtap/radius/client.hpp>

#include <array>
#include <chrono>
#include <map>
#include <utility>

#include <flowtap/radius/client_state.hpp>
#include <flowtap/radius/packet.hpp>

#include "asio.hpp"
#include "client_socket.hpp"

namespace flowtap::radius {

namespace asio = boost::asio;

namespace {

/// Datagrams of one socket before others have their turn, also in a flood.
constexpr int datagrams_in_a_row = 32;

steady_time now() {
    return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now());
}

struct open_descriptor {
    open_descriptor(const asio::strand<asio::io_context::executor_type>& on, descriptor from,
                    const endpoint& to)
        : stream(on, from.release()), peer(to) {}

    asio::posix::stream_descriptor stream;
    endpoint peer;
};

} // namespace

struct client::implementation : std::enable_shared_from_this<implementation> {
    implementation(asio::io_context& context, client_settings settings, cryptography functions,
                   logger to, opener& sockets_from)
        : strand(context.get_executor()), timer(strand),
          state(std::move(settings), std::move(functions)), log(std::move(to)),
          open(&sockets_from) {}

    void begin(login_request request, callback done);
    void settle();
    void perform(open_socket&& what);
    void perform(send_datagram&& what);
    void perform(close_socket&& what);
    void perform(login_ended&& what);
    void perform(server_changed&& what);
    void set_timer();
    void wait_for_datagrams(socket_id id);
    void receive(socket_id id);
    void close();

    asio::strand<asio::io_context::executor_type> strand;
    asio::steady_timer timer;
    client_state state;
    logger log;
    opener* open;
    std::map<socket_id, open_descriptor> sockets;
    std::map<login_id, callback> waiting;
    /// One octet more than the longest packet, so that a longer one is noticed.
    std::array<std::byte, longest_packet + 1> room;
    bool is_closed = false;
};

void client::implementation::begin(login_request request, callback done) {
    if (is_closed)
        return;
    const auto login = state.begin(std::move(request), now());
    if (!login)
        return done(login_unavailable{"RADIUS was not asked: " + login.error().message()});
    waiting.emplace(*login, std::move(done));
    settle();
}

/// Does all that the state asks for.
void client::implementation::settle() {
    while (!is_closed) {
        auto next = state.next_effect();
        if (!next)
            break;
        std::visit([this](auto& what) { perform(std::move(what)); }, *next);
    }
    if (!is_closed)
        set_timer();
}

void client::implementation::perform(open_socket&& what) {
    auto made = open_client_socket(*open, what.to, what.source_address);
    if (!made)
        return state.lost(what.socket, made.error().code, now());
    sockets.try_emplace(what.socket, strand, *std::move(made), what.to);
    wait_for_datagrams(what.socket);
}

void client::implementation::perform(send_datagram&& what) {
    const auto found = sockets.find(what.socket);
    if (found == sockets.end())
        return;
    const int socket = found->second.stream.native_handle();
    std::error_code failure = send_to_peer(socket, what.octets);
    // The first failure may be about an earlier datagram.
    if (failure) {
        state.network_error(what.socket, failure);
        failure = send_to_peer(socket, what.octets);
    }
    if (failure)
        state.network_error(what.socket, failure);
}

void client::implementation::perform(close_socket&& what) {
    sockets.erase(what.socket);
}

void client::implementation::perform(login_ended&& what) {
    auto found = waiting.extract(what.login);
    if (!found.empty())
        found.mapped()(std::move(what.outcome));
}

void client::implementation::perform(server_changed&& what) {
    if (log)
        log(what.message);
}

void client::implementation::set_timer() {
    const auto deadline = state.deadline();
    if (!deadline) {
        timer.cancel();
        return;
    }
    timer.expires_at(std::chrono::time_point_cast<std::chrono::steady_clock::duration>(*deadline));
    timer.async_wait([self = weak_from_this()](const boost::system::error_code& failure) {
        const auto alive = self.lock();
        if (failure || !alive || alive->is_closed)
            return;
        alive->state.turn(now());
        alive->settle();
    });
}

void client::implementation::wait_for_datagrams(socket_id id) {
    sockets.at(id).stream.async_wait(
        asio::posix::stream_descriptor::wait_read,
        [self = weak_from_this(), id](const boost::system::error_code& failure) {
            const auto alive = self.lock();
            if (!failure && alive && !alive->is_closed)
                alive->receive(id);
        });
}

void client::implementation::receive(socket_id id) {
    for (int i = 0; i < datagrams_in_a_row; ++i) {
        const auto found = sockets.find(id);
        if (found == sockets.end())
            return;
        const auto datagram = receive_from_peer(found->second.stream.native_handle(), room);
        if (!datagram && datagram.error().code == std::errc::operation_would_block)
            break;
        if (!datagram)
            state.network_error(id, datagram.error().code);
        else
            state.feed(id, found->second.peer, *datagram, now());
    }
    settle();
    if (!is_closed && sockets.contains(id))
        wait_for_datagrams(id);
}

/// Nothing is called any more.
void client::implementation::close() {
    is_closed = true;
    timer.cancel();
    sockets.clear();
    waiting.clear();
}

client::client(std::shared_ptr<implementation> with) : implementation_(std::move(with)) {}

client::~client() {
    implementation_->close();
}

result<std::unique_ptr<client>> client::create(asio::io_context& context, client_settings settings,
                                               cryptography functions, logger log,
                                               opener& sockets) {
    if (auto checked = client_state::check(settings); !checked)
        return fail(checked.error());
    return std::unique_ptr<client>(new client(std::make_shared<implementation>(
        context, std::move(settings), std::move(functions), std::move(log), sockets)));
}

void client::log_in(login_request request, callback done) {
    // Moved all the way, so that the password stands in one place.
    asio::post(implementation_->strand,
               [self = std::weak_ptr(implementation_), request = std::move(request),
                done = std::move(done)]() mutable {
                   if (const auto alive = self.lock())
                       alive->begin(std::move(request), std::move(done));
               });
}

void client::status(std::function<void(client_status)> done) {
    asio::post(implementation_->strand,
               [self = std::weak_ptr(implementation_), done = std::move(done)] {
                   if (const auto alive = self.lock())
                       done({alive->state.logins(), alive->state.servers()});
               });
}

} // namespace flowtap::radius
