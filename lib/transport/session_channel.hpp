// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <flowtap/transport/channel.hpp>

#include "libssh.hpp"

namespace flowtap::transport {

class connection;

/// Octets that are taken from the front and added at the end, in one piece of memory that is
/// reused.
class octet_queue {
public:
    std::size_t size() const noexcept { return octets_.size() - start_; }
    bool empty() const noexcept { return size() == 0; }
    std::string_view front() const noexcept { return std::string_view(octets_).substr(start_); }
    void push(std::string_view more);
    void pop(std::size_t count) noexcept;
    void clear() noexcept;

private:
    std::string octets_;
    std::size_t start_ = 0;
};

/// One channel of a connection: libssh's end of it, its queues and its handler.
class session_channel final : public channel {
public:
    session_channel(connection& owner, ssh_channel handle, std::size_t output_limit);
    ~session_channel() override;

    ssh_channel handle() const noexcept { return handle_; }

    /// The terminal the client was given.
    std::optional<terminal> screen;

    bool has_handler() const noexcept { return handler_ != nullptr; }
    void attach(std::unique_ptr<channel_handler> handler);
    void resize(std::uint32_t columns, std::uint32_t rows);

    /// Moves octets both ways as far as they go now. Returns whether anything moved. `room` is for
    /// its use during the call. Not to be called from a handler.
    bool pump(std::span<char> room);

    /// Nothing more will come of this channel.
    bool is_over() const noexcept { return over_; }

    /// Tells the handler that it is over, and lets it go.
    void end();

    std::size_t room() const noexcept override;
    std::size_t write(std::string_view octets) override;
    void write_error(std::string_view text) override;
    void request_write() override;
    void request_data() override;
    void finish(int exit_status) override;
    const permission::principal& who() const noexcept override;
    const endpoint& peer() const noexcept override;

private:
    bool read(std::span<char> room);
    bool pull(std::span<char> room);
    bool offer();
    bool ask_for_more();
    bool send();
    bool send_from(octet_queue& queue, int (*hand_over)(ssh_channel, const void*, std::uint32_t));
    bool finish_if_sent();
    bool has_unread_input() const;

    static int watch_input(ssh_session session, ssh_channel channel, void* octets,
                           std::uint32_t count, int is_error, void* self);

    connection* owner_;
    ssh_channel handle_;
    ssh_channel_callbacks_struct callbacks_{};
    std::unique_ptr<channel_handler> handler_;
    std::size_t output_limit_;
    octet_queue input_;
    octet_queue output_;
    octet_queue errors_;
    std::optional<int> exit_status_;
    bool opened_ = false;
    bool input_wanted_ = true;
    bool input_ended_ = false;
    bool output_wanted_ = true;
    bool output_lost_ = false;
    bool status_sent_ = false;
    bool over_ = false;
};

} // namespace flowtap::transport
