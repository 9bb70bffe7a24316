// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/bytes.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/radius/api.hpp>
#include <flowtap/radius/cryptography.hpp>
#include <flowtap/radius/subscriber.hpp>

namespace flowtap::radius {

/// Who may send requests to a server, by the address that they come from.
struct server_client {
    ip_address address;
    secret shared;
};

struct server_settings {
    /// Each address once, each secret not empty.
    std::vector<server_client> clients;
    /// Requests that are remembered with their answers: a repeated one gets the same answer, and is
    /// not handled again.
    std::size_t most_remembered = 16'384;
    /// How long an accounting request is remembered.
    std::chrono::seconds remembered{60};
    /// How far Event-Timestamp of a request for dynamic authorization may be from the clock, on
    /// either side. For longer than it could be replayed such a request is remembered.
    std::chrono::seconds window{300};
    /// Between two lines for the log at least.
    std::chrono::seconds log_interval{10};
};

/// Why a datagram got no answer.
enum class ignored_request : std::uint8_t {
    unknown_client,
    malformed,
    wrong_code,
    wrong_authenticator,           ///< the shared secret is another one, or somebody lies
    missing_message_authenticator, ///< a request for dynamic authorization must have it
    wrong_message_authenticator,
    no_timestamp, ///< a request for dynamic authorization must have an Event-Timestamp
    wrong_time,   ///< the Event-Timestamp is outside of the window
    replayed,     ///< it was handled before, and this is not who sent it, or it was forgotten
    not_recorded, ///< what is in an accounting request was not taken
};
constexpr std::size_t ignored_request_kinds = 10;

struct server_counters {
    std::uint64_t handled = 0;  ///< requests that got an answer of their own
    std::uint64_t refused = 0;  ///< of these, answered with a NAK
    std::uint64_t repeated = 0; ///< requests that got the answer of the same one before
    /// By `ignored_request`.
    std::array<std::uint64_t, ignored_request_kinds> ignored{};

    friend bool operator==(const server_counters&, const server_counters&) = default;
};

/// Why a request for dynamic authorization is refused (RFC 5176 section 3.5).
enum class error_cause : std::uint32_t {
    unsupported_attribute = 401,
    missing_attribute = 402,
    nas_identification_mismatch = 403,
    invalid_request = 404,
    unsupported_service = 405,
    unsupported_extension = 406,
    invalid_attribute_value = 407,
    administratively_prohibited = 501,
    session_not_found = 503,
    session_not_removable = 504,
    resources_unavailable = 506,
    several_sessions = 508, ///< the request names more than one, which is not supported
};

/// A CoA-Request or Disconnect-Request that was verified and read.
struct authorization_request {
    enum class kind : std::uint8_t { change, disconnect };

    kind what{};
    ip_address client; ///< where it came from
    subscriber_session session;
    wall_time timestamp;
    /// None in a Disconnect-Request.
    std::optional<mirror_order> order;
};

namespace detail {
class request_gate;
}

/// Checks that settings can be used. Errors: `errc::invalid_secret`, `invalid_client` (an address
/// that no host can have, or that stands there twice; no client at all), `invalid_limit` (nothing
/// remembered, or a time that is not positive).
FLOWTAP_RADIUS_API result<void> check(const server_settings& settings);

/// A server of RADIUS accounting (RFC 2866), without I/O and clock: datagrams and the time go in,
/// answers come out. One thread uses it.
///
/// The handler must not call the state that calls it.
/// A datagram that is no request of a known client is ignored and counted. Message-Authenticator is
/// checked where it is present. A request is answered when the handler has taken what is in it; a
/// repeated one (same client, port, id and authenticator) is answered without being handled.
///
/// RFC 2866 has no protection against replays: whoever can send from a client's address may repeat
/// what he has seen after `server_settings::remembered`.
///
/// \code
/// radius::accounting_state state(settings, cryptography, [&](const auto& record, const auto&) {
///     return sessions.take(record);
/// });
/// if (const auto answer = state.feed(from, datagram, now); !answer.empty())
///     send(from, answer);
/// \endcode
class FLOWTAP_RADIUS_API accounting_state {
public:
    /// Returns whether what was told is recorded; if not there is no answer, and the client sends
    /// it again.
    using handler = std::function<bool(const accounting_record& record, const ip_address& client)>;

    /// The settings must be those that `check` accepts.
    accounting_state(server_settings settings, cryptography functions, handler handle);
    ~accounting_state();
    accounting_state(accounting_state&&) noexcept;
    accounting_state& operator=(accounting_state&&) noexcept;

    /// The answer to send back, empty if there is none; valid until the next call.
    byte_view feed(const endpoint& from, byte_view datagram, const time_stamp& now);

    /// From now on these may ask; what was remembered is kept. They must be such that `check`
    /// accepts.
    void set_clients(std::vector<server_client> clients);

    const server_counters& counters() const noexcept;
    /// A line for the log about what was ignored, without names, if there is something to tell and
    /// the last one is long enough ago.
    std::optional<std::string> log_line(steady_time now);
    /// When to ask for a line next, if there is something to tell.
    std::optional<steady_time> deadline() const noexcept;

private:
    std::unique_ptr<detail::request_gate> gate_;
    handler handle_;
};

/// A server of dynamic authorization (RFC 5176), without I/O and clock, as above.
///
/// A request must have a right Message-Authenticator and an Event-Timestamp within the window,
/// which RFC 5176 leaves open; otherwise it is ignored, as one from a stranger is. So is one that
/// was handled before, unless it comes from the same port and so is repeated: then it gets the
/// answer that it got. What is remembered for that is bounded, and what had to be forgotten makes
/// requests with older timestamps replays.
///
/// What is verified is always answered. Without asking the handler it is refused (NAK with
/// Error-Cause):
///
/// | request | Error-Cause |
/// |---|---|
/// | names no session | 402 |
/// | is a CoA-Request without an order about mirroring | 402 |
/// | lacks what goes with its LI-Action | 402 |
/// | has an attribute that tells of neither the session nor mirroring | 401 |
/// | has Service-Type (Authorize Only) | 405 |
/// | has a value that cannot be revealed, or is out of range or of a wrong size | 407 |
/// | has an attribute twice, or one that is malformed | 404 |
class FLOWTAP_RADIUS_API authorization_state {
public:
    /// Does what is asked for; none for an ACK, or the reason of a NAK.
    using handler = std::function<std::optional<error_cause>(const authorization_request& request)>;

    /// The settings must be those that `check` accepts.
    authorization_state(server_settings settings, cryptography functions, handler handle);
    ~authorization_state();
    authorization_state(authorization_state&&) noexcept;
    authorization_state& operator=(authorization_state&&) noexcept;

    // As those of `accounting_state`.
    byte_view feed(const endpoint& from, byte_view datagram, const time_stamp& now);
    void set_clients(std::vector<server_client> clients);
    const server_counters& counters() const noexcept;
    std::optional<std::string> log_line(steady_time now);
    std::optional<steady_time> deadline() const noexcept;

private:
    bool is_current(const packet_view& packet, const time_stamp& now, wall_time& timestamp);

    std::unique_ptr<detail::request_gate> gate_;
    handler handle_;
};

} // namespace flowtap::radius
