// SPDX-License-Identifier: Apache-2.0
#include "summary.hpp"

#include <array>
#include <string_view>

#include <nlohmann/json.hpp>
#include <fmt/format.h>

namespace dfcd {

namespace path = flowtap::path;
namespace tap = flowtap::tap;
namespace transport = flowtap::transport;

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

/// Requests that were counted and nothing else.
std::uint64_t unanswered(const tap::status& control) {
    return control.bad_authentications + control.bad_sequences + control.unknown_sources +
           control.malformed;
}

/// Datagrams that were dropped before they were read as a request.
std::uint64_t dropped_datagrams(const totals& counted) {
    return counted.datagrams.too_long + counted.datagrams.to_many + counted.datagrams.overflowed +
           counted.control.datagrams_dropped;
}

/// What concerns the control side, without what never happened.
std::string control_text(const totals& counted) {
    const tap::status& control = counted.control;
    const transport::datagram_counters& datagrams = counted.datagrams;
    std::string text;
    if (control.requests + unanswered(control) != 0)
        text += fmt::format("requests          {} ({} refused), {} without an answer\n",
                            control.requests, control.errors_answered, unanswered(control));
    if (control.expired + control.purged != 0)
        text += fmt::format("criteria ended    {} by a timeout, {} by congestion\n",
                            control.expired, control.purged);
    if (control.notifications + control.notifications_dropped != 0)
        text += fmt::format("notifications     {} sent, {} dropped\n", control.notifications,
                            control.notifications_dropped);
    if (datagrams.received + datagrams.sent + datagrams.not_sent != 0)
        text += fmt::format("datagrams         {} received, {} dropped, {} sent, {} not sent\n",
                            datagrams.received, dropped_datagrams(counted), datagrams.sent,
                            datagrams.not_sent);
    return text;
}

void add_packets(const path::path_counters& counted, nlohmann::ordered_json& summary) {
    summary["seen"] = counted.seen;
    summary["seen_octets"] = counted.seen_octets;
    summary["lost"] = counted.lost;
    summary["sampled_out"] = counted.sampled_out;
    for (std::size_t i = 0; i < verdicts.size(); ++i)
        summary["decoded"][std::string(verdicts[i])] = counted.decoded[i];
    summary["tapped"] = counted.tapped;
    summary["copies"] = counted.copies;
    summary["delivered"] = counted.delivered;
    for (std::size_t i = 0; i < causes.size(); ++i)
        summary["dropped"][std::string(causes[i])] = counted.dropped[i];
}

void add_control(const tap::status& counted, nlohmann::ordered_json& summary) {
    summary["criteria"] = {{"expired", counted.expired}, {"purged", counted.purged}};
    summary["requests"] = {{"received", counted.requests},
                           {"errors_answered", counted.errors_answered},
                           {"bad_authentications", counted.bad_authentications},
                           {"bad_sequences", counted.bad_sequences},
                           {"unknown_sources", counted.unknown_sources},
                           {"malformed", counted.malformed},
                           {"sequences_not_stored", counted.sequences_not_stored}};
    summary["notifications"] = {{"sent", counted.notifications},
                                {"dropped", counted.notifications_dropped}};
}

void add_datagrams(const totals& counted, nlohmann::ordered_json& summary) {
    const transport::datagram_counters& network = counted.datagrams;
    summary["datagrams"] = {{"received", network.received},
                            {"too_long", network.too_long},
                            {"to_many", network.to_many},
                            {"overflowed", network.overflowed},
                            {"dropped", counted.control.datagrams_dropped},
                            {"sent", network.sent},
                            {"not_sent", network.not_sent},
                            {"undelivered", network.undelivered}};
}

} // namespace

std::string summary_text(const totals& counted) {
    const path::path_counters& packets = counted.path;
    std::string text =
        fmt::format("packets seen      {}{}\n"
                    "packets lost      {}\n",
                    packets.seen, breakdown(verdicts, packets.decoded), packets.lost);
    if (packets.sampled_out != 0)
        text += fmt::format("packets left out  {}\n", packets.sampled_out);
    text += fmt::format("packets tapped    {}\n"
                        "copies made       {}\n"
                        "copies delivered  {}\n"
                        "copies dropped    {}{}\n",
                        packets.tapped, packets.copies, packets.delivered, sum(packets.dropped),
                        breakdown(causes, packets.dropped));
    return text + control_text(counted);
}

std::string summary_json(const totals& counted) {
    nlohmann::ordered_json summary;
    add_packets(counted.path, summary);
    add_control(counted.control, summary);
    add_datagrams(counted, summary);
    return summary.dump() + '\n';
}

} // namespace dfcd
