// SPDX-License-Identifier: Apache-2.0
// Which session has which intercept.
#include "implementation.hpp"

#include <algorithm>
#include <utility>

#include <flowtap/tap/error.hpp>

namespace flowtap::subscriber {

namespace {

/// Valid as long as what it is made of.
event event_of(event_kind kind, const session_record& session, const intercept& by,
               std::error_code reason) {
    event made{kind, session, by.control_source, by.number, by.id, reason, {}, {}, {}};
    if (by.number != tap::trigger_number{}) {
        made.trait = by.subscribers.by;
        made.value = by.subscribers.value;
    }
    if (!by.copies.empty())
        made.destination = by.copies.front().destination.address;
    return made;
}

} // namespace

mirroring::implementation::implementation(mirroring_settings settings, event_listener& listener)
    : with(std::move(settings)), events(&listener), sessions(with.sessions) {
    static_cast<void>(members.assign(with.pool));
}

// --- sessions -----------------------------------------------------------------------------------

result<void> mirroring::implementation::put_session(session_record what, time_stamp now) {
    const bool is_new = !sessions.find(what.identity);
    const auto put = sessions.put(what);
    if (!put) {
        ++refused_;
        if (is_new)
            tell_login_failed(what, now);
        return fail(put.error());
    }
    if (bindings_.size() < sessions.bound())
        bindings_.resize(sessions.bound());
    binding& at = binding_of(*put);
    if (is_new) {
        ++logins_;
        if (const auto announced = announced_.take(what.identity, now.steady))
            put_radius(*put, *announced);
        if (const intercept* const first = next_for(*put)) {
            tell(event_kind::logged_in, *put, *first, now);
            bind_next(*put, event_kind::mirroring_failed, now);
        }
    } else if (at.by != nullptr && at.by->number != tap::trigger_number{} &&
               !is_meant(what, at.by->subscribers)) {
        rebind(*put, now);
    } else if (at.by != nullptr) {
        refresh(*put, event_kind::mirroring_failed, now);
    } else if (!waiting_.contains(*put) || has_room() || next_for(*put) == nullptr) {
        waiting_.erase(*put);
        bind_next(*put, event_kind::mirroring_failed, now);
    }
    return {};
}

void mirroring::implementation::end_session(session_ref which, time_stamp now) {
    ++logouts_;
    const intercept* const by = binding_of(which).by;
    if (by != nullptr)
        tell(event_kind::logged_out, which, *by, now);
    unbind(which);
    by_radius_.erase(which.value());
    waiting_.erase(which);
    sessions.erase(which);
    if (by != nullptr)
        serve_waiting(now);
}

// --- who has whom -------------------------------------------------------------------------------

intercept* mirroring::implementation::next_for(session_ref which) {
    if (const auto own = by_radius_.find(which.value()); own != by_radius_.end())
        return own->second.get();
    const auto first = triggers_.first_of(sessions.at(which));
    return first ? triggered_.find(*first)->second.get() : nullptr;
}

void mirroring::implementation::bind_next(session_ref which, event_kind failed, time_stamp now) {
    intercept* const next = next_for(which);
    if (next == nullptr)
        return;
    if (!has_room()) {
        ++failures_;
        waiting_.insert(which);
        return tell(failed, which, *next, now, tap::errc::too_many_subscribers);
    }
    binding_of(which).by = next;
    next->sessions.insert(which);
    bound_.insert(which);
    static_cast<void>(members.insert(which));
    refresh(which, failed, now);
}

void mirroring::implementation::unbind(session_ref which) {
    binding& at = binding_of(which);
    if (at.by == nullptr)
        return;
    stop_mirror(at);
    at.by->sessions.erase(which);
    at = {};
    bound_.erase(which);
    members.erase(which);
}

void mirroring::implementation::rebind(session_ref which, time_stamp now) {
    const binding& at = binding_of(which);
    if (at.by == nullptr)
        return;
    tell(event_kind::deactivated, which, *at.by, now);
    unbind(which);
    bind_next(which, event_kind::mirroring_failed, now);
    serve_waiting(now);
}

void mirroring::implementation::serve_waiting(time_stamp now) {
    while (!waiting_.empty() && has_room()) {
        const session_ref first = *waiting_.begin();
        waiting_.erase(waiting_.begin());
        bind_next(first, event_kind::mirroring_failed, now);
    }
}

// --- mirrors ------------------------------------------------------------------------------------

void mirroring::implementation::stop_mirror(binding& at) {
    if (at.mirror != tap::mirror_number{} && port != nullptr)
        port->remove_mirror(at.mirror);
    at.mirror = {};
}

std::error_code mirroring::implementation::mirror_now(session_ref which) {
    binding& at = binding_of(which);
    const auto member = members.member_of(which);
    if (!members.empty() && !member)
        return errc::no_egress;
    auto wanted =
        make_mirror(sessions.at(which), *at.by, with, member ? &members.at(*member) : nullptr);
    if (!wanted)
        return wanted.error().code;
    if (at.mirror == tap::mirror_number{}) {
        const auto added = port->add_mirror(*wanted);
        if (!added)
            return added.error().code;
        at.mirror = *added;
    } else if (at.current != *wanted) {
        if (const auto changed = port->change_mirror(at.mirror, *wanted); !changed) {
            at.mirror = {};
            return changed.error().code;
        }
    }
    at.current = std::move(*wanted);
    return {};
}

void mirroring::implementation::refresh(session_ref which, event_kind failed, time_stamp now) {
    if (port == nullptr)
        return;
    binding& at = binding_of(which);
    const bool was_mirrored = at.mirror != tap::mirror_number{};
    const std::error_code failure = mirror_now(which);
    const bool is_news = failure != at.failure;
    at.failure = failure;
    if (!failure) {
        if (!was_mirrored)
            tell(event_kind::activated, which, *at.by, now);
        return;
    }
    stop_mirror(at);
    if (is_news) {
        ++failures_;
        tell(failed, which, *at.by, now, failure);
    }
}

void mirroring::implementation::move(const std::vector<pool_move>& moves, time_stamp now) {
    for (const pool_move& one : moves)
        refresh(one.session, event_kind::mirroring_failed, now);
}

void mirroring::implementation::apply(mirroring_settings settings, time_stamp now) {
    with = std::move(settings);
    sessions.limit(with.sessions);
    static_cast<void>(members.assign(with.pool));
    const std::vector<session_ref> all(bound_.begin(), bound_.end());
    for (const session_ref one : all)
        refresh(one, event_kind::mirroring_failed, now);
    serve_waiting(now);
}

// --- events -------------------------------------------------------------------------------------

void mirroring::implementation::tell(event_kind kind, session_ref which, const intercept& by,
                                     time_stamp now, std::error_code reason) {
    events->on_event(event_of(kind, sessions.at(which), by, reason), now);
}

void mirroring::implementation::tell_login_failed(const session_record& session, time_stamp now) {
    if (const auto announced = announced_.take(session.identity, now.steady))
        return events->on_event(event_of(event_kind::login_failed, session,
                                         make_intercept(*announced), errc::too_many_sessions),
                                now);
    const auto first = triggers_.first_of(session);
    if (!first)
        return;
    const intercept& by = *triggered_.find(*first)->second;
    events->on_event(event_of(event_kind::login_failed, session, by, errc::too_many_sessions), now);
}

mirroring_status mirroring::implementation::state() const {
    mirroring_status now;
    now.sessions = sessions.size();
    now.mirrored = bound_.size();
    now.waiting = waiting_.size();
    for (const session_ref one : bound_)
        now.waiting += bindings_[one.value()].mirror == tap::mirror_number{};
    now.triggers = triggered_.size();
    for (std::size_t i = 0; i < members.size(); ++i)
        now.members.push_back(members.sessions(i));
    now.logins = logins_;
    now.logouts = logouts_;
    now.refused_sessions = refused_;
    now.failures = failures_;
    return now;
}

} // namespace flowtap::subscriber
