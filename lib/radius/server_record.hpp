// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <flowtap/core/clock.hpp>
#include <flowtap/radius/client_state.hpp>
#include <flowtap/radius/cryptography.hpp>
#include <flowtap/radius/login.hpp>

namespace flowtap::radius {

/// One server and what is known about it.
struct server_record {
    server_record(server with, const cryptography& functions);

    void count(ignored_answer why) noexcept { ++status.ignored[static_cast<std::size_t>(why)]; }
    /// The time that a login spends here at most.
    std::chrono::milliseconds patience() const noexcept { return timeout * tries; }
    bool is_left_out(steady_time now) const noexcept { return status.is_dead && now < dead_until; }

    endpoint address;
    /// What it is called in lines for the log.
    std::string name;
    shared_secret key;
    std::chrono::milliseconds timeout;
    unsigned tries;
    std::optional<ip_address> source_address;

    server_status status;
    steady_time dead_until{};
    std::optional<steady_time> last_answer;
    std::error_code last_error;
    /// Those that are open.
    std::vector<socket_id> sockets;
};

/// What became of a login at a server that gave no answer since `before` was its status, for the
/// log: `192.0.2.10:1812 gave no answer to 3 requests in 9 s (ignored: 2 with a wrong
/// authenticator; the network says: Connection refused)`.
std::string describe_silence(const server_record& server, const server_status& before,
                             unsigned requests, std::chrono::nanoseconds waited);

} // namespace flowtap::radius
