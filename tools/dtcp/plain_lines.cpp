// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cerrno>
#include <iostream>

#include <unistd.h>

#include "line_source.hpp"
#include "waiting.hpp"

namespace dtcp_tool {

using flowtap::fail;
using flowtap::result;

namespace {

class plain_source final : public line_source {
public:
    plain_source(session& way, interruption& signals, std::string prompt)
        : way_(&way), signals_(&signals), prompt_(std::move(prompt)) {}

    result<std::optional<std::string>> next() override {
        std::cout << prompt_ << std::flush;
        for (;;) {
            if (const auto line = take_line())
                return line;
            if (ended_)
                return std::optional<std::string>();
            if (const auto read = read_more(); !read)
                return fail(read.error());
        }
    }

private:
    std::optional<std::string> take_line() {
        const std::size_t end = buffer_.find('\n');
        if (end == std::string::npos && (!ended_ || buffer_.empty()))
            return std::nullopt;
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end == std::string::npos ? end : end + 1);
        if (line.ends_with('\r'))
            line.pop_back();
        return line;
    }

    result<void> read_more() {
        wait_conditions conditions;
        conditions.input = STDIN_FILENO;
        const auto woken =
            wait_for_messages(way_->sources(), way_->answers(), *signals_, conditions);
        if (!woken)
            return fail(woken.error());
        if (*woken == wakeup::interrupted && !prompt_.empty()) {
            buffer_.clear();
            std::cout << '\n' << prompt_ << std::flush;
            return {};
        }
        if (*woken == wakeup::interrupted || *woken == wakeup::terminated)
            signals_->pass_on(*woken == wakeup::interrupted ? SIGINT : SIGTERM);
        std::array<char, 4096> piece{};
        const ssize_t count =
            *woken == wakeup::input ? ::read(STDIN_FILENO, piece.data(), piece.size()) : 0;
        if (count > 0)
            buffer_.append(piece.data(), static_cast<std::size_t>(count));
        else if (count == 0 || errno != EINTR)
            ended_ = true;
        return {};
    }

    session* way_;
    interruption* signals_;
    std::string prompt_;
    std::string buffer_;
    bool ended_ = false;
};

} // namespace

line_source::~line_source() = default;

std::unique_ptr<line_source> plain_lines(session& way, interruption& signals, std::string prompt) {
    return std::make_unique<plain_source>(way, signals, std::move(prompt));
}

} // namespace dtcp_tool
