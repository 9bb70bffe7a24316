// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <flowtap/core/address.hpp>
#include <flowtap/transport/api.hpp>
#include <flowtap/transport/dtcp_link.hpp>

namespace flowtap::transport {

/// How a client of DTCP over UDP asks.
struct dtcp_udp_options {
    std::string host;
    std::uint16_t port = 0;
    /// Csource-ID of the requests that have none.
    std::string csource_id;

    /// Requests that are on their way at a time, at most 64: an access point takes a request that
    /// was overtaken by up to 255 others.
    std::size_t window = 64;
    /// How often a LIST or NOOP is sent until it has its answer, each time with a new Seq. Others
    /// are sent once: one whose answer was lost may have been done.
    std::size_t tries = 3;
    /// Called in place of `on_response`, in the order of the requests, for one that got no answer:
    /// with its number among the requests, from 0, and its last Seq.
    std::function<void(std::size_t request, sequence_number seq)> on_silence;
};

/// A mediation device's side of DTCP over UDP: one request a datagram.
///
/// Takes only datagrams that come from the address and port that are asked, and of them only those
/// that verify. A LIST answer of several datagrams is handed over once it is whole, and in order;
/// it stands in memory until then. The network telling that nobody is there ends the exchange.
class FLOWTAP_TRANSPORT_API dtcp_udp_client final : public dtcp_link {
public:
    /// Looks the host up and opens a socket; sends nothing yet.
    /// Errors: `errc::host_not_found`, and the operating system's.
    static result<dtcp_udp_client> open(dtcp_udp_options options, const hash_maker& make_hash,
                                        sequence_numbers numbers);
    ~dtcp_udp_client() override;
    dtcp_udp_client(dtcp_udp_client&& other) noexcept;
    dtcp_udp_client& operator=(dtcp_udp_client&& other) noexcept;

    /// `timeout` is for each request, from when it was last sent or a part of its answer came; one
    /// that is tried again has it for all tries together.
    /// Errors: `errc::timed_out` when all others have been answered but one or more were not; the
    /// operating system's; `dtcp::errc::missing_sequence` for a request that is sent as it stands
    /// and has no Seq; those of the sequence numbers.
    result<void> exchange(std::span<const outgoing_request> requests,
                          dtcp::response_handler& answers,
                          std::chrono::milliseconds timeout) override;

    result<void> receive(dtcp::response_handler& to) override;
    int descriptor() const noexcept override;

    /// Datagrams that were not taken: they did not verify, or were no message.
    std::size_t refused() const noexcept;

private:
    struct implementation;
    explicit dtcp_udp_client(std::unique_ptr<implementation> with);
    std::unique_ptr<implementation> implementation_;
};

/// Receives the notifications of an access point on an address of its own.
class FLOWTAP_TRANSPORT_API notification_receiver final : public message_source {
public:
    /// Errors: the operating system's on an address that cannot be used.
    static result<notification_receiver> listen(const endpoint& at, const hash_maker& make_hash);
    ~notification_receiver() override;
    notification_receiver(notification_receiver&& other) noexcept;
    notification_receiver& operator=(notification_receiver&& other) noexcept;

    /// Where it listens, with the port that port 0 became.
    const endpoint& address() const noexcept;

    /// Only what verifies is handed over, wherever it comes from: notifications leave an access
    /// point by an address of its choice.
    result<void> receive(dtcp::response_handler& to) override;
    int descriptor() const noexcept override;

    /// Datagrams that were not taken: they did not verify, or were no notification.
    std::size_t refused() const noexcept;

private:
    struct implementation;
    explicit notification_receiver(std::unique_ptr<implementation> with);
    std::unique_ptr<implementation> implementation_;
};

} // namespace flowtap::transport
