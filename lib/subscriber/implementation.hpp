// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <vector>

#include <flowtap/subscriber/mirroring.hpp>

#include "announcements.hpp"
#include "intercept.hpp"
#include "trigger_index.hpp"

namespace flowtap::subscriber {

/// The members are those of `mirroring`.
struct mirroring::implementation {
    implementation(mirroring_settings settings, event_listener& listener);

    void apply(mirroring_settings settings, time_stamp now);
    result<void> put_session(session_record what, time_stamp now);
    void end_session(session_ref which, time_stamp now);
    result<void> authorize(session_ref which, li_action action, const radius_request& asked,
                           time_stamp now);
    result<void> authorize_login(const session_identity& which, li_action action,
                                 const radius_request& asked, time_stamp now);
    result<void> check(const tap::subscriber_request& asked) const;
    void add(const tap::subscriber_request& asked, time_stamp now);
    void remove(tap::trigger_number which, time_stamp now);
    void drop(tap::trigger_number which, std::optional<std::string> policy, time_stamp now);
    void move(const std::vector<pool_move>& moves, time_stamp now);
    mirroring_status state() const;

    mirroring_settings with;
    event_listener* events;
    tap::mirror_port* port = nullptr;
    directory sessions;
    pool members;

private:
    /// What a session has of an intercept.
    struct binding {
        intercept* by = nullptr;
        /// None while it cannot be mirrored.
        tap::mirror_number mirror;
        /// What the mirror is, and what was told of it last.
        tap::mirror current;
        std::error_code failure;
    };

    binding& binding_of(session_ref which) { return bindings_[which.value()]; }
    bool has_room() const noexcept { return bound_.size() < with.mirrored; }
    std::vector<session_ref> meant_by(const whole_trigger& what) const;

    /// The intercept that a session is to have when it has none.
    intercept* next_for(session_ref which);
    /// Gives a session without an intercept the next one, if there is one and room. `begun`: what
    /// to tell when it cannot be mirrored.
    void bind_next(session_ref which, event_kind failed, time_stamp now);
    /// Takes the session's intercept away, and nothing else.
    void unbind(session_ref which);
    /// Takes it away and gives it, and somebody who waits for room, the next one.
    void rebind(session_ref which, time_stamp now);
    void serve_waiting(time_stamp now);
    /// Makes the mirror what it is to be. Errors are told, too.
    void refresh(session_ref which, event_kind failed, time_stamp now);
    std::error_code mirror_now(session_ref which);
    void stop_mirror(binding& at);
    void put_radius(session_ref which, const radius_request& asked);
    result<void> check_radius(session_ref which, const radius_request& asked) const;
    void erase_radius(session_ref which, time_stamp now);
    void tell(event_kind kind, session_ref which, const intercept& by, time_stamp now,
              std::error_code reason = {});
    void tell_login_failed(const session_record& session, time_stamp now);

    std::vector<binding> bindings_; ///< by session
    std::map<tap::trigger_number, std::unique_ptr<intercept>> triggered_;
    trigger_index triggers_;
    std::unordered_map<std::uint32_t, std::unique_ptr<intercept>> by_radius_; ///< by session
    announcements announced_;
    /// Sessions that have an intercept.
    std::set<session_ref> bound_;
    /// Sessions that an intercept applies to and that there was no room for.
    std::set<session_ref> waiting_;
    std::uint64_t logins_ = 0;
    std::uint64_t logouts_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t failures_ = 0;
};

} // namespace flowtap::subscriber
