// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/radius/api.hpp>
#include <flowtap/radius/secret.hpp>

namespace flowtap::radius {

/// A RADIUS server to ask about logins.
struct server {
    endpoint address;
    secret shared;
    /// How long to wait for an answer before a request is sent again.
    std::chrono::milliseconds timeout{3000};
    /// How often a request is sent before the next server is asked: `retry` of Junos.
    unsigned tries = 3;
    /// Where requests come from; the system chooses when there is none.
    std::optional<ip_address> source_address = std::nullopt;
};

/// How a client asks.
struct client_settings {
    /// In the order in which they are asked.
    std::vector<server> servers;
    /// What the servers know this host by: NAS-Identifier, 1 to 253 octets.
    std::string nas_identifier = "flowtap";
    /// How long a server that does not answer is asked only after all others.
    std::chrono::milliseconds dead_time{60'000};
    /// Logins under way at a time.
    std::size_t most_logins = 1024;
};

/// Somebody wants in.
struct login_request {
    /// 1 to 253 octets.
    std::string login;
    /// 1 to 128 octets, none of them zero.
    secret password;
    /// Calling-Station-Id: where the login comes from; may be empty.
    std::string calling_station = {};
    /// When the answer is of no use any more; the servers' times alone decide when there is none.
    std::optional<steady_time> give_up = std::nullopt;
};

/// The server lets the login in.
struct login_accepted {
    /// Which server of the settings, from 0.
    std::size_t server = 0;
    /// Juniper-User-Permissions: words with blanks between them. A value that fills its attribute
    /// runs on in the next one, any other ends with a word.
    std::string permissions;
    /// Juniper-Local-User-Name: the user whose login class applies.
    std::optional<std::string> local_user;
};

/// A server has answered, and the answer is no.
struct login_rejected {
    std::size_t server = 0;
    /// One line for the log, with the server's address and neither login nor secret.
    std::string reason;
};

/// Nobody has answered: the next method of the authentication order may be tried.
struct login_unavailable {
    /// One line for the log: what each server did in the meantime.
    std::string reason;
};

using login_outcome = std::variant<login_accepted, login_rejected, login_unavailable>;

/// Why a datagram that came from a server, or seemed to, was ignored. None of these ends the wait
/// for an answer: anybody can send them.
enum class ignored_answer : std::uint8_t {
    /// It came from another address or port.
    wrong_address,
    /// It is no RADIUS packet: cut short, too long, or its lengths do not add up.
    malformed,
    /// Nobody waits for an answer with its id: it came late, twice, or was never asked for.
    unknown_id,
    /// It is no answer to an Access-Request.
    wrong_code,
    wrong_authenticator,
    no_message_authenticator,
    wrong_message_authenticator,
};
constexpr std::size_t ignored_answer_kinds = 7;

/// What a server has done since the client was made.
struct server_status {
    bool is_dead = false;
    /// First ones, and those that were sent again.
    std::uint64_t requests = 0;
    std::uint64_t repeated = 0;
    std::uint64_t accepted = 0;
    std::uint64_t rejected = 0;
    /// Logins that got no answer within all tries.
    std::uint64_t unanswered = 0;
    /// Errors of the network: unreachable, refused, not sent.
    std::uint64_t network_errors = 0;
    /// By `ignored_answer`.
    std::array<std::uint64_t, ignored_answer_kinds> ignored{};
};

} // namespace flowtap::radius
