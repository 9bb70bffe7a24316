// SPDX-License-Identifier: Apache-2.0
#include "implementation.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>
#include <vector>

#include <flowtap/dtcp/authentication.hpp>
#include <flowtap/dtcp/parser.hpp>
#include <flowtap/permission/decide.hpp>
#include <flowtap/tap/error.hpp>

namespace flowtap::tap {

access_point::implementation::implementation(settings with, surroundings around)
    : state_(std::move(with), std::move(around)) {}

result<session_id> access_point::implementation::open(const permission::principal& who,
                                                      std::string peer, time_stamp now) {
    const bool permitted =
        permission::allowed(who, permission::operation::use, permission::target::flow_tap_service);
    const audit_note note{permitted ? audit_event::login : audit_event::refusal};
    const bool written = write_audit(state_.audit, who.name, peer, note, now.wall);
    if (!permitted)
        return fail(errc::not_permitted);
    if (!written)
        return fail(errc::audit_failed);
    std::optional<ip_address> address;
    if (who.peer)
        address = who.peer->address;
    last_session_ = session_id{last_session_.value() + 1};
    sessions_.try_emplace(last_session_, state_.sources.enter(who.name), std::move(peer), address);
    return last_session_;
}

std::size_t access_point::implementation::feed(session_id id, byte_view octets, time_stamp now) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end())
        return octets.size();
    session& from = found->second;
    byte_view rest = octets;
    while (!rest.empty() && !from.closing() && from.takes_requests()) {
        const auto used = from.requests.put(rest);
        if (!used) {
            ++state_.counts.malformed;
            audit_note note{audit_event::refusal};
            note.detail = used.error().message();
            write_audit(state_.audit, from.source().name(), from.peer(), std::move(note), now.wall);
            from.close_when_read(used.error().code.message());
            break;
        }
        rest = rest.subspan(*used);
        if (!from.requests.complete())
            continue;
        const requester who{from.source(), from.peer(), from.address()};
        if (auto answered = take(who, from.requests.message(), now)) {
            from.put(std::move(answered->given));
            from.charge(answered->work);
        }
    }
    announce(id, from);
    return from.closing() ? octets.size() : octets.size() - rest.size();
}

std::optional<access_point::implementation::handled>
access_point::implementation::take(const requester& from, std::string_view message,
                                   time_stamp now) {
    ++state_.counts.requests;
    const auto envelope = dtcp::parse_envelope(message);
    if (!envelope) {
        drop(from, {}, state_.counts.malformed, envelope.error(), now);
        return std::nullopt;
    }
    if (!is_to_be_answered(from, *envelope, now))
        return std::nullopt;
    handled done = answer_to(from, *envelope, now);
    if (done.given.head.status != dtcp::status_code::ok)
        ++state_.counts.errors_answered;
    return done;
}

bool access_point::implementation::drop(const requester& from, dtcp::status_code status,
                                        std::uint64_t& counter, const error& reason,
                                        time_stamp now) {
    ++counter;
    audit_note note{audit_event::refusal, status};
    // A login is enough to get here, as often as one likes: what is repeated is bounded.
    constexpr std::size_t longest_detail = 256;
    note.detail = reason.message().substr(0, longest_detail);
    write_audit(state_.audit, from.source.name(), from.peer, std::move(note), now.wall);
    return false;
}

bool access_point::implementation::is_to_be_answered(const requester& from,
                                                     const dtcp::envelope& message,
                                                     time_stamp now) {
    using dtcp::status_code;
    status& counts = state_.counts;
    control_source& source = from.source;
    if (message.csource_id != source.name())
        return drop(from, status_code::unknown_control_source, counts.unknown_sources,
                    error(dtcp::errc::unknown_control_source, message.csource_id.value_or("")),
                    now);
    if (const auto verified = dtcp::verify(message, *source.hash); !verified)
        return drop(from, status_code::invalid_authentication, counts.bad_authentications,
                    verified.error(), now);
    if (!message.sequence)
        return drop(from, status_code::invalid_sequence, counts.bad_sequences,
                    error(message.sequence_text.empty() ? dtcp::errc::missing_sequence
                                                        : dtcp::errc::malformed_sequence,
                          std::string(message.sequence_text)),
                    now);
    if (!source.with.sequence_check.value_or(false))
        return true;
    const dtcp::sequence_verdict verdict = source.sequence.accept(*message.sequence);
    if (dtcp::is_accepted(verdict))
        return true;
    return drop(from, status_code::invalid_sequence, counts.bad_sequences,
                error(verdict == dtcp::sequence_verdict::repeated
                          ? dtcp::errc::repeated_sequence
                          : dtcp::errc::sequence_out_of_window,
                      std::string(message.sequence_text)),
                now);
}

access_point::implementation::handled
access_point::implementation::answer_to(const requester& from, const dtcp::envelope& message,
                                        time_stamp now) {
    request_context context{state_, from, message, now};
    dtcp::parse_options options;
    options.port_lists = from.source.with.port_lists.value_or(port_list_mode::pairs);
    const auto asked = dtcp::parse_request(message, options);
    if (!asked)
        return {refuse(context, event_of(message), asked.error())};
    answer given =
        std::visit([&](const auto& request) { return handle(context, request); }, *asked);
    return {std::move(given), context.work};
}

