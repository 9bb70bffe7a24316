// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/dtcp/authentication.hpp>
#include <flowtap/path/data_path.hpp>
#include <flowtap/permission/principal.hpp>
#include <flowtap/tap/api.hpp>
#include <flowtap/tap/audit.hpp>
#include <flowtap/tap/kernel_filters.hpp>
#include <flowtap/tap/sequence_store.hpp>
#include <flowtap/tap/settings.hpp>
#include <flowtap/tap/subscribers.hpp>

namespace flowtap::tap {

/// One channel of one mediation device. Never reused.
using session_id = strong_id<struct session_id_tag, std::uint64_t>;

/// `session` has octets to send: `access_point::read` them.
struct output_ready {
    session_id session;
};
/// The channel is to be closed once its output is read; `diagnostic` is for its error stream, and
/// tells nothing that its peer may not know.
struct close_session {
    session_id session;
    std::string diagnostic;
};
/// A datagram to send: an answer, or a part of one, or a notification.
struct send_datagram {
    /// The address and port that were asked. Of a notification the unspecified address and port 0:
    /// any will do.
    endpoint from;
    endpoint to;
    std::string octets;
};

/// What the surroundings of an access point are asked to do.
using effect = std::variant<output_ready, close_session, send_datagram>;

/// What an access point needs from its surroundings. What is referred to must outlive it.
struct surroundings {
    path::data_path& path;
    audit_log& audit;
    /// Makes the HMAC for a control source's key.
    std::function<std::unique_ptr<dtcp::keyed_hash>(std::string_view key)> make_hash;
    /// Null: sequence numbers are forgotten with the access point.
    sequence_store* sequences = nullptr;
    /// Calls what it is given once, soon, on another thread, and has `turn` called after that. It
    /// gets the access point's long work, one piece at a time: merging new criteria into the many
    /// that are there, some tens of milliseconds for 100,000 of them. What it is given owns all
    /// that it uses: it may run at any time, also during or after the access point's end (without
    /// effect then), and may be dropped without being called (it is handed out again after the
    /// next change). `deadline` says "now" when it has run, so a loop that asks often needs no
    /// more. Called within `turn`; must not throw.
    /// Null: what must be merged is merged when it is published, and the rest within a turn when
    /// nothing has changed for ten seconds.
    std::function<void(std::function<void()>)> background = nullptr;
    /// Programs in front of the capture sockets, which keep away what no criterion needs. They are
    /// made in `background`, at most ten times a second, and widened in `turn` when a criterion is
    /// added. Null: there are none.
    kernel_filters* kernel = nullptr;
    /// What subscriber requests of DTCP are handed to. Null: they are not implemented (501).
    subscriber_service* subscribers = nullptr;
};

/// What an operator may see of the access point: no names, addresses or interfaces.
struct status {
    std::size_t sessions = 0;
    std::size_t criteria = 0;
    std::size_t control_sources = 0;
    std::size_t content_destinations = 0;
    /// Sessions of subscribers that are mirrored, and what was copied of all there ever were, each
    /// packet once for each direction and family it was matched by.
    std::size_t mirrors = 0;
    std::uint64_t mirrored_packets = 0;
    std::uint64_t mirrored_octets = 0;
    /// Requests without an answer: 497, 498, 499, and messages that were none.
    std::uint64_t bad_authentications = 0;
    std::uint64_t bad_sequences = 0;
    std::uint64_t unknown_sources = 0;
    std::uint64_t malformed = 0;
    std::uint64_t requests = 0;
    std::uint64_t errors_answered = 0;
    /// Datagrams that were fed, and those that were dropped before they were read: octets after the
    /// message, no whole message, too long, or too many requests that wait for their answer.
    std::uint64_t datagrams = 0;
    std::uint64_t datagrams_dropped = 0;
    /// Requests whose sequence number could not be stored.
    std::uint64_t sequences_not_stored = 0;
    /// Notifications that went out, by receiver, and those that a full channel did not take.
    std::uint64_t notifications = 0;
    std::uint64_t notifications_dropped = 0;
    /// Criteria that a timeout ended, and that congestion did.
    std::uint64_t expired = 0;
    std::uint64_t purged = 0;
};

/// The control side of flow-tap: control sources, their criteria, limits, statistics and answers.
/// It does no I/O and has no clock: octets and time go in, octets and effects come out, and what is
/// to be tapped is published to a data path. One thread uses it.
///
/// The order of every turn: any number of `open`, `feed`, `close`, `apply`, ... then one `turn`,
/// then the effects, until there are none.
class FLOWTAP_TAP_API access_point {
public:
    access_point(settings with, surroundings around);
    ~access_point();

