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

#include <flowtap/tap/access_point.hpp>

#include "control.hpp"
#include "requests.hpp"
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
    void turn(time_stamp now);
    std::optional<effect> next_effect();
    std::optional<steady_time> deadline() const;
    void apply(settings with, const std::function<bool(std::string_view)>& is_permitted,
               time_stamp now);
    void restart(time_stamp now);
    status state() const;

private:
    /// An answer, and how many criteria were gone through for it.
    struct handled {
        answer given;
        std::size_t work = 0;
    };

    /// Handles one whole message, however it came. No answer if it must not have one.
    std::optional<handled> take(const requester& from, std::string_view message, time_stamp now);
    /// The checks whose failure is never answered. False if one fails; it is counted and audited.
    bool is_to_be_answered(const requester& from, const dtcp::envelope& message, time_stamp now);
    bool drop(const requester& from, dtcp::status_code status, std::uint64_t& counter,
              const error& reason, time_stamp now);
    handled answer_to(const requester& from, const dtcp::envelope& message, time_stamp now);

    void publish(time_stamp now);
    /// Takes back the criteria that could not be published.
    void take_back_newcomers(const error& reason, time_stamp now);
    /// Says what there is to say of a session: that it has output, or is to be closed.
    void announce(session_id id, session& of);
    /// Deletes all criteria of a control source, for a reason that is not its own.
    void purge(control_source& from, std::string_view reason, time_stamp now);

    control state_;
    std::map<session_id, session> sessions_;
    /// Those whose first answer waits for the data path.
    std::set<session_id> waiting_;
    session_id last_session_;
    std::deque<effect> effects_;
};

} // namespace flowtap::tap