std::size_t access_point::implementation::read(session_id id, std::span<char> room,
                                               time_stamp now) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end())
        return 0;
    session& from = found->second;
    const std::size_t moved = from.read(room, state_.published, now);
    if (!from.is_readable(state_.published))
        from.announced = false;
    announce(id, from);
    return moved;
}

void access_point::implementation::finish(session_id id) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end())
        return;
    found->second.close_when_read("");
    announce(id, found->second);
}

void access_point::implementation::close(session_id id, time_stamp now) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end())
        return;
    const session& ended = found->second;
    audit_note note{audit_event::logout};
    if (ended.requests.in_message())
        note.detail = "in the middle of a request";
    write_audit(state_.audit, ended.source().name(), ended.peer(), std::move(note), now.wall);
    waiting_.erase(id);
    sessions_.erase(found);
}

void access_point::implementation::turn(time_stamp now) {
    publish(now);
    state_.streams.settle(state_.published.settled());
    const std::vector<session_id> waiting(waiting_.begin(), waiting_.end());
    for (const session_id id : waiting)
        announce(id, sessions_.find(id)->second);
    if (const auto due = deadline(); due && *due <= now.steady)
        state_.sample(now.steady);
}

void access_point::implementation::publish(time_stamp now) {
    publisher& published = state_.published;
    const auto done = published.publish(state_.with.filter_memory);
    if (done)
        return;
    take_back_newcomers(done.error(), now);
    // What is left has been in force before, so it may stay, also when a limit was lowered since:
    // what was deleted must go. Should even this fail, it is tried again with the next turn.
    static_cast<void>(published.publish(std::numeric_limits<std::size_t>::max()));
}

void access_point::implementation::take_back_newcomers(const error& reason, time_stamp now) {
    std::vector<slot_id> slots(state_.published.newcomers().begin(),
                               state_.published.newcomers().end());
    std::sort(slots.begin(), slots.end());
    for (const auto& [name, source] : state_.sources.sources()) {
        std::vector<criterion*> failed;
        for (const auto& [id, one] : source->criteria())
            if (std::binary_search(slots.begin(), slots.end(), one->slot))
                failed.push_back(one.get());
        for (criterion* one : failed) {
            audit_note note{audit_event::purge, dtcp::status_code::internal_error};
            note.criterion = one->id.value();
            note.count = 1;
            note.detail = reason.code.message();
            write_audit(state_.audit, name, "", std::move(note), now.wall);
            for (auto& [id, session] : sessions_)
                if (&session.source() == source.get())
                    session.fail_add(one->id);
            state_.remove(*source, *one);
            ++state_.counts.errors_answered;
        }
    }
}

void access_point::implementation::announce(session_id id, session& of) {
    if (of.is_waiting(state_.published))
        waiting_.insert(id);
    else
        waiting_.erase(id);
    if (!of.announced && of.is_readable(state_.published)) {
        of.announced = true;
        effects_.emplace_back(output_ready{id});
    }
    if (of.closing() && !of.close_announced && of.is_drained()) {
        of.close_announced = true;
        effects_.emplace_back(close_session{id, *of.closing()});
    }
}

std::optional<effect> access_point::implementation::next_effect() {
    if (effects_.empty())
        return std::nullopt;
    effect next = std::move(effects_.front());
    effects_.pop_front();
    return next;
}

std::optional<steady_time> access_point::implementation::deadline() const {
    if (state_.sources.criteria() == 0)
        return std::nullopt;
    return state_.next_sample();
}

void access_point::implementation::purge(control_source& from, std::string_view reason,
                                         time_stamp now) {
    const std::vector<criterion*> all = from.select_all();
    if (all.empty())
        return;
    audit_note note{audit_event::purge};
    note.count = all.size();
    note.detail = reason;
    write_audit(state_.audit, from.name(), "", std::move(note), now.wall);
    for (criterion* one : all)
        state_.remove(from, *one);
}

void access_point::implementation::apply(settings with,
                                         const std::function<bool(std::string_view)>& is_permitted,
                                         time_stamp now) {
    write_audit(state_.audit, "", "", {audit_event::commit}, now.wall);
    state_.apply(std::move(with));
    for (const auto& [name, source] : state_.sources.sources()) {
        if (is_permitted(name))
            continue;
        purge(*source, "the control source may not tap any more", now);
        for (auto& [id, session] : sessions_) {
            if (&session.source() != source.get())
                continue;
            session.close_now("the session was ended by a change of the configuration");
            announce(id, session);
        }
    }
}

void access_point::implementation::restart(time_stamp now) {
    write_audit(state_.audit, "", "", {audit_event::stop}, now.wall);
    for (const auto& [name, source] : state_.sources.sources())
        purge(*source, "the service restarts", now);
    for (auto& [id, session] : sessions_) {
        session.close_now("the service restarts");
        announce(id, session);
    }
    write_audit(state_.audit, "", "", {audit_event::start}, now.wall);
}

status access_point::implementation::state() const {
    status now = state_.counts;
    now.sessions = sessions_.size();
    now.criteria = state_.sources.criteria();
    now.control_sources = state_.sources.sources().size();
    now.content_destinations = state_.streams.size();
    return now;
}

} // namespace flowtap::tap
