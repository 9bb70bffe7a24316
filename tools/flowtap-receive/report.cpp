// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <chrono>
#include <string_view>

#include <nlohmann/json.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

namespace flowtap::tools {

namespace {

constexpr auto refusals = std::to_array<std::string_view>(
    {"not_ip", "cut_short", "malformed", "not_encapsulated", "no_mirror_header", "empty",
     "no_ip_inside", "inner_cut_short"});
static_assert(refusals.size() == refusal_count);

/// In UTC, to the nanosecond, as RFC 3339 has it.
std::string to_text(wall_time time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z",
                       fmt::gmtime(static_cast<std::time_t>(seconds.time_since_epoch().count())),
                       (time - seconds).count());
}

/// Per second since `before`.
struct rates {
    double copies = 0;
    double octets = 0;

    rates(const counters& now, const counters& before) {
        const double seconds = std::chrono::duration<double>(now.when - before.when).count();
        if (seconds <= 0)
            return;
        copies = static_cast<double>(now.received.copies - before.received.copies) / seconds;
        octets = static_cast<double>(now.received.octets - before.received.octets) / seconds;
    }
};

void add_refused(nlohmann::ordered_json& to, const collected& received) {
    for (std::size_t i = 0; i < refusals.size(); ++i)
        to["refused"][std::string(refusals[i])] = received.refused[i];
}

std::string refused_text(const collected& received) {
    std::string text;
    for (std::size_t i = 0; i < refusals.size(); ++i)
        if (received.refused[i] != 0)
            text += fmt::format("{}{} {}", text.empty() ? " (" : ", ", refusals[i],
                                received.refused[i]);
    return text.empty() ? text : text + ')';
}

nlohmann::ordered_json describe(const intercept& one) {
    nlohmann::ordered_json made;
    made["number"] = one.number;
    made["encapsulation"] = name_of(one.key.kind);
    made["source_address"] = to_string(one.key.source.address);
    made["destination_address"] = to_string(one.key.destination.address);
    if (one.key.kind != packet::encapsulation_kind::ip_in_ip) {
        made["source_port"] = one.key.source.port;
        made["destination_port"] = one.key.destination.port;
    }
    if (one.key.kind == packet::encapsulation_kind::udp_mirror) {
        made["intercept_id"] = one.key.intercept_id;
        made["session_id"] = one.key.session_id;
    }
    made["copies"] = one.copies;
    made["octets"] = one.octets;
    made["first"] = to_text(one.first);
    made["last"] = to_text(one.last);
    if (!one.file.name.empty()) {
        made["file"] = one.file.name;
        made["unwritten"] = one.file.unwritten;
    }
    return made;
}

std::string ends_of(const intercept_key& key) {
    if (key.kind == packet::encapsulation_kind::ip_in_ip)
        return fmt::format("{} > {}", to_string(key.source.address),
                           to_string(key.destination.address));
    std::string text = fmt::format("{} > {}", to_string(key.source), to_string(key.destination));
    if (key.kind == packet::encapsulation_kind::udp_mirror)
        text += fmt::format(" intercept {:#x} session {:#x}", key.intercept_id, key.session_id);
    return text;
}

} // namespace

std::string counters_text(const counters& now, const counters& before) {
    const rates fresh(now, before);
    return fmt::format("{} copies, {} octets, {:.0f}/s, {:.2f} Mbit/s, {} intercepts, {} refused, "
                       "{} lost",
                       now.received.copies, now.received.octets, fresh.copies,
                       fresh.octets * 8 / 1e6, now.intercepts, now.received.refused_in_all(),
                       now.lost);
}

std::string counters_json(const counters& now, const counters& before) {
    const rates fresh(now, before);
    nlohmann::ordered_json line;
    line["event"] = "counters";
    line["copies"] = now.received.copies;
    line["octets"] = now.received.octets;
    line["copies_per_second"] = fresh.copies;
    line["octets_per_second"] = fresh.octets;
    line["intercepts"] = now.intercepts;
    line["refused"] = now.received.refused_in_all();
    line["incomplete"] = now.incomplete;
    line["lost"] = now.lost;
    return line.dump();
}

std::string summary_text(const counters& all, const collector& from) {
    const collected& received = all.received;
    std::string text =
        fmt::format("copies            {}\n"
                    "octets            {}\n"
                    "intercepts        {}\n"
                    "refused           {}{}\n"
                    "incomplete        {}\n"
                    "lost              {}\n",
                    received.copies, received.octets, all.intercepts, received.refused_in_all(),
                    refused_text(received), all.incomplete, all.lost);
    // What is rare is told when it is there.
    const auto add = [&text](std::string_view name, std::uint64_t count) {
        if (count != 0)
            text += fmt::format("{:<18}{}\n", name, count);
    };
    add("wrong checksums", received.wrong_ip_checksums + received.wrong_udp_checksums);
    add("padded", received.padded);
    add("of others", received.other_copies);
    add("not written", all.unwritten);
    for (const intercept* const one : from.intercepts()) {
        text += fmt::format("\n{} {} {}\n   {} copies, {} octets, {} to {}\n", one->number,
                            name_of(one->key.kind), ends_of(one->key), one->copies, one->octets,
                            to_text(one->first), to_text(one->last));
        if (!one->file.name.empty())
            text += fmt::format("   {}\n", one->file.name);
    }
    return text;
}

std::string summary_json(const counters& all, const collector& from) {
    const collected& received = all.received;
    nlohmann::ordered_json summary;
    summary["event"] = "summary";
    summary["copies"] = received.copies;
    summary["octets"] = received.octets;
    add_refused(summary, received);
    summary["incomplete"] = all.incomplete;
    summary["lost"] = all.lost;
    summary["wrong_ip_checksums"] = received.wrong_ip_checksums;
    summary["wrong_udp_checksums"] = received.wrong_udp_checksums;
    summary["padded"] = received.padded;
    summary["other"] = {{"copies", received.other_copies}, {"octets", received.other_octets}};
    summary["unwritten"] = all.unwritten;
    summary["intercepts"] = nlohmann::ordered_json::array();
    for (const intercept* const one : from.intercepts())
        summary["intercepts"].push_back(describe(*one));
    return summary.dump() + '\n';
}

} // namespace flowtap::tools
