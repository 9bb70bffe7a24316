// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <flowtap/core/address.hpp>
#include <flowtap/core/bytes.hpp>
#include <flowtap/permission/principal.hpp>
#include <flowtap/transport/api.hpp>

namespace flowtap::transport {

/// The terminal a client has asked for, in characters.
struct terminal {
    /// `xterm-256color`
    std::string type;
    std::uint32_t columns = 80;
    std::uint32_t rows = 24;
};

/// The server's end of one channel of an SSH session, as its handler sees it. Valid from
/// `channel_handler::on_open` until `on_closed`; used on the loop's thread.
///
/// Octets that are written wait in a queue of bounded length, go out as the client's window and the
/// network allow, and when the queue has room again the handler's `on_writable` is asked for more:
/// so an answer of any length is produced at the pace of its reader, in bounded memory.
class FLOWTAP_TRANSPORT_API channel {
public:
    channel() = default;
    channel(const channel&) = delete;
    channel& operator=(const channel&) = delete;
    virtual ~channel();

    /// How many octets `write` would take now.
    virtual std::size_t room() const noexcept = 0;

    /// Queues octets for the client and returns how many: `room()` at most, from the front.
    virtual std::size_t write(std::string_view octets) = 0;

    /// Queues a text for the client's error stream. What does not fit into 8 KiB is dropped: it is
    /// for short diagnostics.
    virtual void write_error(std::string_view text) = 0;

    /// Asks for a call of `on_writable` soon, from the loop: there is something to write now.
    virtual void request_write() = 0;

    /// Asks for a call of `on_data` soon: input that was left can be taken now.
    virtual void request_data() = 0;

    /// No more is written. When the queues are empty the client gets end of file, the exit status,
    /// and the channel is closed.
    virtual void finish(int exit_status) = 0;

    /// Who is at the other end, and where from.
    virtual const permission::principal& who() const noexcept = 0;
    virtual const endpoint& peer() const noexcept = 0;
};

/// What serves a channel: a DTCP session, a command, an interactive shell. All its members are
/// called on the loop's thread, never from within a call to its `channel`.
class FLOWTAP_TRANSPORT_API channel_handler {
public:
    channel_handler() = default;
    channel_handler(const channel_handler&) = delete;
    channel_handler& operator=(const channel_handler&) = delete;
    virtual ~channel_handler();

    /// The client knows that its request was accepted. `with` lives until `on_closed`.
    virtual void on_open(channel& with) = 0;

    /// Octets of the client. Returns how many it took, from the front. What it leaves is offered
    /// again after `channel::request_data`; meanwhile the client's window is not opened further.
    virtual std::size_t on_data(byte_view octets) = 0;

    /// The client sends no more (it may still read): comes after all of its data were taken.
    virtual void on_end_of_data() = 0;

    /// There is room to write: comes once after `on_open`, then whenever the queue has fallen to
    /// half or less, and after `channel::request_write`. A handler without more to say does
    /// nothing.
    virtual void on_writable() = 0;

    /// The client's terminal has another size now.
    virtual void on_resize(std::uint32_t columns, std::uint32_t rows);

    /// The channel is gone: finished, closed by the client, or its connection ended. The last call;
    /// the channel must not be used any more.
    virtual void on_closed() = 0;
};

} // namespace flowtap::transport
