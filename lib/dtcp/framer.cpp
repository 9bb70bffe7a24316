// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <optional>

#include <flowtap/dtcp/framer.hpp>

#include "text.hpp"

namespace flowtap::dtcp {

namespace {

/// Where the line `octets` begins with ends: the place after its LF, or none.
std::optional<std::size_t> find_line_end(byte_view octets) noexcept {
    const void* found = std::memchr(octets.data(), '\n', octets.size());
    if (found == nullptr)
        return std::nullopt;
    return static_cast<std::size_t>(static_cast<const std::byte*>(found) - octets.data()) + 1;
}

/// A line of blanks only, with its end.
bool is_empty_line(std::string_view line) noexcept {
    const std::string_view rest = trim_start(line);
    return rest == "\n" || rest == "\r\n";
}

} // namespace

framer::framer(framer_limits limits) : limits_(limits) {}

void framer::clear() {
    buffer_.clear();
    line_start_ = 0;
    lines_ = 0;
    failure_.clear();
    complete_ = false;
}

result<std::size_t> framer::put(byte_view octets) {
    if (failure_)
        return fail(error(failure_, {lines_ + 1, 0}, {}));
    if (complete_)
        clear();

    std::size_t taken = 0;
    while (taken < octets.size() && !complete_) {
        const byte_view rest = octets.subspan(taken);
        // Never buffer more than a little past the limits, however much is put at once.
        const std::size_t room = limits_.message - std::min(limits_.message, buffer_.size());
        const byte_view next = rest.size() > room ? rest.first(room + 1) : rest;
        const std::optional<std::size_t> end = find_line_end(next);
        const std::size_t count = end.value_or(next.size());
        buffer_ += as_text(rest.first(count));
        taken += count;

        const std::string_view line = std::string_view(buffer_).substr(line_start_);
        // The line's own limit first: it is the closer description when both are passed. A CR at
        // the end may be a part of the line end.
        if (without_line_end(line).size() > limits_.line)
            return stop(errc::line_too_long);
        if (buffer_.size() > limits_.message)
            return stop(errc::message_too_long);
        if (!end)
            break;
        if (is_empty_line(line))
            end_message();
        else if (lines_ > limits_.parameters)
            return stop(errc::too_many_parameters);
        else
            end_line();
    }
    return taken;
}

void framer::end_line() noexcept {
    ++lines_;
    line_start_ = buffer_.size();
}

void framer::end_message() noexcept {
    complete_ = lines_ > 0;
    if (!complete_)
        buffer_.clear(); // before a start line
}

unexpected<error> framer::stop(errc code) {
    failure_ = make_error_code(code);
    return fail(error(failure_, {lines_ + 1, 0}, {}));
}

} // namespace flowtap::dtcp
