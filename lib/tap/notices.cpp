// SPDX-License-Identifier: Apache-2.0
// Notifications on their way out (dtcp.md, section 8).
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include <flowtap/dtcp/writer.hpp>

#include "implementation.hpp"

namespace flowtap::tap {

namespace {

/// So many notifications go out in a turn at most, so that with eight targets each they take no
/// more than half of what a server of datagrams queues.
constexpr std::size_t sent_per_turn = 256;
/// So many wait while datagrams are held; those beyond go out and may be lost.
constexpr std::size_t most_held = 65'536;

dtcp::version version_for(const control_source& source) {
    if (source.with.notification_version)
        return *source.with.notification_version;
    return source.last_version.value_or(dtcp::version_0_7);
}

} // namespace

bool access_point::implementation::has_notifications() const noexcept {
    return state_.notifications.is_due(state_.published.settled()) &&
           (!datagrams_.is_held() || state_.notifications.size() > most_held);
}

void access_point::implementation::send_notifications(time_stamp now) {
    if (!has_notifications())
        return;
    for (told& next : state_.notifications.take(state_.published.settled(), sent_per_turn)) {
        control_source* const to = state_.sources.find(next.to);
        if (to == nullptr)
            continue;
        next.what.spoken = version_for(*to);
        next.what.timestamp = now.wall;
        send_to_targets(*to, next.what);
        if (next.what.status != dtcp::status_code::restart)
            send_to_sessions(*to, std::move(next.what));
    }
}

void access_point::implementation::send_to_targets(const control_source& source,
                                                   const dtcp::notification& what) {
    if (source.with.notification_targets.empty())
        return;
    std::string octets;
    dtcp::write_notification(octets, what, *source.hash);
    for (const endpoint& target : source.with.notification_targets) {
        effects_.emplace_back(send_datagram{{}, target, octets});
        ++state_.counts.notifications;
    }
}

void access_point::implementation::send_to_sessions(const control_source& source,
                                                    dtcp::notification what) {
    if (!source.with.notify && !source.wants_notifications)
        return;
    const auto shared = std::make_shared<const dtcp::notification>(std::move(what));
    for (auto& [id, session] : sessions_) {
        if (&session.source() != &source || session.closing())
            continue;
        if (session.tell(shared))
            ++state_.counts.notifications;
        else
            ++state_.counts.notifications_dropped;
        announce(id, session);
    }
}

void access_point::implementation::tell_restart(std::string_view reason) {
    for (const auto& [name, source] : state_.sources.sources()) {
        if (source->with.notification_targets.empty())
            continue;
        dtcp::notification what;
        what.status = dtcp::status_code::restart;
        what.alert = std::string(reason);
        state_.notifications.tell(source->id(), std::move(what));
    }
}

void access_point::implementation::announce_start(std::string_view reason, time_stamp now) {
    tell_restart(reason);
    send_notifications(now);
    unfinished_ |= has_notifications();
}

} // namespace flowtap::tap
