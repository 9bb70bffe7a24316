// SPDX-License-Identifier: Apache-2.0
#include "summary.hpp"

#include <array>
#include <string_view>

#include <nlohmann/json.hpp>
#include <fmt/format.h>

namespace dfcd {

namespace path = flowtap::path;

namespace {

constexpr auto verdicts = std::to_array<std::string_view>(
    {"ip", "later_fragment", "not_ip", "cut_short", "malformed", "unsupported_link"});
static_assert(verdicts.size() == flowtap::packet::verdict_count);

constexpr auto causes = std::to_array<std::string_view>(
    {"sink_full", "too_long", "unreachable", "send_error", "stopped", "withdrawn"});
static_assert(causes.size() == path::drop_cause_count);

/// `a 1, b 2`, without what is zero.
template <std::size_t N>
std::string breakdown(const std::array<std::string_view, N>& names,
                      const std::array<std::uint64_t, N>& counts) {
    std::string text;
    for (std::size_t i = 0; i < N; ++i)
        if (counts[i] != 0)
            text += fmt::format("{}{} {}", text.empty() ? " (" : ", ", names[i], counts[i]);
    return text.empty() ? text : text + ')';
}

template <std::size_t N>
std::uint64_t sum(const std::array<std::uint64_t, N>& counts) {
    std::uint64_t total = 0;
    for (const std::uint64_t count : counts)
        total += count;
    return total;
}

} // namespace

std::string summary_text(const path::path_counters& counted) {
    return fmt::format("packets seen      {}{}\n"
                       "packets lost      {}\n"
                       "packets tapped    {}\n"
                       "copies made       {}\n"
                       "copies delivered  {}\n"
                       "copies dropped    {}{}\n",
                       counted.seen, breakdown(verdicts, counted.decoded), counted.lost,
                       counted.tapped, counted.copies, counted.delivered, sum(counted.dropped),
                       breakdown(causes, counted.dropped));
}

std::string summary_json(const path::path_counters& counted) {
    nlohmann::ordered_json summary;
    summary["seen"] = counted.seen;
    summary["seen_octets"] = counted.seen_octets;
    summary["lost"] = counted.lost;
    for (std::size_t i = 0; i < verdicts.size(); ++i)
        summary["decoded"][std::string(verdicts[i])] = counted.decoded[i];
    summary["tapped"] = counted.tapped;
    summary["copies"] = counted.copies;
    summary["delivered"] = counted.delivered;
    for (std::size_t i = 0; i < causes.size(); ++i)
        summary["dropped"][std::string(causes[i])] = counted.dropped[i];
    return summary.dump() + '\n';
}

} // namespace dfcd