    /// A channel was opened by an authenticated principal; `peer` is for the audit log.
    /// Errors: `errc::not_permitted` if it may not tap, `errc::audit_failed`.
    result<session_id> open(const permission::principal& who, std::string peer, time_stamp now);

    /// The channel received `octets`. Takes all of them, or fewer when the answers that wait to be
    /// read are too many: feed the rest after the next `read`. Returns how many it took.
    std::size_t feed(session_id session, byte_view octets, time_stamp now);

    /// Moves up to `room.size()` octets of the session's answers to `room`. Long answers are
    /// produced as they are read. Returns how many; 0 when there is nothing (more) for now.
    std::size_t read(session_id session, std::span<char> room, time_stamp now);

    /// The peer sends no more, and all it sent was fed: `close_session` follows when the session's
    /// answers have been read.
    void finish(session_id session);

    /// The channel has ended. Criteria stay.
    void close(session_id session, time_stamp now);

    /// A datagram came from `from` to the local `at`. Its answer, if it gets one, is a
    /// `send_datagram` with the addresses exchanged. One request a datagram.
    void feed_datagram(const endpoint& from, const endpoint& at, byte_view octets, time_stamp now);

    /// While the way out for datagrams is full, answers to LIST over UDP are not continued, and
    /// notifications wait.
    void hold_datagrams(bool held);

    /// Publishes what has changed, releases the answers that waited for that or for the workers to
    /// pass on (call it when the data path says so, too), and does what is due.
    void turn(time_stamp now);

    /// The next thing to do outside; none if there is none.
    std::optional<effect> next_effect();

    /// When `turn` must be called at the latest; none if nothing is due.
    std::optional<steady_time> deadline() const;

    /// Serves `with` from now on: criteria that it does not concern stay as they are. Criteria of
    /// control sources that `is_permitted` refuses go at once, and their sessions are closed. The
    /// audit log hears of these; of the change itself the caller tells it, who knows whose it is.
    void apply(settings with, const std::function<bool(std::string_view source)>& is_permitted,
               time_stamp now);

    /// A control source has been found not to be permitted any more: its criteria go at once, and
    /// its sessions are closed. Nothing happens if there is none of this name.
    void withdraw(std::string_view source, time_stamp now);

    /// Tells every configured target that all criteria are lost (599): at each start of the
    /// program. `reason` goes out as Alert-Info.
    void announce_start(std::string_view reason, time_stamp now);

    /// Deletes all criteria and closes all sessions, as a restart of the service does, and tells
    /// the targets (599).
    void restart(time_stamp now);

    /// Forgets the sequence number of a control source, so that its next authentic request sets
    /// it. False if there is no such control source, or what was stored cannot be forgotten.
    bool reset_sequence(std::string_view source, time_stamp now);

    /// Stores the exact sequence numbers: at a clean end. False if one could not be stored.
    bool save_sequences();

    /// What mirrors subscribers' sessions. What is done there is published by the next `turn`. It
    /// lives as long as the access point; `apply` and `restart` leave mirrors of RADIUS alone.
    mirror_port& mirrors() noexcept;

    status state() const;
    /// By port, in the order of `kernel_filters::ports`.
    std::vector<kernel_filter_status> kernel_filter_states() const;

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

} // namespace flowtap::tap
