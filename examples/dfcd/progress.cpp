// SPDX-License-Identifier: Apache-2.0
#include "progress.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <fmt/format.h>

#include "log.hpp"

namespace dfcd {

namespace {

double seconds_between(const replay_state& from, const replay_state& to) {
    return std::chrono::duration<double>(to.when - from.when).count();
}

/// What happened each second; nothing in no time.
double rate(std::uint64_t from, std::uint64_t to, double seconds) {
    return seconds > 0 ? static_cast<double>(to - from) / seconds : 0;
}

/// A file that grows while it is read is not finished, but done as far as it is known.
std::optional<double> share_of(const replay_state& now) {
    if (!now.size)
        return std::nullopt;
    if (now.octets >= *now.size)
        return 1.0;
    return static_cast<double>(now.octets) / static_cast<double>(*now.size);
}

std::optional<double> seconds_left(const replay_state& first, const replay_state& now) {
    if (!now.size)
        return std::nullopt;
    if (now.octets >= *now.size)
        return 0.0;
    const double each_second = rate(first.octets, now.octets, seconds_between(first, now));
    if (each_second <= 0)
        return std::nullopt;
    return static_cast<double>(*now.size - now.octets) / each_second;
}

/// `42 s`, `3:07 min`, `2:15 h`.
std::string time_text(double seconds) {
    const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
    if (whole < 60)
        return fmt::format("{} s", whole);
    if (whole < 3600)
        return fmt::format("{}:{:02} min", whole / 60, whole % 60);
    return fmt::format("{}:{:02} h", whole / 3600, whole / 60 % 60);
}

} // namespace

std::string progress_text(const replay_state& first, const replay_state& before,
                          const replay_state& now) {
    const double seconds = seconds_between(before, now);
    const double packets = rate(before.packets, now.packets, seconds);
    const double octets = rate(before.octets, now.octets, seconds);
    const auto share = share_of(now);
    std::string text = share ? fmt::format("{:3.0f} %", *share * 100)
                             : fmt::format("{:.1f} MB", static_cast<double>(now.octets) / 1e6);
    text += fmt::format("  {} packets  {:.2f} Mpps  {:.0f} MB/s", now.packets, packets / 1e6,
                        octets / 1e6);
    if (const auto left = seconds_left(first, now))
        text += fmt::format("  {} left", time_text(*left));
    return text;
}

std::string progress_json(const replay_state& first, const replay_state& before,
                          const replay_state& now) {
    const auto or_null = [](const auto& value) {
        return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
    };
    const double seconds = seconds_between(before, now);
    auto share = share_of(now);
    if (share)
        *share *= 100;
    nlohmann::ordered_json told;
    told["seconds"] = seconds_between(first, now);
    told["percent"] = or_null(share);
    told["packets"] = now.packets;
    told["octets"] = now.octets;
    told["size"] = or_null(now.size);
    told["packets_per_second"] = rate(before.packets, now.packets, seconds);
    told["octets_per_second"] = rate(before.octets, now.octets, seconds);
    told["seconds_left"] = or_null(seconds_left(first, now));
    return nlohmann::ordered_json{{"progress", std::move(told)}}.dump();
}

progress::progress(progress_kind asked) : kind_(asked), on_terminal_(::isatty(STDERR_FILENO) != 0) {
    if (asked == progress_kind::usual)
        kind_ = on_terminal_ ? progress_kind::line : progress_kind::none;
}

void progress::begin(const replay_state& now) {
    first_ = before_ = now;
}

void progress::show(const replay_state& now) {
    if (kind_ == progress_kind::json)
        print_line(progress_json(first_, before_, now));
    else if (kind_ == progress_kind::line && on_terminal_)
        show_status(progress_text(first_, before_, now));
    else if (kind_ == progress_kind::line)
        log_line(progress_text(first_, before_, now));
    before_ = now;
}

void progress::end(const replay_state& now) {
    // The rates of the last line are those of the whole.
    if (kind_ == progress_kind::json)
        print_line(progress_json(first_, first_, now));
    clear_status();
}

} // namespace dfcd
