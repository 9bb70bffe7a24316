// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/opener.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/permission/principal.hpp>
#include <flowtap/transport/api.hpp>
#include <flowtap/transport/authenticator.hpp>
#include <flowtap/transport/channel_router.hpp>
#include <flowtap/transport/event_loop.hpp>

namespace flowtap::transport {

/// The port of Junos' flow-tap service.
inline constexpr std::uint16_t flow_tap_port = 32001;

/// How logins may be tried.
struct login_limits {
    /// From the start of a connection until somebody is logged in.
    std::chrono::milliseconds grace{30'000};
    /// Refused attempts until a connection is closed. A key that is only offered is no attempt.
    std::size_t tries = 6;
    /// A refusal goes out so long after the attempt arrived, whatever it took to decide; when that
    /// took longer, a multiple of it. Zero: at once.
    std::chrono::milliseconds refusal_delay{0};
    /// From the refusal of this number on, counted in a connection, each is held back longer: by
    /// `backoff_factor` the first one, and by as much more each that follows. Zero: none is.
    std::size_t backoff_threshold = 0;
    std::chrono::milliseconds backoff_factor{0};

    /// Connections of one source at a time that are not logged in. A source is an IPv4 address, or
    /// the /64 of an IPv6 one. Zero: any number.
    std::size_t source_connections = 0;
    /// Refused attempts of one source within `source_time`, beyond which its connections are closed
    /// at once until it has one left again. Zero: any number.
    std::size_t source_failures = 0;
    std::chrono::milliseconds source_time{600'000};
};

/// How a server listens, and what it allows. The defaults are those of Junos where it has any.
struct ssh_server_options {
    /// Where to listen; port 0 takes a free one. An IPv6 address never stands for IPv4 too.
    std::vector<endpoint> listen;
    /// The private key of the server. Made, with Ed25519 and mode 0600, when the file is missing.
    std::filesystem::path host_key;

    /// Connections at a time.
    std::size_t connection_limit = 75;
    /// Connections that are accepted within any minute.
    std::size_t rate_limit = 150;

    login_limits login;
    /// Threads for key exchange and authentication at most; they are started as they are needed.
    /// An authenticator that waits long for others takes as many as there are connections.
    std::size_t login_threads = 2;

    /// Without a single octet from the client for so long, the connection is closed. Zero: never.
    std::chrono::milliseconds idle_timeout{0};
    /// Channels at a time of one connection.
    std::size_t channel_limit = 8;
    /// Octets that wait to be sent on one channel.
    std::size_t output_limit = 128UL * 1024;
    /// What the server calls itself in SSH's first line.
    std::string banner = "flowtap";
    /// Opens the sockets that it listens at.
    opener* via = &direct_opener();
};

/// What a server has done since it was made.
struct ssh_server_counters {
    std::uint64_t accepted = 0;
    std::uint64_t refused_by_limit = 0;
    std::uint64_t refused_by_rate = 0;
    /// Of sources with too many connections or refused logins.
    std::uint64_t refused_by_source = 0;
    /// Connections that ended before anybody was logged in: noise, key exchange that failed or
    /// stopped, no time or no tries left.
    std::uint64_t failed_connections = 0;
    std::uint64_t logins = 0;
    std::uint64_t refused_logins = 0;
    std::uint64_t channels = 0;
    /// Requests of authenticated clients that are not served.
    std::uint64_t refused_requests = 0;
    /// Now.
    std::size_t connections = 0;
    std::size_t authenticated = 0;
};

/// An SSH server for programs that serve channels of their own: it has no shell, no commands, no
/// forwarding, and accepts nothing but what its router does.
///
/// Sessions are served on the loop. Key exchange and authentication run on a few threads of the
/// server's own, one step at a time, whenever a client has sent something: neither waits for a
/// client there, so a client that stops half-way holds nothing but its connection, and that only
/// until the grace time ends.
///
/// Everything is for the loop's thread. Memory per connection is bounded: `output_limit` per
/// channel, and up to SSH's receive window (1.25 MiB) of input that a handler does not take.
class FLOWTAP_TRANSPORT_API ssh_server {
public:
    /// Loads or makes the host key, and listens. `loop`, `users` and `router` must outlive the
    /// server.
    /// Errors: `errc::host_key_unreadable`, `host_key_exposed`, `host_key_not_made`,
    /// `ssh_setup_failed`, and the operating system's on an address that cannot be used; the
    /// subject is the file or the address.
    static result<std::unique_ptr<ssh_server>> listen(event_loop& loop, ssh_server_options options,
                                                      authenticator& users,
                                                      const channel_router& router);
    /// Stops, and waits for the login threads.
    ~ssh_server();
    ssh_server(const ssh_server&) = delete;
    ssh_server& operator=(const ssh_server&) = delete;

    /// Where it listens, with the ports that were taken.
    std::vector<endpoint> addresses() const;

    /// The fingerprint of the host key: `SHA256:...`, as OpenSSH shows it.
    std::string fingerprint() const;

    /// Changes the limits; connections that there are stay.
    void limit(std::size_t connections, std::size_t per_minute);
    /// Changes how logins may be tried; the grace time of connections that there are stays.
    void limit(const login_limits& with);

    /// Ends the connections of everybody whom `chosen` says yes to.
    void disconnect(const std::function<bool(const permission::principal&)>& chosen);

    /// Listens no more and ends all connections. Their handlers hear `on_closed` before it returns.
    void stop();

    ssh_server_counters counters() const;

private:
    struct implementation;
    explicit ssh_server(std::shared_ptr<implementation> with);
    std::shared_ptr<implementation> implementation_;
};

} // namespace flowtap::transport
