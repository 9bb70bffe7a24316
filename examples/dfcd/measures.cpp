// SPDX-License-Identifier: Apache-2.0
#include "measures.hpp"

#include <array>

namespace dfcd {

namespace path = flowtap::path;

namespace {

using path::delivery_counters;
using path::fragment_counters;
using path::path_counters;

constexpr auto verdicts = std::to_array<std::string_view>(
    {"ip", "later_fragment", "not_ip", "cut_short", "malformed", "unsupported_link"});
static_assert(verdicts.size() == flowtap::packet::verdict_count);

constexpr auto causes = std::to_array<std::string_view>(
    {"sink_full", "too_long", "unreachable", "send_error", "stopped", "withdrawn", "looped"});
static_assert(causes.size() == path::drop_cause_count);

constexpr auto fragment_losses =
    std::to_array<std::string_view>({"expired", "displaced", "no_room", "cut_short"});
static_assert(fragment_losses.size() == path::fragment_loss_count);

constexpr auto filter_states =
    std::to_array<std::string_view>({"pending", "in_place", "too_long", "refused"});

constexpr auto refusals = std::to_array<std::string_view>(
    {"bad_authentications", "bad_sequences", "unknown_sources", "malformed"});
constexpr auto endings = std::to_array<std::string_view>({"expired", "purged"});
constexpr auto outcomes = std::to_array<std::string_view>({"sent", "dropped"});
constexpr auto radius_outcomes =
    std::to_array<std::string_view>({"done", "refused", "repeated", "ignored"});

constexpr auto snmp_outcomes = std::to_array<std::string_view>({"sent", "not_sent"});

constexpr auto counter = measure_kind::counter;
constexpr auto gauge = measure_kind::gauge;

/// Reads one member of a structure of counters.
template <auto Member, class Of>
std::uint64_t member(const Of& from, std::size_t /*value*/) {
    return from.*Member;
}
/// Reads one element of a member that is an array.
template <auto Member, class Of>
std::uint64_t element(const Of& from, std::size_t value) {
    return (from.*Member)[value];
}
template <auto Member>
std::uint64_t of_fragments(const path_counters& from, std::size_t /*value*/) {
    return from.fragments.*Member;
}
std::uint64_t left_out(const path_counters& from, std::size_t value) {
    return from.fragments.left_out[value];
}
template <auto Member>
std::uint64_t of_tap(const control_counters& from, std::size_t /*value*/) {
    return from.tap.*Member;
}
template <auto Member>
std::uint64_t of_datagrams(const control_counters& from, std::size_t /*value*/) {
    return from.datagrams.*Member;
}

using packets = measure<path_counters>;
constexpr auto all_of_packets = std::to_array<packets>({
    {"seen",
     "seen_packets_total",
     "Packets that passed the interfaces or stood in the files.",
     counter,
     {},
     {},
     member<&path_counters::seen>},
    {"seen_octets",
     "seen_bytes_total",
     "Octets of packets seen, without filtered ones.",
     counter,
     {},
     {},
     member<&path_counters::seen_octets>},
    {"lost",
     "lost_packets_total",
     "Packets that were lost before they could be read.",
     counter,
     {},
     {},
     member<&path_counters::lost>},
    {"filtered",
     "filtered_packets_total",
     "Packets that the kernel's filter kept back since no criterion matches them.",
     counter,
     {},
     {},
     member<&path_counters::filtered>},
    {"sampled_out",
     "sampled_out_packets_total",
     "Packets that came faster than their input may and were left out.",
     counter,
     {},
     {},
     member<&path_counters::sampled_out>},
    {"sampled_out_octets",
     "sampled_out_bytes_total",
     "Octets of packets that were left out.",
     counter,
     {},
     {},
     member<&path_counters::sampled_out_octets>},
    {"decoded", "decoded_packets_total", "Packets by what they were found to be.", counter, "kind",
     verdicts, element<&path_counters::decoded>},
    {"decoded_octets", "decoded_bytes_total", "Octets of packets by what they were found to be.",
     counter, "kind", verdicts, element<&path_counters::decoded_octets>},
    {"tapped",
     "tapped_packets_total",
     "Packets that a criterion matched.",
     counter,
     {},
     {},
     member<&path_counters::tapped>},
    {"tapped_octets",
     "tapped_bytes_total",
     "Octets of packets that a criterion matched.",
     counter,
     {},
     {},
     member<&path_counters::tapped_octets>},
    {"frames_alone",
     "frames_alone_packets_total",
     "Of the packets tapped, those that only criteria of family ccc matched, as whole frames.",
     counter,
     {},
     {},
     member<&path_counters::frames_alone>},
    {"frames_alone_octets",
     "frames_alone_bytes_total",
     "Octets of packets that only criteria of family ccc matched.",
     counter,
     {},
     {},
     member<&path_counters::frames_alone_octets>},
    {"untapped",
     "untapped_packets_total",
     "Packets that no criterion matched.",
     counter,
     {},
     {},
     member<&path_counters::untapped>},
    {"untapped_octets",
     "untapped_bytes_total",
     "Octets of packets that no criterion matched.",
     counter,
     {},
     {},
     member<&path_counters::untapped_octets>},
    {"withheld",
     "withheld_packets_total",
     "Packets, of those that no criterion matched, that drop policies kept from all that asked.",
     counter,
     {},
     {},
     member<&path_counters::withheld>},
    {"withheld_octets",
     "withheld_bytes_total",
     "Octets of packets that drop policies kept from all that asked.",
     counter,
     {},
     {},
     member<&path_counters::withheld_octets>},
    {"own",
     "own_packets_total",
     "Packets of the access point's own services, never tapped.",
     counter,
     {},
     {},
     member<&path_counters::own>},
    {"own_octets",
     "own_bytes_total",
     "Octets of packets of the access point's own services.",
     counter,
     {},
     {},
     member<&path_counters::own_octets>},
    {"abandoned",
     "abandoned_packets_total",
     "Packets that no filter looked at since the worker had to stop.",
     counter,
     {},
     {},
     member<&path_counters::abandoned>},
    {"abandoned_octets",
     "abandoned_bytes_total",
     "Octets of packets that no filter looked at.",
     counter,
     {},
     {},
     member<&path_counters::abandoned_octets>},
    {"pending",
     "pending_packets",
     "Packets that wait while their worker waits for a sink.",
     gauge,
     {},
     {},
     member<&path_counters::pending>},
    {"pending_octets",
     "pending_bytes",
     "Octets of packets that wait.",
     gauge,
     {},
     {},
     member<&path_counters::pending_octets>},
    {"fragments.followed",
     "fragments_followed_packets_total",
     "Later fragments for which the decision on their packet was known.",
     counter,
     {},
     {},
     of_fragments<&fragment_counters::followed>},
    {"fragments.followed_octets",
     "fragments_followed_bytes_total",
     "Octets of later fragments for which the decision was known.",
     counter,
     {},
     {},
     of_fragments<&fragment_counters::followed_octets>},
    {"fragments.waiting",
     "fragments_waiting_packets",
     "Later fragments that wait for the first one of their packet.",
     gauge,
     {},
     {},
     of_fragments<&fragment_counters::waiting>},
    {"fragments.left_out", "fragments_left_out_packets_total",
     "Later fragments left out without a decision on their packet, by cause.", counter, "cause",
     fragment_losses, left_out},
    {"fragments.decisions_displaced",
     "fragments_decisions_displaced_total",
     "Decisions on packets that made room for others before their time.",
     counter,
     {},
     {},
     of_fragments<&fragment_counters::decisions_displaced>},
});

using copies = measure<delivery_counters>;
constexpr auto all_of_copies = std::to_array<copies>({
    {"copies",
     "copies_total",
     "Copies made: delivered, dropped or queued.",
     counter,
     {},
     {},
     member<&delivery_counters::copies>},
    {"copies_octets",
     "copied_bytes_total",
     "Octets of the packets in copies made.",
     counter,
     {},
     {},
     member<&delivery_counters::copies_octets>},
    {"delivered",
     "delivered_copies_total",
     "Copies that have left.",
     counter,
     {},
     {},
     member<&delivery_counters::delivered>},
    {"delivered_octets",
     "delivered_bytes_total",
     "Octets of the packets in copies that have left.",
     counter,
     {},
     {},
     member<&delivery_counters::delivered_octets>},
    {"queued",
     "queued_copies",
     "Copies that wait for their next hop.",
     gauge,
     {},
     {},
     member<&delivery_counters::queued>},
    {"queued_octets",
     "queued_bytes",
     "Octets of the packets in copies that wait.",
     gauge,
     {},
     {},
     member<&delivery_counters::queued_octets>},
    {"dropped", "dropped_copies_total", "Copies that were dropped, by cause.", counter, "cause",
     causes, element<&delivery_counters::dropped>},
    {"dropped_octets", "dropped_bytes_total", "Octets of the packets in copies that were dropped.",
     counter, "cause", causes, element<&delivery_counters::dropped_octets>},
});

std::uint64_t ending(const control_counters& from, std::size_t value) {
    return value == 0 ? from.tap.expired : from.tap.purged;
}

std::uint64_t refusal(const control_counters& from, std::size_t value) {
    const std::array<std::uint64_t, refusals.size()> counts{
        from.tap.bad_authentications, from.tap.bad_sequences, from.tap.unknown_sources,
        from.tap.malformed};
    return counts[value];
}

std::uint64_t outcome(const control_counters& from, std::size_t value) {
    return value == 0 ? from.tap.notifications : from.tap.notifications_dropped;
}

template <auto Member>
std::uint64_t of_subscribers(const control_counters& from, std::size_t /*value*/) {
    return from.subscribers ? std::uint64_t{(*from.subscribers).*Member} : 0;
}

std::uint64_t radius_outcome(const control_counters& from, std::size_t value) {
    const subscriber_requests& radius = from.radius;
    const std::array<std::uint64_t, radius_outcomes.size()> counts{
        radius.handled - radius.refused, radius.refused, radius.repeated, radius.ignored};
    return counts[value];
}

std::uint64_t snmp_outcome(const control_counters& from, std::size_t value) {
    return value == 0 ? from.notifications.sent : from.notifications.not_sent;
}

using flowtap::subscriber::mirroring_status;
using flowtap::tap::kernel_filter_status;
using flowtap::tap::status;
using flowtap::transport::datagram_counters;
using control = measure<control_counters>;
constexpr auto all_of_control = std::to_array<control>({
    {"criteria", "criteria_ended_total", "Criteria that a timeout or congestion ended.", counter,
     "reason", endings, ending},
    {"requests.received",
     "requests_total",
     "Requests received.",
     counter,
     {},
     {},
     of_tap<&status::requests>},
    {"requests.errors_answered",
     "requests_refused_total",
     "Requests that an error answered.",
     counter,
     {},
     {},
     of_tap<&status::errors_answered>},
    {"requests", "requests_unanswered_total", "Requests without an answer.", counter, "reason",
     refusals, refusal},
    {"requests.sequences_not_stored",
     "sequences_not_stored_total",
     "Requests whose sequence number could not be stored.",
     counter,
     {},
     {},
     of_tap<&status::sequences_not_stored>},
    {"notifications", "notifications_total", "Notifications, by what became of them.", counter,
     "outcome", outcomes, outcome},
    {"datagrams.received",
     "datagrams_received_total",
     "Datagrams received.",
     counter,
     {},
     {},
     of_datagrams<&datagram_counters::received>},
    {"datagrams.too_long",
     "datagrams_too_long_total",
     "Datagrams longer than any request.",
     counter,
     {},
     {},
     of_datagrams<&datagram_counters::too_long>},
    {"datagrams.to_many",
     "datagrams_to_many_total",
     "Datagrams to a multicast or broadcast address.",
     counter,
     {},
     {},
     of_datagrams<&datagram_counters::to_many>},
    {"datagrams.overflowed",
     "datagrams_overflowed_total",
     "Datagrams that came faster than they were read.",
     counter,
     {},
     {},
     of_datagrams<&datagram_counters::overflowed>},
    {"datagrams.dropped",
     "datagrams_unread_total",
     "Datagrams that were dropped before they were read as a request.",
     counter,
     {},
     {},
     of_tap<&status::datagrams_dropped>},
    {"datagrams.sent",
     "datagrams_sent_total",
     "Datagrams sent.",
     counter,
     {},
     {},
     of_datagrams<&datagram_counters::sent>},
    {"datagrams.not_sent",
     "datagrams_not_sent_total",
     "Datagrams that a full queue or the system did not take.",
     counter,
     {},
     {},
     of_datagrams<&datagram_counters::not_sent>},
    {"datagrams.undelivered",
     "datagrams_undelivered_total",
     "Errors that the network told about datagrams sent.",
     counter,
     {},
     {},
     of_datagrams<&datagram_counters::undelivered>},
    {"state.sessions",
     "sessions",
     "Sessions of mediation devices.",
     gauge,
     {},
     {},
     of_tap<&status::sessions>},
    {"state.control_sources",
     "control_sources",
     "Control sources.",
     gauge,
     {},
     {},
     of_tap<&status::control_sources>},
    {"state.criteria", "criteria", "Criteria in place.", gauge, {}, {}, of_tap<&status::criteria>},
    {"state.content_destinations",
     "content_destinations",
     "Content destinations in use.",
     gauge,
     {},
     {},
     of_tap<&status::content_destinations>},
    {"subscribers.sessions",
     "subscriber_sessions",
     "Sessions of subscribers.",
     gauge,
     {},
     {},
     of_subscribers<&mirroring_status::sessions>},
    {"subscribers.mirrored",
     "subscriber_sessions_intercepted",
     "Sessions of subscribers that an intercept has.",
     gauge,
     {},
     {},
     of_subscribers<&mirroring_status::mirrored>},
    {"subscribers.waiting",
     "subscriber_sessions_waiting",
     "Sessions of subscribers that are to be mirrored and cannot be for now.",
     gauge,
     {},
     {},
     of_subscribers<&mirroring_status::waiting>},
    {"subscribers.triggers",
     "subscriber_triggers",
     "Criteria of DTCP about subscribers.",
     gauge,
     {},
     {},
     of_subscribers<&mirroring_status::triggers>},
    {"subscribers.logins",
     "subscriber_logins_total",
     "Sessions of subscribers that began.",
     counter,
     {},
     {},
     of_subscribers<&mirroring_status::logins>},
    {"subscribers.logouts",
     "subscriber_logouts_total",
     "Sessions of subscribers that ended.",
     counter,
     {},
     {},
     of_subscribers<&mirroring_status::logouts>},
    {"subscribers.refused_sessions",
     "subscriber_sessions_refused_total",
     "Sessions of subscribers that there was no room for.",
     counter,
     {},
     {},
     of_subscribers<&mirroring_status::refused_sessions>},
    {"subscribers.failures",
     "subscriber_mirroring_failures_total",
     "Times that a session could not be mirrored.",
     counter,
     {},
     {},
     of_subscribers<&mirroring_status::failures>},
    {"subscribers.matched_packets",
     "subscriber_matched_packets_total",
     "Packets that mirrors of subscribers matched.",
     counter,
     {},
     {},
     of_tap<&status::mirrored_packets>},
    {"subscribers.matched_octets",
     "subscriber_matched_bytes_total",
     "Octets of packets that mirrors of subscribers matched.",
     counter,
     {},
     {},
     of_tap<&status::mirrored_octets>},
    {"subscribers.radius", "subscriber_requests_total",
     "Requests of RADIUS about subscribers, by what became of them.", counter, "outcome",
     radius_outcomes, radius_outcome},
    {"subscribers.snmp", "subscriber_notifications_total",
     "Notifications of SNMP about subscribers, by what became of them.", counter, "outcome",
     snmp_outcomes, snmp_outcome},
});

std::uint64_t is_in_state(const kernel_filter_status& from, std::size_t value) {
    return static_cast<std::size_t>(from.state) == value;
}

std::uint64_t instructions(const kernel_filter_status& from, std::size_t /*value*/) {
    return from.instructions;
}

using filters = measure<kernel_filter_status>;
constexpr auto all_of_kernel_filters = std::to_array<filters>({
    {"state", "kernel_filter_state",
     "1 for the state that the kernel filter of a device is in, else 0.", gauge, "state",
     filter_states, is_in_state},
    {"instructions",
     "kernel_filter_instructions",
     "Instructions of the program that the kernel runs on a device's packets.",
     gauge,
     {},
     {},
     instructions},
});

} // namespace

path_counters totals::packets() const {
    path_counters sum;
    for (const path_counters& each : path.workers)
        sum += each;
    return sum;
}

std::span<const measure<path_counters>> packet_measures() {
    return all_of_packets;
}

std::span<const measure<delivery_counters>> copy_measures() {
    return all_of_copies;
}

std::span<const measure<control_counters>> control_measures() {
    return all_of_control;
}

std::span<const measure<kernel_filter_status>> kernel_filter_measures() {
    return all_of_kernel_filters;
}

std::vector<shown_destination> shown_destinations(const totals& counted) {
    std::vector<shown_destination> shown;
    delivery_counters others;
    for (std::size_t i = 0; i < counted.path.streams.size(); ++i) {
        const delivery_counters& its = counted.path.streams[i];
        if (i >= most_destinations)
            others += its;
        else if (its.copies != 0)
            shown.push_back({std::to_string(i), its});
    }
    if (others.copies != 0)
        shown.push_back({"others", others});
    return shown;
}

} // namespace dfcd
