// SPDX-License-Identifier: Apache-2.0
#include "summary.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <nlohmann/json.hpp>
#include <fmt/format.h>

namespace dfcd {

namespace path = flowtap::path;
namespace tap = flowtap::tap;
namespace transport = flowtap::transport;

namespace {

template <class Of>
using measures = std::span<const measure<Of>>;

/// The sum of one measure over the values of its label, and `(a 1, b 2)` without what is zero.
struct told {
    std::uint64_t sum = 0;
    std::string breakdown;
};

template <class Of>
told tell(measures<Of> all, std::string_view key, const Of& counted) {
    told made;
    for (const measure<Of>& one : all) {
        if (one.key != key)
            continue;
        for (std::size_t i = 0; i < one.size(); ++i) {
            const std::uint64_t count = one.read(counted, i);
            made.sum += count;
            if (!one.label.empty() && count != 0)
                made.breakdown += fmt::format("{}{} {}", made.breakdown.empty() ? " (" : ", ",
                                              one.values[i], count);
        }
    }
    if (!made.breakdown.empty())
        made.breakdown += ')';
    return made;
}

/// One line of a text.
void put_line(std::string& text, std::string_view title, const std::string& said) {
    text += fmt::format("{:<18}{}\n", title, said);
}

/// When a line is left out.
enum class shown : std::uint8_t { always, unless_zero };

/// What the text says of packets and copies, by measure.
struct line {
    std::string_view title;
    std::string_view key;
    shown when = shown::always;
    std::string_view detail = {}; ///< the measure that breaks it down
};

template <class Of, std::size_t N>
void put_lines(std::string& text, const line (&lines)[N], measures<Of> all, const Of& counted) {
    for (const line& each : lines) {
        const told what = tell(all, each.key, counted);
        if (each.when == shown::unless_zero && what.sum == 0)
            continue;
        const std::string detail =
            each.detail.empty() ? what.breakdown : tell(all, each.detail, counted).breakdown;
        put_line(text, each.title, fmt::format("{}{}", what.sum, detail));
    }
}

constexpr line packet_lines[] = {
    {"packets seen", "seen", shown::always, "decoded"},
    {"packets lost", "lost"},
    {"packets filtered", "filtered", shown::unless_zero},
    {"packets left out", "sampled_out", shown::unless_zero},
    {"packets tapped", "tapped"},
    {"as frames alone", "frames_alone", shown::unless_zero},
};
constexpr line copy_lines[] = {
    {"copies made", "copies"},
    {"copies delivered", "delivered"},
    {"copies queued", "queued", shown::unless_zero},
    {"copies dropped", "dropped"},
};

/// What became of later fragments, where all are followed.
void put_fragments(std::string& text, const path::path_counters& counted) {
    const path::fragment_counters& fragments = counted.fragments;
    const told left_out = tell(packet_measures(), "fragments.left_out", counted);
    if (fragments.followed + fragments.waiting + left_out.sum != 0)
        put_line(text, "later fragments",
                 fmt::format("{} followed, {} waiting, {} left out{}", fragments.followed,
                             fragments.waiting, left_out.sum, left_out.breakdown));
}

/// Requests that were counted and nothing else.
std::uint64_t unanswered(const tap::status& control) {
    return control.bad_authentications + control.bad_sequences + control.unknown_sources +
           control.malformed;
}

/// Datagrams that were dropped before they were read as a request.
std::uint64_t dropped_datagrams(const control_counters& counted) {
    return counted.datagrams.too_long + counted.datagrams.to_many + counted.datagrams.overflowed +
           counted.tap.datagrams_dropped;
}

/// What concerns the control side, without what never happened.
void put_control(std::string& text, const control_counters& counted) {
    const tap::status& control = counted.tap;
    const transport::datagram_counters& datagrams = counted.datagrams;
    if (control.requests + unanswered(control) != 0)
        put_line(text, "requests",
                 fmt::format("{} ({} refused), {} without an answer", control.requests,
                             control.errors_answered, unanswered(control)));
    if (control.expired + control.purged != 0)
        put_line(text, "criteria ended",
                 fmt::format("{} by a timeout, {} by congestion", control.expired, control.purged));
    if (control.notifications + control.notifications_dropped != 0)
        put_line(text, "notifications",
                 fmt::format("{} sent, {} dropped", control.notifications,
                             control.notifications_dropped));
    if (datagrams.received + datagrams.sent + datagrams.not_sent != 0)
        put_line(text, "datagrams",
                 fmt::format("{} received, {} dropped, {} sent, {} not sent", datagrams.received,
                             dropped_datagrams(counted), datagrams.sent, datagrams.not_sent));
}

/// Sessions by member of the pool: `3, 3, 2`.
std::string by_member(const flowtap::subscriber::mirroring_status& now) {
    std::string text;
    for (const std::size_t sessions : now.members)
        text += fmt::format("{}{}", text.empty() ? "" : ", ", sessions);
    return text;
}

void put_subscribers(std::string& text, const control_counters& counted) {
    if (!counted.subscribers)
        return;
    const flowtap::subscriber::mirroring_status& now = *counted.subscribers;
    put_line(text, "subscribers",
             fmt::format("{} sessions, {} mirrored, {} waiting, {} triggers; {} logins, {} logouts",
                         now.sessions, now.mirrored, now.waiting, now.triggers, now.logins,
                         now.logouts));
    if (!now.members.empty())
        put_line(text, "by pool member", by_member(now));
    if (const subscriber_requests& radius = counted.radius;
        radius.handled + radius.repeated + radius.ignored != 0)
        put_line(text, "RADIUS requests",
                 fmt::format("{} ({} refused), {} repeated, {} ignored", radius.handled,
                             radius.refused, radius.repeated, radius.ignored));
    if (const notifier_counters& snmp = counted.notifications; snmp.sent + snmp.not_sent != 0)
        put_line(text, "by SNMP", fmt::format("{} sent, {} not sent", snmp.sent, snmp.not_sent));
}

/// Why a kernel filter was given up, where the system said so.
std::string reason_of(const tap::kernel_filter_status& one) {
    return one.reason.code ? one.reason.message() : "";
}

void put_kernel_filters(std::string& text, const control_counters& counted) {
    for (std::size_t i = 0; i < counted.kernel_filters.size(); ++i) {
        const tap::kernel_filter_status& one = counted.kernel_filters[i];
        const std::string reason = reason_of(one);
        put_line(text, fmt::format("kernel filter {}", i),
                 fmt::format("{}{}{}, {} instructions", to_string(one.state),
                             reason.empty() ? "" : ": ", reason, one.instructions));
    }
}

nlohmann::ordered_json& place_of(nlohmann::ordered_json& in, std::string_view key) {
    const std::size_t dot = key.find('.');
    if (dot == std::string_view::npos)
        return in[std::string(key)];
    return in[std::string(key.substr(0, dot))][std::string(key.substr(dot + 1))];
}

template <class Of>
void put_json(nlohmann::ordered_json& into, measures<Of> all, const Of& counted) {
    for (const measure<Of>& one : all) {
        nlohmann::ordered_json& place = place_of(into, one.key);
        if (one.label.empty())
            place = one.read(counted, 0);
        else
            for (std::size_t i = 0; i < one.size(); ++i)
                place[std::string(one.values[i])] = one.read(counted, i);
    }
}

} // namespace

std::string summary_text(const totals& counted) {
    const path::path_counters sum = counted.packets();
    std::string text;
    put_lines(text, packet_lines, packet_measures(), sum);
    put_fragments(text, sum);
    put_lines<path::delivery_counters>(text, copy_lines, copy_measures(), sum);
    put_kernel_filters(text, counted.control);
    put_control(text, counted.control);
    put_subscribers(text, counted.control);
    return text;
}

std::string status_text(const totals& counted) {
    const tap::status& now = counted.control.tap;
    std::string text = summary_text(counted);
    put_line(text, "in place",
             fmt::format("{} criteria of {} control sources to {} content destinations, "
                         "{} sessions",
                         now.criteria, now.control_sources, now.content_destinations,
                         now.sessions));
    text += fmt::format("\n{:<12}{:>20}{:>16}{:>16}{:>16}{:>16}\n", "worker", "packets seen",
                        "lost", "tapped", "copies", "dropped");
    for (std::size_t i = 0; i < counted.path.workers.size(); ++i) {
        const path::path_counters& its = counted.path.workers[i];
        text += fmt::format("{:<12}{:>20}{:>16}{:>16}{:>16}{:>16}\n", i, its.seen, its.lost,
                            its.tapped, its.copies,
                            tell<path::delivery_counters>(copy_measures(), "dropped", its).sum);
    }
    text += fmt::format("\n{:<12}{:>20}{:>16}{:>16}{:>16}\n", "destination", "copies", "delivered",
                        "queued", "dropped");
    for (const shown_destination& each : shown_destinations(counted)) {
        const told dropped = tell(copy_measures(), "dropped", each.counted);
        text += fmt::format("{:<12}{:>20}{:>16}{:>16}{:>16}{}\n", each.ordinal, each.counted.copies,
                            each.counted.delivered, each.counted.queued, dropped.sum,
                            dropped.breakdown);
    }
    return text;
}

std::string summary_json(const totals& counted) {
    const path::path_counters sum = counted.packets();
    nlohmann::ordered_json summary;
    put_json(summary, packet_measures(), sum);
    put_json<path::delivery_counters>(summary, copy_measures(), sum);
    put_json(summary, control_measures(), counted.control);
    summary["workers"] = nlohmann::ordered_json::array();
    for (const path::path_counters& each : counted.path.workers) {
        nlohmann::ordered_json& its = summary["workers"].emplace_back();
        put_json(its, packet_measures(), each);
        put_json<path::delivery_counters>(its, copy_measures(), each);
    }
    summary["destinations"] = nlohmann::ordered_json::array();
    for (const shown_destination& each : shown_destinations(counted)) {
        nlohmann::ordered_json& its = summary["destinations"].emplace_back();
        its["ordinal"] = each.ordinal;
        put_json(its, copy_measures(), each.counted);
    }
    if (counted.control.subscribers)
        summary["subscribers"]["members"] = counted.control.subscribers->members;
    summary["kernel_filters"] = nlohmann::ordered_json::array();
    for (const tap::kernel_filter_status& each : counted.control.kernel_filters) {
        nlohmann::ordered_json& its = summary["kernel_filters"].emplace_back();
        put_json(its, kernel_filter_measures(), each);
        its["reason"] = reason_of(each);
    }
    return summary.dump() + '\n';
}

} // namespace dfcd
