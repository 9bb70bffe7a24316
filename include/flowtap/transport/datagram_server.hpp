// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/bytes.hpp>
#include <flowtap/core/opener.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/transport/api.hpp>
#include <flowtap/transport/event_loop.hpp>

namespace flowtap::transport {

/// What became of the datagrams of a server.
struct datagram_counters {
    std::uint64_t received = 0;
    /// Longer than any message may be: cut off by the system, and not handed over.
    std::uint64_t too_long = 0;
    /// Sent to a multicast or broadcast address: not handed over, for nobody is to be asked by
    /// asking all.
    std::uint64_t to_many = 0;
    /// Thrown away by the system because they came faster than they were read. Known when the next
    /// one is read.
    std::uint64_t overflowed = 0;
    std::uint64_t sent = 0;
    /// The queue was full, or the operating system refused.
    std::uint64_t not_sent = 0;
    /// Errors that the network has told about datagrams that were sent: nobody there, no way there.
    std::uint64_t undelivered = 0;
};

/// How much a server takes.
struct datagram_limits {
    /// Octets of a datagram that is handed over. None on today's networks is longer than the
    /// default.
    std::size_t longest = 64UL * 1024;
    /// Octets that wait to be sent, 128 for each datagram added. Each socket of a receiver has an
    /// eighth of it besides.
    std::size_t queue = 2UL * 1024 * 1024;
    /// Octets that the system holds for a socket that is to send them; 0 leaves what it gives.
    int send_buffer = 0;
};

/// UDP sockets on the loop. Tells of each datagram where it came from and which local address and
/// port it was sent to, also when it listens on every address, and sends from the address and port
/// that it is told to.
///
/// Datagrams that the network does not take at once wait in a queue of bounded size; beyond that
/// they are dropped and counted. Errors that a peer causes (an unreachable port) disturb nobody. A
/// socket that has to wait keeps no other one waiting. An IPv6 address never stands for IPv4 too,
/// and link-local peers are not answered: an `endpoint` does not say on which link they are.
/// Everything is for the loop's thread.
///
/// \code
/// auto datagrams = datagram_server::listen(
///     loop, {{*parse_ip_address("0.0.0.0"), 2101}},
///     [&](const endpoint& from, const endpoint& at, byte_view octets) {
///         service.receive(from, at, octets);
///     });
/// service.send_through(**datagrams);
/// \endcode
class FLOWTAP_TRANSPORT_API datagram_server {
public:
    /// `octets` is valid during the call.
    using receiver =
        std::function<void(const endpoint& from, const endpoint& at, byte_view octets)>;

    /// Different receivers that have a socket of their own; more share these.
    static constexpr std::size_t most_receivers = 32;

    /// Has `via` open a socket for each of `listen`. Port 0 takes a free one. `receive` is called
    /// from the loop, for a bounded number of datagrams before others have their turn.
    ///
    /// Each of `receivers` has one more socket, at a free port, for what is sent to it from no
    /// address in particular. What is on its way to a host that does not answer fills a socket for
    /// seconds: so it keeps nothing else waiting.
    /// Errors: the operating system's on an address that cannot be used, with it as the subject.
    static result<std::unique_ptr<datagram_server>>
    listen(event_loop& loop, const std::vector<endpoint>& listen, receiver receive,
           const datagram_limits& limits = {}, const std::vector<ip_address>& receivers = {},
           opener& via = direct_opener());
    /// Nothing is received or sent any more; what waits in the queue is lost.
    ~datagram_server();
    datagram_server(const datagram_server&) = delete;
    datagram_server& operator=(const datagram_server&) = delete;

    /// Where it listens, with the ports that port 0 became, and behind that the sockets of the
    /// receivers.
    std::vector<endpoint> addresses() const;

    /// Sends `octets` to `to`, from `from`, which is what a datagram was received `at`; or, if its
    /// port is 0, from the socket of the receiver `to`, else the first one of its family. Never
    /// blocks.
    void send(const endpoint& from, const endpoint& to, std::string_view octets);

    /// True while the queue is more than half full.
    bool is_full() const noexcept;
    /// `what` is called whenever `is_full` has changed: when it becomes true from within `send`, so
    /// that who sends much can stop at once, else from the loop.
    void on_room(std::function<void()> what);

    datagram_counters counters() const noexcept;

private:
    struct implementation;
    explicit datagram_server(std::shared_ptr<implementation> with);
    std::shared_ptr<implementation> implementation_;
};

} // namespace flowtap::transport
