// SPDX-License-Identifier: Apache-2.0
#include "implementation.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include <flowtap/dtcp/envelope.hpp>
#include <flowtap/permission/decide.hpp>
#include <flowtap/tap/error.hpp>

#include "capture_rules.hpp"
#include "expiry.hpp"

namespace flowtap::tap {

namespace {

/// Publication waits for so many turns at most in which more criteria end than one turn ends.
constexpr int most_turns_put_off = 100;

} // namespace

access_point::implementation::implementation(settings with, surroundings around)
    : state_(std::move(with), std::move(around)), datagrams_(state_, effects_) {}

result<session_id> access_point::implementation::open(const permission::principal& who,
                                                      std::string peer, time_stamp now) {
    // Dynamic flow capture takes requests over UDP only.
    const bool permitted =
        state_.with.service == dtcp::service_kind::flow_tap &&
        permission::allowed(who, permission::operation::use, permission::target::flow_tap_service);
    audit_note note{permitted ? audit_event::login : audit_event::refusal};
    note.detail = to_string(who.permissions);
    const bool written = write_audit(state_.audit, who.name, peer, std::move(note), now.wall);
    if (!permitted)
        return fail(errc::not_permitted);
    if (!written)
        return fail(errc::audit_failed);
    std::optional<ip_address> address;
    if (who.peer)
        address = who.peer->address;
    last_session_ = session_id{last_session_.value() + 1};
    control_source& source = state_.sources.enter(who.name);
    if (who.from == permission::origin::radius)
        remote_logins_.note(source, now.steady);
    else
        remote_logins_.forget(source);
    sessions_.try_emplace(last_session_, source, std::move(peer), address);
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
        if (from.requests.complete())
            take(from, from.requests.message(), now);
    }
    announce(id, from);
    return from.closing() ? octets.size() : octets.size() - rest.size();
}

void access_point::implementation::take(session& from, std::string_view message, time_stamp now) {
    ++state_.counts.requests;
    if (const auto parsed = dtcp::parse_envelope(message, message_); !parsed)
        return refuse(from, {{}, &status::malformed, parsed.error()}, now);
    const requester who{from.source(), from.peer(), from.address(), channel_kind::stream};
    if (const auto failed = authenticate(who, message_))
        return refuse(from, *failed, now);
    auto served = serve(state_, who, message_, now);
    if (const auto* failed = std::get_if<refusal>(&served))
        return refuse(from, *failed, now);
    handled& done = std::get<handled>(served);
    from.put(std::move(done.given));
    from.charge(done.work);
}

void access_point::implementation::refuse(const session& from, const refusal& reason,
                                          time_stamp now) {
    ++(state_.counts.*reason.counter);
    write_audit(state_.audit, from.source().name(), from.peer(), note_of(reason), now.wall);
}

void access_point::implementation::feed_datagram(const endpoint& from, const endpoint& at,
                                                 byte_view octets, time_stamp now) {
    datagrams_.feed(from, at, octets, now);
}

void access_point::implementation::hold_datagrams(bool held) {
    datagrams_.hold(held);
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
    turned_ = now.steady;
    end_remote_logins(now);
    unfinished_ = !expire_due(state_, now);
    // A publication makes all wait that comes after it, and one is enough: what has ended is
    // switched off first.
    if (unfinished_ && ++turns_put_off_ < most_turns_put_off) {
        state_.published.watch();
    } else {
        turns_put_off_ = 0;
        state_.published.publish(now.steady);
    }
    state_.streams.settle(state_.published.settled());
    const std::vector<session_id> waiting(waiting_.begin(), waiting_.end());
    for (const session_id id : waiting)
        announce(id, sessions_.find(id)->second);
    if (state_.sources.criteria() != 0 && state_.next_sample() <= now.steady)
        unfinished_ |= state_.sample(now);
    datagrams_.turn(now);
    send_notifications(now);
    unfinished_ |= has_notifications();
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
    if (unfinished_ || state_.published.has_news())
        return turned_;
    std::optional<steady_time> due = datagrams_.deadline();
    const auto at_the_latest = [&](steady_time when) { due = due ? std::min(*due, when) : when; };
    if (state_.sources.criteria() != 0)
        at_the_latest(state_.next_sample());
    if (const auto timer = state_.timers.next())
        at_the_latest(*timer);
    if (const auto published = state_.published.due())
        at_the_latest(*published);
    if (const auto login = next_end_of_remote_login())
        at_the_latest(*login);
    return due;
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
        state_.remove(from, *one, now);
}

