// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <flowtap/core/clock.hpp>
#include <flowtap/dtcp/authentication.hpp>
#include <flowtap/dtcp/request.hpp>
#include <flowtap/dtcp/response.hpp>
#include <flowtap/dtcp/writer.hpp>

#include "control_source.hpp"
#include "criterion.hpp"

namespace flowtap::tap {

/// A criterion as it stood when a LIST was asked for.
struct listed_criterion {
    std::shared_ptr<const criterion_terms> terms;
    std::shared_ptr<const countdowns> timers;
    criterion_reading reading;
};

/// A LIST answer on its way: a snapshot of which each entry takes some 64 octets, turned into text
/// only as the channel takes it. It is produced either as one response in pieces, or as datagrams.
class listing {
public:
    /// Octets that one call of `produce` makes, if there are so many: a piece ends with an entry.
    static constexpr std::size_t piece = 16UL * 1024;
    /// The longest datagram, if it has more than one entry.
    static constexpr std::size_t longest_datagram = 1400;

    listing(control_source& of, dtcp::response head, dtcp::list_detail detail,
            std::vector<listed_criterion> snapshot, std::unique_ptr<dtcp::keyed_hash> hash,
            steady_time taken);
    ~listing();
    listing(const listing&) = delete;
    listing& operator=(const listing&) = delete;

    /// Appends the next piece to `out`. Returns false when that was the last one.
    bool produce(std::string& out);

    /// Makes `out` the next datagram: a whole response with as many whole entries as go into
    /// `longest_datagram`, but at least one if there is any left. Returns false when it was the
    /// last one.
    bool produce_datagram(std::string& out);

    /// Entries of the snapshot.
    std::size_t size() const noexcept { return snapshot_.size(); }

private:
    /// The text of the next entry, which stays the next one until `next_` is moved on.
    const std::string& next_text();
    void drop_next();

    control_source* of_;
    dtcp::response head_;
    dtcp::list_detail detail_;
    std::vector<listed_criterion> snapshot_;
    std::unique_ptr<dtcp::keyed_hash> hash_;
    dtcp::list_writer writer_;
    steady_time taken_;
    std::size_t next_ = 0;
    /// Of the next entry; empty until it is needed.
    std::string text_;
    bool begun_ = false;
};

} // namespace flowtap::tap
