// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/bytes.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/radius/api.hpp>
#include <flowtap/radius/cryptography.hpp>
#include <flowtap/radius/login.hpp>

namespace flowtap::radius {

/// Names a login under way; never used twice.
enum class login_id : std::uint64_t {};
/// Names a socket that the client asked for; never used twice.
enum class socket_id : std::uint64_t {};

/// Open a UDP socket at a free port that sends to `to` and receives from there alone. If that
/// cannot be done: `client_state::lost`.
struct open_socket {
    socket_id socket{};
    endpoint to;
    std::optional<ip_address> source_address;
};
/// Send a datagram. If that cannot be done: `client_state::network_error`.
struct send_datagram {
    socket_id socket{};
    std::vector<std::byte> octets;
};
/// Close a socket; nothing more comes with its id.
struct close_socket {
    socket_id socket{};
};
/// A login has its outcome.
struct login_ended {
    login_id login{};
    login_outcome outcome;
};
/// A server was found dead, or answers again: a line for the log.
struct server_changed {
    std::size_t server = 0;
    bool is_dead = false;
    std::string message;
};

using effect = std::variant<open_socket, send_datagram, close_socket, login_ended, server_changed>;

/// The client's side of RADIUS authentication (RFC 2865) with PAP, Message-Authenticator first in
/// each request and required in each answer. It does no I/O and has no clock: logins, datagrams and
/// time go in, effects come out. One thread uses it.
///
/// After every call: the effects, until there are none; then wait for a datagram or `deadline`.
///
/// \code
/// radius::client_state state(settings, cryptography);
/// const auto login = state.begin({"bob", radius::secret("abc123")}, now);
/// while (auto next = state.next_effect())
///     perform(*next);
/// \endcode
///
/// Servers are asked in their order, each as often and as long as it is configured, dead ones last.
/// A server is dead for the dead time when it let a login pass unanswered and answered nobody in
/// the meantime; any authentic answer revives it. Only an authentic answer ends a wait. Memory is
/// bounded by the number of logins; a call costs the logarithm of that.
class FLOWTAP_RADIUS_API client_state {
public:
    /// The settings must be good; see `check`. Secrets in them are kept, and wiped in the end.
    client_state(client_settings with, cryptography functions);
    ~client_state();
    client_state(const client_state&) = delete;
    client_state& operator=(const client_state&) = delete;

    /// Errors: `errc::no_server`, `invalid_server` with its address, `invalid_secret` with the
    /// server's address, `value_too_long` or `empty_value` for the NAS-Identifier.
    static result<void> check(const client_settings& settings);

    /// Asks about a login; the outcome is an effect.
    /// Errors: `errc::invalid_login`, `invalid_password`, `value_too_long` for the calling station,
    /// `too_many_logins`. None has the login or password in it.
    result<login_id> begin(login_request request, steady_time now);

    /// Forgets a login. It gets no outcome; nothing happens when it has one.
    void cancel(login_id login);

    /// A datagram came to a socket from `from`. It may have been cut off beyond 4097 octets.
    void feed(socket_id socket, const endpoint& from, byte_view datagram, steady_time now);

    /// The network told of an error on a socket, or did not take a datagram. This is remembered for
    /// the reason of a failure and shortens no wait, since strangers can send such errors, too.
    void network_error(socket_id socket, std::error_code what);

    /// A socket could not be opened: its logins go to the next server at once.
    void lost(socket_id socket, std::error_code why, steady_time now);

    /// Does what is due.
    void turn(steady_time now);

    /// The next thing to do outside; none if there is none.
    std::optional<effect> next_effect();

    /// When `turn` must be called at the latest; none if nothing is due.
    std::optional<steady_time> deadline() const;

    std::size_t logins() const noexcept;
    /// In the order of the settings.
    std::vector<server_status> servers() const;

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

} // namespace flowtap::radius
