// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <flowtap/cli/session.hpp>
#include <flowtap/cli/terminal.hpp>
#include <flowtap/transport/channel.hpp>
#include <flowtap/transport/channel_router.hpp>
#include <flowtap/transport/event_loop.hpp>

namespace dfcd {

/// The operator's commands on a channel of SSH. `ssh host "a; b"` runs commands, `ssh host < file`
/// those of the lines; the first that fails is the last, and the exit status 1. With a terminal,
/// and no command, a person types.
///
/// Commands run as their output leaves: what waits is the output of one of them.
class command_channel final : public flowtap::transport::channel_handler {
public:
    /// Null for those who may not use the command line. Who types and is idle for longer than the
    /// login class allows is logged out. `ended` is called once, when the channel is gone. `loop`
    /// must outlive it.
    static std::unique_ptr<flowtap::transport::channel_handler>
    open(flowtap::cli::environment& around, const flowtap::transport::channel_request& asked,
         flowtap::transport::event_loop& loop, std::function<void()> ended);

    void on_open(flowtap::transport::channel& with) override { channel_ = &with; }
    std::size_t on_data(flowtap::byte_view octets) override;
    void on_end_of_data() override;
    void on_writable() override;
    void on_resize(std::uint32_t columns, std::uint32_t rows) override;
    void on_closed() override;

private:
    command_channel(flowtap::cli::environment& around,
                    const flowtap::transport::channel_request& asked,
                    flowtap::transport::event_loop& loop, std::function<void()> ended);

    void queue(std::string_view lines);
    void run_next();
    void collect();
    bool flush();
    /// From now on it is idle.
    void watch_idle();
    void end_idle();

    flowtap::transport::channel* channel_ = nullptr;
    flowtap::cli::session session_;
    /// Null unless somebody types.
    std::unique_ptr<flowtap::cli::terminal> terminal_;
    /// Lines end in CR LF: the client's terminal does not add the CR.
    bool is_raw_ = false;
    std::deque<std::string> commands_;
    /// What has come of a line that has not ended.
    std::string line_;
    bool input_ended_ = false;
    std::string output_;
    std::size_t sent_ = 0;
    int status_ = 0;
    bool finished_ = false;
    flowtap::transport::event_loop& loop_;
    std::function<void()> ended_;
    /// Zero: it may be idle for as long as it likes.
    std::chrono::minutes idle_timeout_{0};
    flowtap::transport::loop_timer idle_timer_;
};

} // namespace dfcd
