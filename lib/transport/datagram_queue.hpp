// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstddef>
#include <deque>
#include <string>
#include <utility>

#include <flowtap/core/address.hpp>

namespace flowtap::transport {

/// A datagram that waits to be sent.
struct waiting_datagram {
    /// Unspecified: any will do.
    ip_address source;
    endpoint to;
    std::string octets;
};

/// How much of a queue that several sockets share is in use.
class queue_budget {
public:
    explicit queue_budget(std::size_t limit) noexcept : limit_(limit) {}

    bool has_room(const waiting_datagram& one) const noexcept {
        return cost(one) <= limit_ - used_;
    }
    void take(const waiting_datagram& one) noexcept { used_ += cost(one); }
    void give_back(const waiting_datagram& one) noexcept { used_ -= cost(one); }
    /// More than half of it is in use.
    bool is_full() const noexcept { return used_ > limit_ / 2; }

private:
    /// Many small datagrams cost memory, too.
    static constexpr std::size_t overhead = 128;
    static std::size_t cost(const waiting_datagram& one) noexcept {
        return one.octets.size() + overhead;
    }

    std::size_t limit_;
    std::size_t used_ = 0;
};

/// What became of an attempt to send.
enum class send_outcome {
    sent,
    full,       ///< no room now; the socket tells when there is
    exhausted,  ///< no memory or a full device now; nobody tells when there is
    impossible, ///< will not get better
};

inline send_outcome outcome_of(int system_error) noexcept {
    switch (system_error) {
    case 0:
        return send_outcome::sent;
    case EAGAIN:
        return send_outcome::full;
    case ENOBUFS:
    case ENOMEM:
        return send_outcome::exhausted;
    default:
        return send_outcome::impossible;
    }
}

/// The datagrams that wait for room on one socket, in order.
class datagram_queue {
public:
    explicit datagram_queue(queue_budget& budget) noexcept : budget_(&budget) {}

    bool empty() const noexcept { return waiting_.empty(); }

    /// False if the budget has no room for it.
    bool push(waiting_datagram one) {
        if (!budget_->has_room(one))
            return false;
        budget_->take(one);
        waiting_.push_back(std::move(one));
        return true;
    }

    /// What became of what waited.
    struct progress {
        std::size_t sent = 0;
        std::size_t lost = 0;
        /// `sent` when nothing waits any more.
        send_outcome last = send_outcome::sent;
    };
    /// Sends with `send(const waiting_datagram&)` until there is nothing left, there is no room, or
    /// `most` were sent.
    template <class Send>
    progress flush(std::size_t most, Send send) {
        progress done;
        while (!waiting_.empty() && done.sent + done.lost < most) {
            done.last = send(waiting_.front());
            if (done.last == send_outcome::full || done.last == send_outcome::exhausted)
                return done;
            ++(done.last == send_outcome::sent ? done.sent : done.lost);
            pop();
        }
        done.last = waiting_.empty() ? send_outcome::sent : send_outcome::full;
        return done;
    }

private:
    void pop() {
        budget_->give_back(waiting_.front());
        waiting_.pop_front();
    }

    queue_budget* budget_;
    std::deque<waiting_datagram> waiting_;
};

} // namespace flowtap::transport
