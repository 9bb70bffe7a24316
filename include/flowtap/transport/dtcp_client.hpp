// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <flowtap/transport/api.hpp>
#include <flowtap/transport/dtcp_link.hpp>
#include <flowtap/transport/ssh_client.hpp>

namespace flowtap::transport {

/// A mediation device's side of DTCP over SSH.
class FLOWTAP_TRANSPORT_API dtcp_client final : public dtcp_link {
public:
    /// Connects to subsystem `flow-tap-dtcp`. The login is the Csource-ID of requests.
    /// Errors: as `ssh_client::connect`.
    static result<dtcp_client> connect(const ssh_client_options& options,
                                       const hash_maker& make_hash, sequence_numbers numbers);
    ~dtcp_client() override;
    dtcp_client(dtcp_client&& other) noexcept;
    dtcp_client& operator=(dtcp_client&& other) noexcept;

    /// A response to a request of an earlier call, which has timed out, is passed over.
    /// Errors: those of `ssh_client::exchange`; `errc::channel_closed` when the server ended the
    /// channel before, with its diagnostic; those of `dtcp::response_reader`, and of the sequence
    /// numbers.
    result<void> exchange(std::span<const outgoing_request> requests,
                          dtcp::response_handler& answers,
                          std::chrono::milliseconds timeout) override;

    /// Errors: as `exchange`, but that nothing has come is none.
    result<void> receive(dtcp::response_handler& to) override;
    int descriptor() const noexcept override;

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
