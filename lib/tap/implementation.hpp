// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/tap/access_point.hpp>

#include "control.hpp"
#include "datagrams.hpp"
#include "intake.hpp"
#include "remote_logins.hpp"
#include "session.hpp"

namespace flowtap::tap {

/// The sessions of an access point around its `control`; the members are those of `access_point`.
struct access_point::implementation {
    implementation(settings with, surroundings around);

    result<session_id> open(const permission::principal& who, std::string peer, time_stamp now);
    std::size_t feed(session_id id, byte_view octets, time_stamp now);
    std::size_t read(session_id id, std::span<char> room, time_stamp now);
    void finish(session_id id);
    void close(session_id id, time_stamp now);
    void feed_datagram(const endpoint& from, const endpoint& at, byte_view octets, time_stamp now);
    void hold_datagrams(bool held);
    void turn(time_stamp now);
    std::optional<effect> next_effect();
    std::optional<steady_time> deadline() const;
    void apply(settings with, const std::function<bool(std::string_view)>& is_permitted,
               time_stamp now);
    void withdraw(std::string_view source, time_stamp now);
    void announce_start(std::string_view reason, time_stamp now);
    void restart(time_stamp now);
    bool reset_sequence(std::string_view source, time_stamp now);
    bool save_sequences();
    status state() const;
    mirror_port& mirrors() noexcept { return state_.mirrors; }
    std::vector<kernel_filter_status> kernel_filter_states() const {
        return state_.published.kernel_state();
    }

private:
    /// Handles one whole message of a session.
    void take(session& from, std::string_view message, time_stamp now);
    /// Counts and records a message that gets no answer.
    void refuse(const session& from, const refusal& reason, time_stamp now);

    /// Says what there is to say of a session: that it has output, or is to be closed.
    void announce(session_id id, session& of);
    /// Deletes all criteria of a control source, for a reason that is not its own.
    void purge(control_source& from, std::string_view reason, time_stamp now);
    /// Both, and no more of its datagrams.
    void revoke(control_source& from, std::string_view reason, const std::string& diagnostic,
                time_stamp now);
    /// Revokes remote logins whose lifetime is over.
    void end_remote_logins(time_stamp now);
    /// When the next one is due.
    std::optional<steady_time> next_end_of_remote_login() const;
    /// Closes the sessions of a control source, for a reason that is not its own.
    void end_sessions(const control_source& of, const std::string& diagnostic);

    /// Whether there are notifications that can go out now.
    bool has_notifications() const noexcept;
    /// Sends some of them.
    void send_notifications(time_stamp now);
    void send_to_targets(const control_source& source, const dtcp::notification& what);
    void send_to_sessions(const control_source& source, dtcp::notification what);
    /// 599 for everybody.
    void tell_restart(std::string_view reason);

    control state_;
    /// The message that is taken, in memory that all of them use.
    dtcp::envelope message_;
    std::map<session_id, session> sessions_;
    /// Those whose first answer waits for the data path.
    std::set<session_id> waiting_;
    remote_logins remote_logins_;
    session_id last_session_;
    /// The last turn, and whether it left something to do that is due.
    steady_time turned_;
    bool unfinished_ = false;
    /// Turns since the last one that published.
    int turns_put_off_ = 0;
    std::deque<effect> effects_;
    datagrams datagrams_;
};

} // namespace flowtap::tap
