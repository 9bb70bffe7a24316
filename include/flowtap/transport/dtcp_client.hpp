// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
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
#include <flowtap/transport/ssh_client.hpp>

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

/// A mediation device's side of DTCP over SSH. Blocking; one thread uses it.
class FLOWTAP_TRANSPORT_API dtcp_client {
public:
    /// Connects to subsystem `flow-tap-dtcp`. Requests are signed and answers verified with hashes
    /// that `make_hash` makes, two of the same key. Sequence numbers start from `first`.
    /// Errors: as `ssh_client::connect`.
    static result<dtcp_client>
    connect(const ssh_client_options& options,
            const std::function<std::unique_ptr<dtcp::keyed_hash>()>& make_hash,
            sequence_number first);
    ~dtcp_client();
    dtcp_client(dtcp_client&& other) noexcept;
    dtcp_client& operator=(dtcp_client&& other) noexcept;

    /// Sends all of `requests` without waiting in between, and hands what comes back to `answers`
    /// until each has its response.
    /// Errors: those of `ssh_client::exchange`; `errc::channel_closed` when the server ended the
    /// channel before, with its diagnostic; those of `dtcp::response_reader`.
    result<void> exchange(std::span<const outgoing_request> requests,
                          dtcp::response_handler& answers, std::chrono::milliseconds timeout);

    /// Says that no more comes, and hands what is still to come to `answers`, until the server ends
    /// the channel. Returns its exit status, if it sends one in time.
    std::optional<int> finish(dtcp::response_handler& answers, std::chrono::milliseconds timeout);

    /// What the server has written to the error stream so far.
    const std::string& diagnostic() const noexcept;

private:
    struct implementation;
    explicit dtcp_client(std::unique_ptr<implementation> with);
    std::unique_ptr<implementation> implementation_;
};

} // namespace flowtap::transport
