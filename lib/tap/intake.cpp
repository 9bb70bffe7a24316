// SPDX-License-Identifier: Apache-2.0
// The way of a request from its message to its answer, the same for every kind of channel.
#include "intake.hpp"

#include <string>
#include <utility>

#include <flowtap/dtcp/authentication.hpp>
#include <flowtap/dtcp/parser.hpp>
#include <flowtap/tap/error.hpp>

#include "backlog.hpp"
#include "requests.hpp"

namespace flowtap::tap {

namespace {

constexpr std::size_t longest_detail = 256;

/// A number that is stored waits for the disk. That fills a turn, so that a control source which
/// jumps ahead with each request does not keep the others waiting.
constexpr std::size_t work_of_storing = backlog::work_per_turn;

refusal bad_sequence(const dtcp::envelope& message, dtcp::errc why) {
    return {dtcp::status_code::invalid_sequence, &status::bad_sequences,
            error(why, std::string(message.sequence_text))};
}

void tell_rollover(control& state, const requester& from, const dtcp::envelope& message,
                   time_stamp now) {
    audit_note note{audit_event::sequence};
    note.detail = "the sequence number rolled over to " + std::string(message.sequence_text);
    write_audit(state.audit, from.source.name(), from.peer, std::move(note), now.wall);
    dtcp::notification what;
    what.status = dtcp::status_code::sequence_rollover;
    state.notifications.tell(from.source.id(), std::move(what));
}

dtcp::parse_options options_for(const control& state, const requester& from) {
    dtcp::parse_options options;
    options.service = state.with.service;
    const bool pairs =
        from.by == channel_kind::stream && options.service == dtcp::service_kind::flow_tap;
    options.port_lists = from.source.with.port_lists.value_or(pairs ? port_list_mode::pairs
                                                                    : port_list_mode::product);
    return options;
}

bool is_send_async(const dtcp::request& asked) {
    if (const auto* add = std::get_if<dtcp::add_request>(&asked))
        return add->send_async;
    const auto* noop = std::get_if<dtcp::noop_request>(&asked);
    return noop != nullptr && noop->send_async;
}

handled answer_to(control& state, const requester& from, const dtcp::envelope& message,
                  time_stamp now) {
    request_context context{state, from, message, now};
    auto asked = dtcp::parse_request(message, options_for(state, from));
    if (!asked)
        return {refuse(context, event_of(message), asked.error())};
    // An ADD gives away what its criterion keeps.
    answer given =
        std::visit([&](auto& request) { return handle(context, std::move(request)); }, *asked);
    from.source.last_version = dtcp::header_of(*asked).spoken;
    if (from.by == channel_kind::stream && is_send_async(*asked) &&
        given.head.status == dtcp::status_code::ok)
        from.source.wants_notifications = true;
    return {std::move(given), context.work};
}

handled answer_not_stored(control& state, const requester& from, const dtcp::envelope& message,
                          time_stamp now) {
    ++state.counts.sequences_not_stored;
    request_context context{state, from, message, now};
    return {refuse(context, event_of(message), make_error_code(errc::sequence_not_stored))};
}

} // namespace

audit_note note_of(const refusal& reason) {
    audit_note note{audit_event::refusal, reason.status};
    note.detail = reason.reason.message().substr(0, longest_detail);
    return note;
}

std::optional<refusal> authenticate(const requester& from, const dtcp::envelope& message) {
    if (message.csource_id != from.source.name())
        return refusal{dtcp::status_code::unknown_control_source, &status::unknown_sources,
                       error(dtcp::errc::unknown_control_source, message.csource_id.value_or(""))};
    if (const auto verified = dtcp::verify(message, *from.source.hash); !verified)
        return refusal{dtcp::status_code::invalid_authentication, &status::bad_authentications,
                       verified.error()};
    return std::nullopt;
}

bool checks_sequence(const requester& from) {
    return from.source.with.sequence_check.value_or(from.by == channel_kind::datagram);
}

std::optional<refusal> refuse_sequence(dtcp::sequence_verdict verdict,
                                       const dtcp::envelope& message) {
    if (verdict == dtcp::sequence_verdict::repeated)
        return bad_sequence(message, dtcp::errc::repeated_sequence);
    if (verdict == dtcp::sequence_verdict::outside)
        return bad_sequence(message, dtcp::errc::sequence_out_of_window);
    return std::nullopt;
}

std::variant<handled, refusal> serve(control& state, const requester& from,
                                     const dtcp::envelope& message, time_stamp now) {
    if (!message.sequence)
        return bad_sequence(message, message.sequence_text.empty()
                                         ? dtcp::errc::missing_sequence
                                         : dtcp::errc::malformed_sequence);
    sequence_decision decision;
    if (checks_sequence(from))
        decision =
            from.source.sequence.accept(*message.sequence, from.source.name(), state.sequences);
    if (auto refused = refuse_sequence(decision.verdict, message))
        return std::move(*refused);
    if (decision.verdict == dtcp::sequence_verdict::rolled_over)
        tell_rollover(state, from, message, now);
    handled done = decision.not_stored ? answer_not_stored(state, from, message, now)
                                       : answer_to(state, from, message, now);
    if (decision.stored || decision.not_stored)
        done.work += work_of_storing;
    if (done.given.head.status != dtcp::status_code::ok)
        ++state.counts.errors_answered;
    return done;
}

} // namespace flowtap::tap
