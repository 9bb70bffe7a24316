// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <flowtap/core/opener.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/radius/api.hpp>
#include <flowtap/radius/cryptography.hpp>
#include <flowtap/radius/login.hpp>

namespace boost::asio {
class io_context;
}

namespace flowtap::radius {

/// What a client has done since it was made, and what it is doing.
struct client_status {
    std::size_t logins = 0;
    /// In the order of the settings.
    std::vector<server_status> servers;
};

/// Asks RADIUS servers about logins, over sockets, on an `io_context` of the program's: a
/// `client_state` with the network and the clock.
///
/// `log_in` and `status` may be called from any thread, the io_context may be run by several; what
/// is called back runs on it, one call at a time, never within `log_in`. Nothing blocks: a flood of
/// answers is read in pieces between which others have their turn.
///
/// Destroying the client, which must not happen while the io_context runs on another thread, ends
/// logins under way without an outcome: what would have been called is destroyed. For other
/// settings make another client, and keep this one until its logins are done.
///
/// \code
/// boost::asio::io_context context;
/// auto client = radius::client::create(context, settings, cryptography);
/// (*client)->log_in({"bob", radius::secret("abc123")}, [](const radius::login_outcome& outcome) {
///     ...
/// });
/// context.run();
/// \endcode
class FLOWTAP_RADIUS_API client {
public:
    /// Called once with the outcome.
    using callback = std::function<void(login_outcome)>;
    /// Called with a line for the log whenever a server is found dead or answers again.
    using logger = std::function<void(const std::string& line)>;

    /// Errors: those of `client_state::check`.
    static result<std::unique_ptr<client>> create(boost::asio::io_context& context,
                                                  client_settings settings, cryptography functions,
                                                  logger log = {},
                                                  opener& sockets = direct_opener());
    ~client();
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    /// A login that cannot be asked about (its name or password does not fit into a packet, too
    /// many are under way) is `login_unavailable`.
    void log_in(login_request request, callback done);

    /// Calls `done` with the status.
    void status(std::function<void(client_status)> done);

private:
    struct implementation;
    explicit client(std::shared_ptr<implementation> with);
    std::shared_ptr<implementation> implementation_;
};

} // namespace flowtap::radius
