// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/permission/principal.hpp>
#include <flowtap/transport/event_loop.hpp>
#include <flowtap/transport/ssh_server.hpp>

#include "asio.hpp"
#include "libssh.hpp"
#include "login.hpp"
#include "login_pool.hpp"
#include "session_channel.hpp"
#include "source_table.hpp"

namespace flowtap::transport {

class connection;

/// What connections need of their server. Outlives them, but for those that are closed.
class connection_host {
public:
    connection_host(event_loop& on, ssh_server_options with, authenticator& asked,
                    const channel_router& routes);

    event_loop& loop;
    const ssh_server_options options;
    /// As they are now.
    login_limits limits;
    source_table sources;
    authenticator& users;
    const channel_router& router;
    login_pool pool;
    ssh_server_counters counters;
    /// Where all connections read into, one at a time.
    std::vector<char> room;

    /// The connection is closed and counts no more.
    virtual void forget(connection& closed) = 0;

protected:
    ~connection_host() = default;
};

/// One client, from the first octet to the last.
///
/// Until somebody is logged in, its session is used in turn by a login thread (a step of `login`,
/// in phase `in_step`) and by the loop's thread; after that by the loop's thread alone. What the
/// loop waits for is a descriptor of its own for the same socket: libssh closes the other one
/// whenever it likes, and its number may belong to another connection a moment later.
class connection : public std::enable_shared_from_this<connection> {
public:
    /// `socket` is the connection's from now on.
    connection(connection_host& host, int socket, const endpoint& peer);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// Begins. False when there is no memory or no descriptor left for it: nothing was begun then.
    bool start(ssh_bind settings);

    /// Ends it, once. A login thread that uses it finishes its step first, a handler its call.
    void close();

    /// Ends it when the login threads are no more.
    void abandon();

    bool is_authenticated() const noexcept { return who_.has_value(); }
    const permission::principal& who() const noexcept { return *who_; }
    const endpoint& peer() const noexcept { return peer_; }

    // For its channels.

    /// Serves the channels soon.
    void request_service();
    /// Octets wait in libssh for the network.
    bool is_write_pending() const noexcept;
    /// Closes the connection as soon as libssh is not in the middle of something.
    void give_up() noexcept { broken_ = true; }

private:
    enum class phase : std::uint8_t {
        waiting,  ///< for octets of a client that is not logged in
        in_step,  ///< a login thread uses the session
        refusing, ///< a refusal is held back
        serving,
        closed,
    };

    void submit_step();
    void after_step(login::outcome what);
    void refuse_login();
    void begin_service();
    void login_expired();
    /// Its source has one less that is not logged in.
    void leave_source();

    void serve();
    bool pump_channels();
    void wait();
    void wait_for(boost::asio::posix::stream_descriptor::wait_type what, bool& waiting);
    void on_ready();
    void watch_idle();
    void finish_close();

    static int on_message(ssh_session session, ssh_message message, void* self);
    bool accept(ssh_message message);
    bool accept_channel(ssh_message message);
    bool accept_request(ssh_message message, session_channel& channel);
    bool accept_terminal(ssh_message message, session_channel& channel);
    session_channel* find(ssh_channel handle) const;

    connection_host* host_;
    endpoint peer_;
    int socket_;
    // The order of destruction matters: channels, then libssh's loop, then its session.
    session_handle session_;
    event_handle event_;
    std::vector<std::unique_ptr<session_channel>> channels_;
    boost::asio::posix::stream_descriptor ready_;
    loop_timer timer_;
    std::optional<login> login_;
    std::optional<permission::principal> who_;
    steady_time last_input_{};
    bool waiting_read_ = false;
    bool waiting_write_ = false;
    bool service_requested_ = false;
    phase phase_ = phase::waiting;
    /// `serve` is on the stack.
    bool in_service_ = false;
    bool close_requested_ = false;
    bool broken_ = false;
    /// It counts for its source.
    bool is_waiting_to_log_in_ = false;
};

} // namespace flowtap::transport
