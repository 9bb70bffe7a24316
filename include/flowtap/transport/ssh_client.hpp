// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/result.hpp>
#include <flowtap/transport/api.hpp>

namespace flowtap::transport {

/// How a client finds, trusts and logs in to a server.
struct ssh_client_options {
    std::string host;
    std::uint16_t port = 32001;
    std::string user;
    /// For each step until the channel is open.
    std::chrono::milliseconds timeout{30'000};

    /// When not empty, the only host key that is accepted: `SHA256:...`. known_hosts is not asked.
    std::string host_key_fingerprint;
    /// Empty: the user's own, and the system's.
    std::filesystem::path known_hosts;
    /// Asked about a host key that is not known, with its fingerprint; yes stores it as known.
    /// Without it an unknown key is refused. A key that has changed is always refused.
    std::function<bool(std::string_view fingerprint)> accept_unknown_host;

    /// Private keys to log in with, tried before the password. None: the agent's keys and the
    /// user's usual ones.
    std::vector<std::filesystem::path> identities;
    /// Asked when no key has logged in; none ends the attempt.
    std::function<std::optional<std::string>()> password;
};

/// A subsystem of an SSH server, from the client's side. Blocking; for tools and tests. Reads no
/// configuration file of OpenSSH. One thread uses it.
class FLOWTAP_TRANSPORT_API ssh_client {
public:
    /// Connects, verifies the host key, logs in and starts the subsystem.
    /// Errors: every one of the `errc` from `connection_failed` on; the subject says more.
    static result<ssh_client> connect(const ssh_client_options& options,
                                      std::string_view subsystem);
    ~ssh_client();
    ssh_client(ssh_client&& other) noexcept;
    ssh_client& operator=(ssh_client&& other) noexcept;

    /// What came of one step.
    struct progress {
        /// Octets of `octets` that were sent.
        std::size_t sent = 0;
        /// Octets that were received into `room`.
        std::size_t received = 0;
        /// The server sends no more.
        bool ended = false;
    };

    /// Sends what it can of `octets` and receives what there is, and waits until at least one of
    /// both was possible, or the server ended. Sending and receiving in one step is what lets a
    /// client send many requests without either side waiting for the other.
    /// Errors: `errc::timed_out`, `errc::connection_lost`.
    result<progress> exchange(std::string_view octets, std::span<char> room,
                              std::chrono::milliseconds timeout);

    /// Becomes readable when the server sends something. What has been taken from it already is
    /// not announced again: `exchange` before waiting.
    int descriptor() const noexcept;

    /// Tells the server that no more comes.
    void end_input();

    /// What the server has written to the error stream so far.
    const std::string& diagnostic() const noexcept;
    /// The exit status, once the server has sent one.
    std::optional<int> exit_status() const;

private:
    struct implementation;
    explicit ssh_client(std::unique_ptr<implementation> with);
    std::unique_ptr<implementation> implementation_;
};

} // namespace flowtap::transport
