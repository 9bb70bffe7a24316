// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <flowtap/core/ids.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/dtcp/authentication.hpp>
#include <flowtap/dtcp/reader.hpp>
#include <flowtap/dtcp/version.hpp>
#include <flowtap/transport/api.hpp>

namespace flowtap::transport {

/// A request as its user wrote it.
struct outgoing_request {
    /// `ADD`
    std::string method;
    dtcp::version spoken = dtcp::version_0_7;
    /// Names and values, in order. Csource-ID and Seq are added where they are missing.
    std::vector<std::pair<std::string, std::string>> fields;
    /// When not empty, these octets are sent as they are, and nothing of the above.
    std::string verbatim = {};
};

/// Gives the next sequence number, once for each request that is sent. An error of it keeps the
/// request from being sent.
using sequence_numbers = std::function<result<sequence_number>()>;

/// Sequence numbers from `first` on, kept nowhere.
FLOWTAP_TRANSPORT_API sequence_numbers count_from(sequence_number first);

/// Makes hashes that sign requests and verify answers, all of the same key.
using hash_maker = std::function<std::unique_ptr<dtcp::keyed_hash>()>;

/// Where messages come from that nobody has asked for.
class FLOWTAP_TRANSPORT_API message_source {
public:
    virtual ~message_source();

    /// Hands what has come to `to`, without waiting for more; in a flood some of it is left for the
    /// next call.
    /// Errors: that nothing more can come, or that what came cannot be read.
    virtual result<void> receive(dtcp::response_handler& to) = 0;

    /// Becomes readable when something comes. Call `receive` before waiting for it: what has been
    /// taken from the network already is not announced again.
    virtual int descriptor() const noexcept = 0;
};

/// A mediation device's way to an access point, over SSH or UDP. Blocking; one thread uses it.
class FLOWTAP_TRANSPORT_API dtcp_link : public message_source {
public:
    /// Sends `requests` without waiting for one before the next, and hands what comes back to
    /// `answers` until each has its response. Responses come in the order of the requests.
    /// `timeout` is how long the access point may be silent.
    /// Errors: `errc::timed_out`, and those of the way it goes.
    virtual result<void> exchange(std::span<const outgoing_request> requests,
                                  dtcp::response_handler& answers,
                                  std::chrono::milliseconds timeout) = 0;
};

} // namespace flowtap::transport
