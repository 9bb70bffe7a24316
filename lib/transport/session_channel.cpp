// SPDX-License-Identifier: Apache-2.0
#include "session_channel.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "connection.hpp"

namespace flowtap::transport {

namespace {

constexpr std::size_t error_limit = 8UL * 1024;

/// Octets handed to libssh at a time: one packet. It never keeps more than that for us.
constexpr std::size_t largest_write = 32UL * 1024;

/// Octets of input that a handler is given at a time.
constexpr std::size_t most_offered = 32UL * 1024;

/// So many reads of one channel before the others have their turn.
constexpr int reads_in_a_row = 4;

/// libssh takes octets past the window it has given. A client that sends so many is not honest.
constexpr std::uint32_t most_unread = 2U * 1024 * 1024;

} // namespace

void octet_queue::push(std::string_view more) {
    if (start_ > 0 && octets_.size() + more.size() > octets_.capacity()) {
        octets_.erase(0, start_);
        start_ = 0;
    }
    octets_ += more;
}

void octet_queue::pop(std::size_t count) noexcept {
    start_ += count;
    if (start_ == octets_.size())
        clear();
}

void octet_queue::clear() noexcept {
    octets_.clear();
    start_ = 0;
}

session_channel::session_channel(connection& owner, ssh_channel handle, std::size_t output_limit)
    : owner_(&owner), handle_(handle), output_limit_(output_limit) {
    ssh_callbacks_init(&callbacks_);
    callbacks_.userdata = this;
    callbacks_.channel_data_function = watch_input;
    ssh_add_channel_callbacks(handle_, &callbacks_);
}

// Called by libssh with all it keeps unread. Input is read elsewhere; here only what would fill the
// memory is: octets of a client on an error stream, which mean nothing, and octets past the window.
int session_channel::watch_input(ssh_session /*session*/, ssh_channel /*channel*/, void* /*octets*/,
                                 std::uint32_t count, int is_error, void* self) {
    if (is_error != 0)
        return static_cast<int>(count);
    if (count > most_unread)
        static_cast<session_channel*>(self)->owner_->give_up();
    return 0;
}

session_channel::~session_channel() {
    // libssh keeps the channel until the client has closed it too.
    ssh_remove_channel_callbacks(handle_, &callbacks_);
    ssh_channel_free(handle_);
}

void session_channel::attach(std::unique_ptr<channel_handler> handler) {
    handler_ = std::move(handler);
}

void session_channel::resize(std::uint32_t columns, std::uint32_t rows) {
    if (screen) {
        screen->columns = columns;
        screen->rows = rows;
    }
    if (handler_ && opened_)
        handler_->on_resize(columns, rows);
}

bool session_channel::pump(std::span<char> room) {
    if (over_)
        return false;
    if (!handler_) {
        over_ = ssh_channel_is_closed(handle_) != 0;
        return over_;
    }
    bool moved = false;
    const bool window_was_closed = ssh_channel_window_size(handle_) == 0;
    if (!opened_) {
        opened_ = true;
        moved = true;
        handler_->on_open(*this);
    }
    moved |= read(room);
    moved |= ask_for_more();
    moved |= send();
    moved |= finish_if_sent();
    if (!over_ && (input_.empty() || exit_status_) && ssh_channel_is_closed(handle_) != 0)
        over_ = moved = true;
    if (over_ || moved)
        return moved;
    // Whatever is called of libssh takes in what has arrived, also what an earlier call here was
    // after; the socket then has nothing more to tell.
    if (has_unread_input())
        return true;
    return window_was_closed && !output_.empty() && ssh_channel_window_size(handle_) > 0;
}

bool session_channel::has_unread_input() const {
    if (!input_.empty() || input_ended_ || exit_status_)
        return false;
    const int unread = ssh_channel_poll(handle_, 0);
    return unread > 0 || unread == SSH_EOF;
}

// Whatever is read of libssh's octets, and be it one, opens the client's window as if nothing of
// them were left. So all of them are pulled at once; what the handler has not taken waits in
// `input_`, and nothing is pulled meanwhile. Both together are at most two windows.
bool session_channel::read(std::span<char> room) {
    bool moved = false;
    for (int turn = 0; turn < reads_in_a_row && !exit_status_; ++turn) {
        const bool more = input_.empty() ? !input_ended_ && pull(room) : input_wanted_ && offer();
        if (!more)
            break;
        moved = true;
    }
    if (input_.empty() && !input_ended_ && !exit_status_ && ssh_channel_is_eof(handle_) != 0) {
        input_ended_ = moved = true;
        handler_->on_end_of_data();
    }
    return moved;
}

bool session_channel::pull(std::span<char> room) {
    const int unread = ssh_channel_poll(handle_, 0);
    if (unread <= 0)
        return false;
    const auto count = static_cast<std::size_t>(unread);
    std::string all;
    if (count > room.size()) {
        all.resize(count);
        room = all;
    }
    const int read =
        ssh_channel_read_nonblocking(handle_, room.data(), static_cast<std::uint32_t>(count), 0);
    if (read <= 0)
        return false;
    const std::string_view octets(room.data(), static_cast<std::size_t>(read));
    const std::string_view first = octets.substr(0, most_offered);
    input_wanted_ = false;
    const std::size_t taken = handler_->on_data(as_byte_view(first));
    input_wanted_ |= taken == first.size();
    input_.push(octets.substr(taken));
    return true;
}

bool session_channel::offer() {
    input_wanted_ = false;
    const std::string_view first = input_.front().substr(0, most_offered);
    const std::size_t taken = handler_->on_data(as_byte_view(first));
    // It may have asked for more meanwhile.
    input_wanted_ |= taken == first.size();
    input_.pop(taken);
    return taken > 0;
}

bool session_channel::ask_for_more() {
    if (exit_status_ || !output_wanted_ || output_.size() > output_limit_ / 2)
        return false;
    output_wanted_ = false;
    handler_->on_writable();
    return !output_.empty() || exit_status_.has_value();
}

bool session_channel::send() {
    const bool errors = send_from(errors_, ssh_channel_write_stderr);
    const bool half = output_.size() > output_limit_ / 2;
    const bool output = send_from(output_, ssh_channel_write);
    // A handler that was cut short is asked again as soon as there is room.
    if (half && output_.size() <= output_limit_ / 2)
        output_wanted_ = true;
    return errors || output;
}

// While octets are pending in libssh, or the client's window is closed, nothing more goes there.
bool session_channel::send_from(octet_queue& queue,
                                int (*hand_over)(ssh_channel, const void*, std::uint32_t)) {
    if (queue.empty() || owner_->is_write_pending())
        return false;
    const std::string_view piece = queue.front().substr(0, largest_write);
    const int count = hand_over(handle_, piece.data(), static_cast<std::uint32_t>(piece.size()));
    if (count < 0) {
        // The client has closed the channel or the connection broke: input may still be there.
        output_lost_ = true;
        output_.clear();
        errors_.clear();
        return true;
    }
    queue.pop(static_cast<std::size_t>(count));
    return count > 0;
}

bool session_channel::finish_if_sent() {
    if (!exit_status_ || !output_.empty() || !errors_.empty())
        return false;
    if (!status_sent_) {
        status_sent_ = true;
        ssh_channel_request_send_exit_status(handle_, *exit_status_);
    }
    // Sends end of file first; says "again" until that has left.
    if (ssh_channel_close(handle_) == SSH_AGAIN)
        return false;
    over_ = true;
    return true;
}

void session_channel::end() {
    over_ = true;
    if (handler_) {
        const std::unique_ptr<channel_handler> handler = std::move(handler_);
        if (opened_)
            handler->on_closed();
    }
}

std::size_t session_channel::room() const noexcept {
    if (exit_status_ || over_)
        return 0;
    return output_limit_ - std::min(output_limit_, output_.size());
}

std::size_t session_channel::write(std::string_view octets) {
    const std::string_view taken = octets.substr(0, room());
    if (!output_lost_)
        output_.push(taken);
    if (taken.size() < octets.size())
        output_wanted_ = true;
    owner_->request_service();
    return taken.size();
}

void session_channel::write_error(std::string_view text) {
    if (exit_status_ || over_ || output_lost_)
        return;
    errors_.push(text.substr(0, error_limit - std::min(error_limit, errors_.size())));
    owner_->request_service();
}

void session_channel::request_write() {
    output_wanted_ = true;
    owner_->request_service();
}

void session_channel::request_data() {
    input_wanted_ = true;
    owner_->request_service();
}

void session_channel::finish(int exit_status) {
    if (!exit_status_)
        exit_status_ = exit_status;
    owner_->request_service();
}

const permission::principal& session_channel::who() const noexcept {
    return owner_->who();
}

const endpoint& session_channel::peer() const noexcept {
    return owner_->peer();
}

} // namespace flowtap::transport
