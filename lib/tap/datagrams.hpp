// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>

#include <flowtap/core/address.hpp>
#include <flowtap/core/bytes.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/dtcp/framer.hpp>
#include <flowtap/tap/access_point.hpp>

#include "answer.hpp"
#include "backlog.hpp"
#include "control.hpp"
#include "intake.hpp"
#include "refusal_log.hpp"

namespace flowtap::tap {

/// Requests that come as datagrams, one in each, and the answers to them. Unlike in a session, an
/// answer waits for what it promises and for no other answer.
class datagrams {
public:
    /// Answers of one control source that may wait: for the data path, or to be sent to their end.
    static constexpr std::size_t replies_per_source = 256;
    /// Answers that may wait in all. A control source without one may have one beyond it, so that
    /// none is shut out by others.
    static constexpr std::size_t replies_in_all = 16'384;
    /// Datagrams of LIST answers that are made in one turn.
    static constexpr std::size_t list_datagrams_per_turn = 32;

    /// What is to be sent is added to `out`. Both must outlive this.
    datagrams(control& state, std::deque<effect>& out);

    void feed(const endpoint& from, const endpoint& at, byte_view octets, time_stamp now);

    /// Makes LIST answers wait, or go on.
    void hold(bool held) noexcept { held_ = held; }
    bool is_held() const noexcept { return held_; }

    /// Sends the answers that have waited for long enough, and the next part of those to LIST.
    void turn(time_stamp now);
    /// When `turn` has something to do; the time of the last one stands for "now".
    std::optional<steady_time> deadline() const;

    /// Drops the requests and the answers of a control source that wait.
    void forget(const control_source& whose);
    /// Drops the requests of a control source that wait.
    void forget_requests(const control_source& whose);

private:
    /// Where an answer goes, and its place among those that its control source may have waiting.
    struct reply {
        reply(control_source& of, const endpoint& asked_from, const endpoint& asked_at,
              answer with);
        ~reply() { --source->replies_waiting; }
        reply(const reply&) = delete;
        reply& operator=(const reply&) = delete;

        control_source* source;
        endpoint from;
        endpoint at;
        answer given;
    };
    using replies = std::list<reply>;

    /// The one message of a datagram.
    result<std::string_view> message_of(byte_view octets);
    void take(const endpoint& from, const endpoint& at, std::string_view message, time_stamp now);
    /// Does what an authentic request asks for, and answers it.
    void serve_now(const requester& who, const endpoint& at, const endpoint& from,
                   const dtcp::envelope& message, time_stamp now);
    void serve_backlog(time_stamp now);
    /// Null if there is none of that name for this datagram.
    control_source* find_source(const dtcp::envelope& message, const endpoint& from,
                                const endpoint& at) const;
    bool has_room(const control_source& of) const noexcept;
    void refuse(const refusal& reason, std::string_view principal, const endpoint& from,
                time_stamp now);
    void drop(const error& reason, std::string_view principal, const endpoint& from,
              time_stamp now);

    /// Sends an answer, or its first part, now or when it is due.
    void put(control_source& source, const endpoint& from, const endpoint& at, answer given);
    void send(const control_source& source, const endpoint& from, const endpoint& at,
              const answer& given);
    void continue_lists();

    control* state_;
    std::deque<effect>* out_;
    /// Stands in for that of a control source that does not exist.
    std::unique_ptr<dtcp::keyed_hash> hash_of_nobody_;
    dtcp::framer framer_;
    refusal_log refusals_;
    backlog backlog_;
    replies waiting_;
    /// LIST answers by control source, which take turns.
    std::map<control_source_id, replies> lists_;
    control_source_id last_listed_;
    std::size_t list_count_ = 0;
    bool held_ = false;
    steady_time last_turn_;
};

} // namespace flowtap::tap
