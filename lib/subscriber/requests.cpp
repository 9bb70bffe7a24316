// SPDX-License-Identifier: Apache-2.0
// What RADIUS and DTCP ask for.
#include <algorithm>
#include <utility>

#include <flowtap/tap/error.hpp>

#include "implementation.hpp"

namespace flowtap::subscriber {

// --- RADIUS -------------------------------------------------------------------------------------

result<void> mirroring::implementation::check_radius(session_ref which,
                                                     const radius_request& asked) const {
    intercept wanted = make_intercept(asked);
    if (auto checked = check_copies(wanted.copies, with); !checked)
        return checked;
    const session_record& session = sessions.at(which);
    if (!asked.id.session_id && !session_number(session.identity.accounting_session))
        return fail(errc::no_session_number);
    if (bindings_[which.value()].by == nullptr && !has_room())
        return fail(tap::errc::too_many_subscribers);
    return {};
}

void mirroring::implementation::put_radius(session_ref which, const radius_request& asked) {
    std::unique_ptr<intercept>& own = by_radius_[which.value()];
    if (!own)
        own = std::make_unique<intercept>();
    // The session may be its own already.
    std::set<session_ref> has = std::move(own->sessions);
    *own = make_intercept(asked);
    own->sessions = std::move(has);
}

result<void> mirroring::implementation::authorize(session_ref which, li_action action,
                                                  const radius_request& asked, time_stamp now) {
    if (action == li_action::off) {
        erase_radius(which, now);
        return {};
    }
    if (auto checked = check_radius(which, asked); !checked || action == li_action::no_op)
        return checked;
    put_radius(which, asked);
    binding& at = binding_of(which);
    intercept* const own = by_radius_[which.value()].get();
    if (at.by == own) {
        refresh(which, event_kind::activation_failed, now);
    } else if (at.by == nullptr) {
        waiting_.erase(which);
        bind_next(which, event_kind::activation_failed, now);
    } else {
        tell(event_kind::activation_failed, which, *own, now, errc::mirrored_by_another);
    }
    return {};
}

void mirroring::implementation::erase_radius(session_ref which, time_stamp now) {
    const auto own = by_radius_.find(which.value());
    if (own == by_radius_.end())
        return;
    // It must not be found when the next one is looked for.
    const std::unique_ptr<intercept> gone = std::move(own->second);
    by_radius_.erase(own);
    if (binding_of(which).by == gone.get())
        rebind(which, now);
    else if (waiting_.erase(which) != 0)
        bind_next(which, event_kind::mirroring_failed, now);
}

result<void> mirroring::implementation::authorize_login(const session_identity& which,
                                                        li_action action,
                                                        const radius_request& asked,
                                                        time_stamp now) {
    // It may have begun before its Access-Accept was told.
    if (const auto known = sessions.find(which))
        return authorize(*known, action, asked, now);
    if (action == li_action::off) {
        announced_.erase(which);
        return {};
    }
    if (auto checked = check_copies(make_intercept(asked).copies, with); !checked)
        return checked;
    if (!announced_.has_room(which, with.triggers, now.steady))
        return fail(tap::errc::too_many_subscribers);
    if (action == li_action::on)
        announced_.put(which, asked, now.steady + announced_for);
    return {};
}

// --- DTCP ---------------------------------------------------------------------------------------

std::vector<session_ref> mirroring::implementation::meant_by(const whole_trigger& what) const {
    std::vector<session_ref> found = sessions.find(what.by, what.value);
    std::erase_if(found, [&](session_ref one) { return !is_meant(sessions.at(one), what); });
    return found;
}

result<void> mirroring::implementation::check(const tap::subscriber_request& asked) const {
    if (asked.drop_policy && !with.drop_policies.contains(*asked.drop_policy))
        return fail(tap::errc::unknown_drop_policy);
    if (auto checked = check_copies(asked.copies, with); !checked)
        return checked;
    if (triggered_.size() >= with.triggers)
        return fail(tap::errc::too_many_subscribers);
    const auto meant = meant_by(make_intercept(asked, with).subscribers);
    const auto added =
        static_cast<std::size_t>(std::count_if(meant.begin(), meant.end(), [&](session_ref one) {
            return bindings_[one.value()].by == nullptr;
        }));
    if (added != 0 && bound_.size() + added > with.mirrored)
        return fail(tap::errc::too_many_subscribers);
    return {};
}

void mirroring::implementation::add(const tap::subscriber_request& asked, time_stamp now) {
    auto made = std::make_unique<intercept>(make_intercept(asked, with));
    intercept& own = *triggered_.emplace(asked.number, std::move(made)).first->second;
    triggers_.insert(own.number, own.subscribers);
    for (const session_ref one : meant_by(own.subscribers)) {
        if (binding_of(one).by == nullptr)
            bind_next(one, event_kind::activation_failed, now);
        else
            tell(event_kind::activation_failed, one, own, now, errc::mirrored_by_another);
    }
}

void mirroring::implementation::remove(tap::trigger_number which, time_stamp now) {
    const auto found = triggered_.find(which);
    if (found == triggered_.end())
        return;
    const std::unique_ptr<intercept> gone = std::move(found->second);
    triggered_.erase(found);
    triggers_.erase(which, gone->subscribers);
    const std::vector<session_ref> freed(gone->sessions.begin(), gone->sessions.end());
    for (const session_ref one : freed)
        rebind(one, now);
    // Some may have waited for this one alone.
    std::erase_if(waiting_, [&](session_ref one) { return next_for(one) == nullptr; });
}

void mirroring::implementation::drop(tap::trigger_number which, std::optional<std::string> policy,
                                     time_stamp now) {
    const auto found = triggered_.find(which);
    if (found == triggered_.end())
        return;
    found->second->drop_policy = std::move(policy);
    const std::vector<session_ref> its(found->second->sessions.begin(),
                                       found->second->sessions.end());
    for (const session_ref one : its)
        refresh(one, event_kind::mirroring_failed, now);
}

} // namespace flowtap::subscriber
