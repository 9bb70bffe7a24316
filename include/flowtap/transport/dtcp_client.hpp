// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
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
};

/// A mediation device's side of DTCP over SSH. Blocking; one thread uses it.
class FLOWTAP_TRANSPORT_API dtcp_client {
public:
    /// Connects to subsystem `flow-tap-dtcp`. Requests are signed and answers verified with `hash`
    /// and another of the same key, `reading`.
    /// Errors: as `ssh_client::connect`.
    static result<dtcp_client> connect(const ssh_client_options& options,
                                       std::unique_ptr<dtcp::keyed_hash> hash,
                                       std::unique_ptr<dtcp::keyed_hash> reading,
                                       sequence_number first);

    /// Sends all of `requests` without waiting in between, and hands what comes back to `answers`
    /// until each has its response.
    /// Errors: those of `ssh_client::exchange`; `errc::channel_closed` when the server ended the
    /// channel before, with its diagnostic; those of `dtcp::response_reader`.
    result<void> exchange(std::span<const outgoing_request> requests,
                          dtcp::response_handler& answers, std::chrono::milliseconds timeout);

    /// Says goodbye. Returns the server's exit status, if it sends one in time.
    std::optional<int> finish(std::chrono::milliseconds timeout);

private:
    dtcp_client(ssh_client session, std::string user, std::unique_ptr<dtcp::keyed_hash> hash,
                std::unique_ptr<dtcp::keyed_hash> reading, sequence_number first);

    ssh_client session_;
    std::string user_;
    std::unique_ptr<dtcp::keyed_hash> hash_;
    std::unique_ptr<dtcp::keyed_hash> reading_;
    sequence_number next_;
};

} // namespace flowtap::transport
