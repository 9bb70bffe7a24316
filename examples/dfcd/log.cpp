// SPDX-License-Identifier: Apache-2.0
#include "log.hpp"

#include <cstdio>
#include <mutex>

namespace dfcd {

namespace {

/// To the beginning of the line, which is emptied from there on.
constexpr std::string_view erase_line = "\r\033[K";

std::mutex guard;
bool status_is_shown = false;

/// One write a line: other programs write to the same terminal or file.
void write(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
}

/// Writes in the place of the status, if that is shown.
void write_instead(std::string_view text) {
    write(status_is_shown ? std::string(erase_line).append(text) : std::string(text));
    status_is_shown = false;
}

} // namespace

void log_line(std::string_view text) {
    const std::lock_guard held(guard);
    write_instead(fmt::format("dfcd: {}\n", text));
}

void print_line(std::string_view text) {
    const std::lock_guard held(guard);
    write_instead(fmt::format("{}\n", text));
}

void show_status(std::string_view text) {
    const std::lock_guard held(guard);
    write(fmt::format("{}{}", erase_line, text));
    status_is_shown = true;
}

void clear_status() {
    const std::lock_guard held(guard);
    if (status_is_shown)
        write_instead({});
}

} // namespace dfcd
