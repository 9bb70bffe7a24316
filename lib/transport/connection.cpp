// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include <algorithm>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

#include <flowtap/transport/channel_router.hpp>

#include "refusal_time.hpp"

namespace flowtap::transport {

namespace asio = boost::asio;

namespace {

/// So many turns of libssh's loop for one connection before the others have theirs.
constexpr int rounds_in_a_row = 8;

/// Octets that are read from a channel at a time.
constexpr std::size_t room_size = 32UL * 1024;

std::string_view text_of(const char* text) {
    return text == nullptr ? std::string_view() : std::string_view(text);
}

} // namespace

connection_host::connection_host(event_loop& on, ssh_server_options with, authenticator& asked,
                                 const channel_router& routes)
    : loop(on), options(std::move(with)), limits(options.login), sources(limits), users(asked),
      router(routes), pool(options.login_threads), room(room_size) {}

connection::connection(connection_host& host, int socket, const endpoint& peer)
    : host_(&host), peer_(peer), socket_(socket), ready_(host.loop.context()), timer_(host.loop) {}

connection::~connection() {
    channels_.clear();
    event_.reset();
    session_.reset();
    if (socket_ >= 0)
        ::close(socket_);
}

bool connection::start(ssh_bind settings) {
    session_.reset(ssh_new());
    const int twin = ::fcntl(socket_, F_DUPFD_CLOEXEC, 0);
    if (!session_ || twin < 0) {
        if (twin >= 0)
            ::close(twin);
        return false;
    }
    boost::system::error_code failure;
    ready_.assign(twin, failure);
    if (failure) {
        ::close(twin);
        return false;
    }
    ssh_set_blocking(session_.get(), 0);
    const bool good = ssh_bind_accept_fd(settings, session_.get(), socket_) == SSH_OK;
    // Whether it failed or not, libssh may own the socket now.
    if (good || ssh_get_fd(session_.get()) == socket_)
        socket_ = -1;
    if (!good)
        return false;

    last_input_ = host_->loop.now().steady;
    const steady_time deadline = last_input_ + host_->limits.grace;
    login_.emplace(session_.get(), host_->users, peer_, deadline);
    timer_.call_at(deadline, [self = weak_from_this()] {
        if (const auto alive = self.lock())
            alive->login_expired();
    });
    is_waiting_to_log_in_ = true;
    host_->sources.begin(peer_.address);
    submit_step();
    return true;
}

// --- until somebody is logged in ---

void connection::submit_step() {
    phase_ = phase::in_step;
    host_->pool.submit([self = shared_from_this(), &loop = host_->loop] {
        auto what = login::outcome::failed;
        try {
            what = self->login_->step();
        } catch (...) {
            // Out of memory, or an authenticator that throws: this connection ends.
            what = login::outcome::failed;
        }
        loop.post([self, what] { self->after_step(what); });
    });
}

void connection::after_step(login::outcome what) {
    if (phase_ == phase::closed)
        return;
    phase_ = phase::waiting;
    if (close_requested_)
        return finish_close();
    switch (what) {
    case login::outcome::waiting:
        return wait();
    case login::outcome::failed:
        return close();
    case login::outcome::accepted:
        return begin_service();
    case login::outcome::refused: {
        const steady_time now = host_->loop.now().steady;
        const steady_time due =
            refusal_time(host_->limits, login_->asked_at(), now, login_->refusals());
        host_->sources.fail(peer_.address, now);
        if (due <= now)
            return refuse_login();
        // The grace time is not watched while a refusal is held back: the refusal comes anyway.
        phase_ = phase::refusing;
        return timer_.call_at(due, [self = weak_from_this()] {
            if (const auto alive = self.lock())
                alive->refuse_login();
        });
    }
    }
}

void connection::refuse_login() {
    if (phase_ == phase::closed)
        return;
    ++host_->counters.refused_logins;
    login_->refuse();
    const steady_time deadline = login_->deadline();
    if (login_->refusals() >= host_->limits.tries || deadline <= host_->loop.now().steady)
        return close();
    timer_.call_at(deadline, [self = weak_from_this()] {
        if (const auto alive = self.lock())
            alive->login_expired();
    });
    submit_step();
}

void connection::leave_source() {
    if (std::exchange(is_waiting_to_log_in_, false))
        host_->sources.end(peer_.address);
}

void connection::login_expired() {
    if (!is_authenticated())
        close();
}

// --- afterwards ---

void connection::begin_service() {
    timer_.cancel();
    // From here on messages come while libssh reads them, in their order with the octets of the
    // channels; before, they were taken from a queue.
    ssh_set_message_callback(session_.get(), on_message, this);
    event_ = login_->take_event();
    who_ = login_->accept();
    phase_ = phase::serving;
    login_.reset();
    ++host_->counters.logins;
    ++host_->counters.authenticated;
    leave_source();
    // What the client sent too early is still in the queue, and not served.
    while (message_handle early{ssh_message_get(session_.get())})
        ssh_message_reply_default(early.get());
    last_input_ = host_->loop.now().steady;
    watch_idle();
    serve();
}

void connection::watch_idle() {
    if (host_->options.idle_timeout.count() == 0)
        return;
    timer_.call_at(last_input_ + host_->options.idle_timeout, [self = weak_from_this()] {
        const auto alive = self.lock();
        if (!alive || alive->phase_ == phase::closed)
            return;
        const bool idle = alive->host_->loop.now().steady >=
                          alive->last_input_ + alive->host_->options.idle_timeout;
        idle ? alive->close() : alive->watch_idle();
    });
}

void connection::request_service() {
    if (service_requested_ || phase_ == phase::closed)
        return;
    service_requested_ = true;
    host_->loop.post([self = shared_from_this()] { self->serve(); });
}

bool connection::is_write_pending() const noexcept {
    return (ssh_get_status(session_.get()) & SSH_WRITE_PENDING) != 0;
}

void connection::serve() {
    service_requested_ = false;
    if (phase_ != phase::serving || in_service_)
        return;
    in_service_ = true;
    bool moved = true;
    for (int round = 0; round < rounds_in_a_row && moved && !close_requested_ && !broken_;
         ++round) {
        const int polled = ssh_event_dopoll(event_.get(), 0);
        if (polled == SSH_ERROR || ssh_is_connected(session_.get()) == 0)
            broken_ = true;
        moved = polled != SSH_AGAIN;
        moved |= pump_channels();
    }
    in_service_ = false;
    if (close_requested_ || broken_)
        return close();
    if (moved)
        request_service();
    else
        wait();
}

bool connection::pump_channels() {
    bool moved = false;
    // By index: a message that libssh reads meanwhile may add a channel.
    for (std::size_t index = 0; index < channels_.size(); ++index)
        moved |= channels_[index]->pump(host_->room);
    for (std::size_t index = channels_.size(); index-- > 0;) {
        if (!channels_[index]->is_over())
            continue;
        const std::unique_ptr<session_channel> over = std::move(channels_[index]);
        channels_.erase(channels_.begin() + static_cast<std::ptrdiff_t>(index));
        over->end();
    }
    return moved;
}

// While the network takes no more, nothing is read either: answers that libssh makes itself would
// pile up in its memory.
void connection::wait() {
    if (is_write_pending())
        wait_for(asio::posix::stream_descriptor::wait_write, waiting_write_);
    if (!is_authenticated() || !is_write_pending())
        wait_for(asio::posix::stream_descriptor::wait_read, waiting_read_);
}

void connection::wait_for(asio::posix::stream_descriptor::wait_type what, bool& waiting) {
    if (waiting)
        return;
    waiting = true;
    ready_.async_wait(what, [self = shared_from_this(), what,
                             &waiting](const boost::system::error_code& failure) {
        waiting = false;
        // A call that was on its way when the connection was closed may find no host any more.
        if (failure || self->phase_ == phase::closed)
            return;
        if (what == asio::posix::stream_descriptor::wait_read)
            self->last_input_ = self->host_->loop.now().steady;
        self->on_ready();
    });
}

void connection::on_ready() {
    if (phase_ == phase::serving)
        serve();
    else if (phase_ == phase::waiting)
        submit_step();
}

void connection::close() {
    if (phase_ == phase::closed)
        return;
    close_requested_ = true;
    if (phase_ != phase::in_step && !in_service_)
        finish_close();
}

void connection::abandon() {
    if (phase_ != phase::closed)
        finish_close();
}

void connection::finish_close() {
    phase_ = phase::closed;
    leave_source();
    const auto self = shared_from_this();
    timer_.cancel();
    boost::system::error_code ignored;
    ready_.close(ignored);
    for (const auto& channel : channels_)
        channel->end();
    channels_.clear();
    // Says goodbye if it can do so at once.
    if (ssh_is_connected(session_.get()) != 0)
        ssh_blocking_flush(session_.get(), 0);
    ssh_disconnect(session_.get());
    event_.reset();
    if (is_authenticated())
        --host_->counters.authenticated;
    else
        ++host_->counters.failed_connections;
    host_->forget(*this);
}

// --- what a client asks for ---

// Called by libssh. Returns 1 to have the message refused.
int connection::on_message(ssh_session /*session*/, ssh_message message, void* self) {
    auto& connection = *static_cast<class connection*>(self);
    bool accepted = false;
    try {
        // Whatever state libssh thinks it is in: nobody gets anything without having logged in.
        accepted = connection.phase_ == phase::serving && connection.accept(message);
    } catch (...) {
        // No exception may pass through libssh. Out of memory is as good a reason as any.
        accepted = false;
    }
    if (!accepted)
        ++connection.host_->counters.refused_requests;
    return accepted ? 0 : 1;
}

bool connection::accept(ssh_message message) {
    switch (ssh_message_type(message)) {
    case SSH_REQUEST_CHANNEL_OPEN:
        return ssh_message_subtype(message) == SSH_CHANNEL_SESSION && accept_channel(message);
    case SSH_REQUEST_CHANNEL:
        if (session_channel* const channel = find(ssh_message_channel_request_channel(message)))
            return accept_request(message, *channel);
        return false;
    default:
        return false;
    }
}

bool connection::accept_channel(ssh_message message) {
    if (channels_.size() >= host_->options.channel_limit || close_requested_)
        return false;
    channels_.reserve(channels_.size() + 1);
    ssh_channel const handle = ssh_message_channel_request_open_reply_accept(message);
    if (handle == nullptr)
        return false;
    channels_.push_back(
        std::make_unique<session_channel>(*this, handle, host_->options.output_limit));
    return true;
}

bool connection::accept_request(ssh_message message, session_channel& channel) {
    channel_request asked{.name = {}, .who = *who_, .peer = peer_, .screen = channel.screen};
    switch (ssh_message_subtype(message)) {
    case SSH_CHANNEL_REQUEST_SUBSYSTEM:
        asked.kind = request_kind::subsystem;
        asked.name = text_of(ssh_message_channel_request_subsystem(message));
        break;
    case SSH_CHANNEL_REQUEST_EXEC:
        asked.kind = request_kind::exec;
        asked.name = text_of(ssh_message_channel_request_command(message));
        break;
    case SSH_CHANNEL_REQUEST_SHELL:
        asked.kind = request_kind::shell;
        break;
    case SSH_CHANNEL_REQUEST_PTY:
    case SSH_CHANNEL_REQUEST_WINDOW_CHANGE:
        return accept_terminal(message, channel);
    default:
        return false;
    }
    // A channel runs one thing (RFC 4254, section 6.5).
    if (channel.has_handler())
        return false;
    std::unique_ptr<channel_handler> handler = host_->router.open(asked);
    if (!handler)
        return false;
    ssh_message_channel_request_reply_success(message);
    channel.attach(std::move(handler));
    ++host_->counters.channels;
    return true;
}

bool connection::accept_terminal(ssh_message message, session_channel& channel) {
    const auto columns = static_cast<std::uint32_t>(ssh_message_channel_request_pty_width(message));
    const auto rows = static_cast<std::uint32_t>(ssh_message_channel_request_pty_height(message));
    if (ssh_message_subtype(message) == SSH_CHANNEL_REQUEST_WINDOW_CHANGE) {
        if (channel.screen)
            channel.resize(columns, rows);
        return channel.screen.has_value();
    }
    if (!host_->router.allows_terminal(*who_))
        return false;
    channel.screen = terminal{std::string(text_of(ssh_message_channel_request_pty_term(message))),
                              columns, rows};
    ssh_message_channel_request_reply_success(message);
    return true;
}

session_channel* connection::find(ssh_channel handle) const {
    const auto found = std::find_if(channels_.begin(), channels_.end(),
                                    [handle](const auto& one) { return one->handle() == handle; });
    return found == channels_.end() ? nullptr : found->get();
}

} // namespace flowtap::transport