void access_point::implementation::apply(settings with,
                                         const std::function<bool(std::string_view)>& is_permitted,
                                         time_stamp now) {
    const bool is_other_service = with.service != state_.with.service;
    state_.apply(std::move(with));
    if (is_other_service)
        for (const auto& [name, source] : state_.sources.sources())
            purge(*source, "the service is another one now", now);
    else if (state_.with.service == dtcp::service_kind::dynamic_flow_capture)
        recheck_captures(state_, now);
    for (const auto& [name, source] : state_.sources.sources()) {
        if (!source->with.udp)
            datagrams_.forget(*source);
        // Dynamic flow capture has no sessions.
        if (state_.with.service == dtcp::service_kind::dynamic_flow_capture)
            end_sessions(*source, "the service was changed");
        if (!is_permitted(name))
            revoke(*source, "the control source may not tap any more",
                   "the session was ended by a change of the configuration", now);
    }
}

void access_point::implementation::revoke(control_source& from, std::string_view reason,
                                          const std::string& diagnostic, time_stamp now) {
    purge(from, reason, now);
    datagrams_.forget(from);
    end_sessions(from, diagnostic);
    remote_logins_.forget(from);
}

void access_point::implementation::withdraw(std::string_view source, time_stamp now) {
    const auto found = state_.sources.sources().find(source);
    if (found != state_.sources.sources().end())
        revoke(*found->second, "the control source may not tap any more",
               "the session was ended: the login may not tap any more", now);
}

std::optional<steady_time> access_point::implementation::next_end_of_remote_login() const {
    const auto oldest = remote_logins_.oldest();
    if (!oldest || !state_.with.remote_login_lifetime)
        return std::nullopt;
    return *oldest + *state_.with.remote_login_lifetime;
}

void access_point::implementation::end_remote_logins(time_stamp now) {
    if (!state_.with.remote_login_lifetime)
        return;
    while (control_source* const ended =
               remote_logins_.take(now.steady - *state_.with.remote_login_lifetime)) {
        if (!state_.with.local_logins.contains(ended->name()))
            revoke(*ended, "its last login is too long ago",
                   "the session was ended: log in again to go on", now);
    }
}

void access_point::implementation::end_sessions(const control_source& of,
                                                const std::string& diagnostic) {
    for (auto& [id, session] : sessions_) {
        if (&session.source() != &of)
            continue;
        session.close_now(diagnostic);
        announce(id, session);
    }
}

void access_point::implementation::restart(time_stamp now) {
    write_audit(state_.audit, "", "", {audit_event::stop}, now.wall);
    for (const auto& [name, source] : state_.sources.sources()) {
        purge(*source, "the service restarts", now);
        datagrams_.forget(*source);
        end_sessions(*source, "the service restarts");
        source->wants_notifications = false;
    }
    tell_restart("the service was restarted");
    write_audit(state_.audit, "", "", {audit_event::start}, now.wall);
}

bool access_point::implementation::reset_sequence(std::string_view source, time_stamp now) {
    const auto found = state_.sources.sources().find(source);
    if (found == state_.sources.sources().end() ||
        !found->second->sequence.reset(source, state_.sequences))
        return false;
    // One of them would set the number again, and not the client that begins anew.
    datagrams_.forget_requests(*found->second);
    audit_note note{audit_event::sequence};
    note.detail = "the sequence number was reset";
    write_audit(state_.audit, source, "", std::move(note), now.wall);
    return true;
}

bool access_point::implementation::save_sequences() {
    bool saved = true;
    for (const auto& [name, source] : state_.sources.sources())
        saved &= source->sequence.save(name, state_.sequences);
    return saved;
}

status access_point::implementation::state() const {
    status now = state_.counts;
    now.sessions = sessions_.size();
    now.criteria = state_.sources.criteria();
    now.control_sources = state_.sources.sources().size();
    now.content_destinations = state_.streams.size() - state_.streams.size(control_source_id{});
    const path::slot_counters mirrored = state_.mirrors.totals();
    now.mirrors = state_.mirrors.size();
    now.mirrored_packets = mirrored.packets;
    now.mirrored_octets = mirrored.octets;
    return now;
}

} // namespace flowtap::tap
