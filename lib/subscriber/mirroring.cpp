// SPDX-License-Identifier: Apache-2.0
#include <flowtap/subscriber/mirroring.hpp>

#include <utility>

#include "implementation.hpp"

namespace flowtap::subscriber {

mirroring::mirroring(mirroring_settings with, event_listener& events)
    : implementation_(std::make_unique<implementation>(std::move(with), events)) {}

mirroring::~mirroring() = default;

void mirroring::attach(tap::mirror_port& port) {
    implementation_->port = &port;
}

void mirroring::apply(mirroring_settings with, time_stamp now) {
    implementation_->apply(std::move(with), now);
}

result<void> mirroring::put_session(session_record what, time_stamp now) {
    return implementation_->put_session(std::move(what), now);
}

void mirroring::end_session(const session_identity& which, time_stamp now) {
    if (const auto known = implementation_->sessions.find(which))
        implementation_->end_session(*known, now);
}

std::size_t mirroring::end_sessions(std::string_view element, time_stamp now) {
    const std::vector<session_ref> all = implementation_->sessions.find_element(element);
    for (const session_ref one : all)
        implementation_->end_session(one, now);
    return all.size();
}

std::size_t mirroring::end_all_sessions(time_stamp now) {
    const directory& all = implementation_->sessions;
    const std::size_t count = all.size();
    for (std::uint32_t i = 0; i < all.bound(); ++i)
        // A place that nobody has holds nothing.
        if (!all.at(session_ref{i}).identity.accounting_session.empty())
            implementation_->end_session(session_ref{i}, now);
    return count;
}

result<void> mirroring::authorize(session_ref which, li_action action, const radius_request& asked,
                                  time_stamp now) {
    return implementation_->authorize(which, action, asked, now);
}

result<void> mirroring::authorize_login(const session_identity& which, li_action action,
                                        const radius_request& asked, time_stamp now) {
    return implementation_->authorize_login(which, action, asked, now);
}

result<void> mirroring::check(const tap::subscriber_request& asked) const {
    return implementation_->check(asked);
}

void mirroring::add(const tap::subscriber_request& asked, time_stamp now) {
    implementation_->add(asked, now);
}

void mirroring::remove(tap::trigger_number which, time_stamp now) {
    implementation_->remove(which, now);
}

bool mirroring::knows_drop_policy(std::string_view name) const {
    return implementation_->with.drop_policies.contains(name);
}

void mirroring::drop(tap::trigger_number which, std::optional<std::string> policy, time_stamp now) {
    implementation_->drop(which, std::move(policy), now);
}

void mirroring::set_member(std::string_view name, bool usable, time_stamp now) {
    pool& members = implementation_->members;
    implementation_->move(usable ? members.recover(name) : members.fail(name), now);
}

const directory& mirroring::sessions() const noexcept {
    return implementation_->sessions;
}

std::optional<std::size_t> mirroring::member_of(session_ref session) const {
    return implementation_->members.member_of(session);
}

mirroring_status mirroring::state() const {
    return implementation_->state();
}

} // namespace flowtap::subscriber
