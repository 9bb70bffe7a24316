// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <flowtap/core/address.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/dtcp/sequence.hpp>

namespace flowtap::tap {

/// An authentic request that came as a datagram and has to wait for its turn.
struct waiting_request {
    endpoint from;
    endpoint at;
    sequence_number seq;
    std::string message;
};

/// Requests of control sources that asked for so much in one turn that the others come first.
/// Those of one control source stay in their order.
class backlog {
public:
    /// How many criteria the requests of one control source may go through in a turn, as in a
    /// session.
    static constexpr std::size_t work_per_turn = 8192;
    /// Octets of requests of one control source that may wait.
    static constexpr std::size_t octets_per_source = 256UL * 1024;

    /// A request of `source` went through so many criteria.
    void charge(control_source_id source, std::size_t criteria);
    /// True if the next request of `source` must be put here.
    bool must_wait(control_source_id source) const;
    /// What the windows of `source`, which are `now`, will say of a number when all that waits has
    /// been served.
    dtcp::sequence_verdict check(control_source_id source, sequence_number seq,
                                 const dtcp::sequence_window& now) const;
    /// False if it is too much, and to be dropped.
    bool put(control_source_id source, waiting_request next, const dtcp::sequence_window& now);

    /// Forgets what was charged.
    void begin_turn();
    /// Takes out a request that may be served in this turn; none if there is none.
    std::optional<std::pair<control_source_id, waiting_request>> take();

    void forget(control_source_id source) { queues_.erase(source); }
    std::size_t size(control_source_id source) const;
    bool empty() const noexcept;

private:
    struct queue {
        std::size_t work = 0;
        std::size_t octets = 0;
        std::deque<waiting_request> requests;
        /// As they will be when all requests have been served.
        dtcp::sequence_window numbers;
    };
    std::map<control_source_id, queue> queues_;
};

} // namespace flowtap::tap
