// SPDX-License-Identifier: Apache-2.0
#include "command_channel.hpp"

#include <algorithm>
#include <utility>

namespace dfcd {

namespace cli = flowtap::cli;
namespace transport = flowtap::transport;

namespace {

/// Of a line without an end, and of keys at a time.
constexpr std::size_t longest_line = cli::session_limits{}.line + 1;
constexpr std::size_t most_keys = 256;

cli::session::style style_of(const transport::channel_request& asked) {
    const bool is_typed = asked.kind == transport::request_kind::shell && asked.screen;
    return is_typed ? cli::session::style::interactive : cli::session::style::batch;
}

std::string with_returns(std::string_view text) {
    std::string made;
    for (const char octet : text) {
        if (octet == '\n')
            made += '\r';
        made += octet;
    }
    return made;
}

} // namespace

std::unique_ptr<transport::channel_handler>
command_channel::open(cli::environment& around, const transport::channel_request& asked,
                      transport::event_loop& loop, std::function<void()> ended) {
    if (!cli::session::admits(asked.who))
        return nullptr;
    return std::unique_ptr<command_channel>(
        new command_channel(around, asked, loop, std::move(ended)));
}

command_channel::command_channel(cli::environment& around, const transport::channel_request& asked,
                                 transport::event_loop& loop, std::function<void()> ended)
    : session_(asked.who, around, style_of(asked)), is_raw_(asked.screen.has_value()), loop_(loop),
      ended_(std::move(ended)), idle_timer_(loop) {
    if (asked.kind == transport::request_kind::exec) {
        queue(asked.name);
        input_ended_ = true;
    } else if (asked.screen) {
        terminal_ =
            std::make_unique<cli::terminal>(session_, asked.screen->columns, asked.screen->rows);
        terminal_->start();
        idle_timeout_ = asked.who.idle_timeout;
        watch_idle();
    }
}

void command_channel::queue(std::string_view lines) {
    for (const std::string_view command : cli::split_commands(lines))
        commands_.emplace_back(command);
}

std::size_t command_channel::on_data(flowtap::byte_view octets) {
    const std::string_view text(reinterpret_cast<const char*>(octets.data()), octets.size());
    if (finished_ || input_ended_)
        return text.size();
    // One thing after the other: what is not read yet waits in SSH's window.
    if (sent_ < output_.size() || !commands_.empty())
        return 0;
    if (terminal_) {
        const std::string_view keys = text.substr(0, most_keys);
        watch_idle();
        terminal_->feed(keys);
        on_writable();
        return keys.size();
    }
    const std::size_t end = text.find('\n');
    const std::size_t taken =
        std::min(end == std::string_view::npos ? text.size() : end + 1, longest_line);
    line_ += text.substr(0, taken);
    if (line_.ends_with('\n') || line_.size() >= longest_line) {
        queue(line_);
        line_.clear();
        on_writable();
    }
    channel_->request_data();
    return taken;
}

void command_channel::on_end_of_data() {
    if (terminal_) {
        finished_ = true;
        return channel_->finish(0);
    }
    queue(std::exchange(line_, {}));
    input_ended_ = true;
    on_writable();
}

void command_channel::on_resize(std::uint32_t columns, std::uint32_t rows) {
    if (terminal_)
        terminal_->resize(columns, rows);
}

void command_channel::on_writable() {
    while (!finished_) {
        collect();
        if (!flush())
            return;
        const bool is_over = terminal_ ? terminal_->is_over()
                                       : session_.is_over() || (commands_.empty() && input_ended_);
        if (is_over) {
            finished_ = true;
            return channel_->finish(status_);
        }
        if (commands_.empty())
            return channel_->request_data();
        run_next();
    }
}

void command_channel::on_closed() {
    channel_ = nullptr;
    idle_timer_.cancel();
    if (const auto ended = std::exchange(ended_, {}))
        ended();
}

void command_channel::watch_idle() {
    if (idle_timeout_.count() != 0)
        idle_timer_.call_at(loop_.now().steady + idle_timeout_, [this] { end_idle(); });
}

void command_channel::end_idle() {
    if (channel_ == nullptr || std::exchange(finished_, true))
        return;
    channel_->write_error("\r\nIdle timeout exceeded: closing session\r\n");
    channel_->finish(1);
}

void command_channel::run_next() {
    const std::string command = std::move(commands_.front());
    commands_.pop_front();
    cli::reply done = session_.run(command);
    output_ = is_raw_ ? with_returns(done.output) : std::move(done.output);
    sent_ = 0;
    if (done.ok())
        return;
    channel_->write_error(is_raw_ ? with_returns(done.error + '\n') : done.error + '\n');
    // Whatever comes after it may rely on it.
    status_ = 1;
    commands_.clear();
    input_ended_ = true;
}

/// What the terminal is to show.
void command_channel::collect() {
    if (!terminal_ || sent_ < output_.size())
        return;
    output_ = terminal_->output();
    terminal_->take(output_.size());
    sent_ = 0;
}

/// Whether everything has gone.
bool command_channel::flush() {
    if (sent_ < output_.size())
        sent_ += channel_->write(std::string_view(output_).substr(sent_));
    if (sent_ < output_.size())
        return false;
    output_.clear();
    sent_ = 0;
    return true;
}

} // namespace dfcd
