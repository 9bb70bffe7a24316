// SPDX-License-Identifier: Apache-2.0
#include <flowtap/radius/request_server.hpp>

#include <array>
#include <chrono>
#include <type_traits>
#include <utility>
#include <variant>

#include <flowtap/radius/packet.hpp>

#include "asio.hpp"
#include "server_socket.hpp"

namespace flowtap::radius {

namespace asio = boost::asio;

namespace {

/// Datagrams before others have their turn, also in a flood.
constexpr int datagrams_in_a_row = 32;

time_stamp now() {
    using std::chrono::nanoseconds;
    return {std::chrono::time_point_cast<nanoseconds>(std::chrono::steady_clock::now()),
            std::chrono::time_point_cast<nanoseconds>(std::chrono::system_clock::now())};
}

} // namespace

struct request_server::implementation : std::enable_shared_from_this<implementation> {
    template <class State>
    implementation(asio::io_context& context, descriptor from, State with, logger to)
        : stream(context, from.release()), timer(context), state(std::move(with)),
          log(std::move(to)) {}

    void wait_for_datagrams();
    void receive();
    bool answer_one();
    void write_log();
    void close() {
        is_closed = true;
        timer.cancel();
        boost::system::error_code ignored;
        stream.close(ignored);
    }

    asio::posix::stream_descriptor stream;
    asio::steady_timer timer;
    std::variant<accounting_state, authorization_state> state;
    logger log;
    /// One octet more than the longest packet, so that a longer one is noticed.
    std::array<std::byte, longest_packet + 1> room;
    bool is_waiting_to_log = false;
    bool is_closed = false;
};

void request_server::implementation::wait_for_datagrams() {
    stream.async_wait(asio::posix::stream_descriptor::wait_read,
                      [self = weak_from_this()](const boost::system::error_code& failure) {
                          const auto alive = self.lock();
                          if (!failure && alive && !alive->is_closed)
                              alive->receive();
                      });
}

void request_server::implementation::receive() {
    for (int i = 0; i < datagrams_in_a_row && !is_closed && answer_one(); ++i) {
    }
    if (is_closed)
        return;
    write_log();
    if (!is_closed)
        wait_for_datagrams();
}

/// Reads one datagram and sends the answer, if there is one: a client that does not get it asks
/// again. Returns false when there was nothing to read.
bool request_server::implementation::answer_one() {
    const int socket = stream.native_handle();
    datagram_origin origin;
    bool is_empty = false;
    const auto datagram = receive_datagram(socket, room, origin, is_empty);
    if (!datagram)
        return !is_empty;
    const byte_view answer = std::visit(
        [&](auto& with) { return with.feed(origin.from.to_endpoint(), *datagram, now()); }, state);
    if (!answer.empty() && !is_closed)
        send_answer(socket, answer, origin);
    return true;
}

/// Tells the log what was ignored, now or when it is time to.
void request_server::implementation::write_log() {
    if (!log || is_waiting_to_log)
        return;
    const auto line = std::visit([](auto& with) { return with.log_line(now().steady); }, state);
    if (line)
        log(*line);
    const auto due = std::visit([](auto& with) { return with.deadline(); }, state);
    if (!due || is_closed)
        return;
    is_waiting_to_log = true;
    timer.expires_at(std::chrono::time_point_cast<std::chrono::steady_clock::duration>(*due));
    timer.async_wait([self = weak_from_this()](const boost::system::error_code& failure) {
        const auto alive = self.lock();
        if (failure || !alive || alive->is_closed)
            return;
        alive->is_waiting_to_log = false;
        alive->write_log();
    });
}

request_server::request_server(std::shared_ptr<implementation> with)
    : implementation_(std::move(with)) {
    tell_destinations(implementation_->stream.native_handle());
    implementation_->wait_for_datagrams();
}

request_server::~request_server() {
    implementation_->close();
}

/// Both kinds differ in nothing but the state that `make_state` makes of the settings.
template <class MakeState>
result<std::unique_ptr<request_server>>
request_server::make(asio::io_context& context, const endpoint& at, server_settings settings,
                     opener& sockets, logger log, MakeState make_state) {
    if (auto checked = check(settings); !checked)
        return fail(checked.error());
    auto socket = sockets.datagram_listener(at);
    if (!socket)
        return fail(socket.error());
    return std::unique_ptr<request_server>(new request_server(std::make_shared<implementation>(
        context, std::move(*socket), make_state(std::move(settings)), std::move(log))));
}

result<std::unique_ptr<request_server>>
request_server::accounting(asio::io_context& context, const endpoint& at, server_settings settings,
                           cryptography functions, accounting_state::handler handle, logger log,
                           opener& sockets) {
    return make(context, at, std::move(settings), sockets, std::move(log), [&](auto checked) {
        return accounting_state(std::move(checked), std::move(functions), std::move(handle));
    });
}

result<std::unique_ptr<request_server>> request_server::dynamic_authorization(
    asio::io_context& context, const endpoint& at, server_settings settings, cryptography functions,
    authorization_state::handler handle, logger log, opener& sockets) {
    return make(context, at, std::move(settings), sockets, std::move(log), [&](auto checked) {
        return authorization_state(std::move(checked), std::move(functions), std::move(handle));
    });
}

endpoint request_server::address() const {
    socket_address local;
    ::getsockname(implementation_->stream.native_handle(), local.any(), &local.size);
    return local.to_endpoint();
}

server_counters request_server::counters() const {
    return std::visit([](const auto& with) { return with.counters(); }, implementation_->state);
}

result<void> request_server::set_clients(std::vector<server_client> clients) {
    server_settings settings;
    settings.clients = std::move(clients);
    if (auto checked = check(settings); !checked)
        return checked;
    std::visit([&](auto& with) { with.set_clients(std::move(settings.clients)); },
               implementation_->state);
    return {};
}

} // namespace flowtap::radius
