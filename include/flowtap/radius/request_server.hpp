// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <flowtap/core/address.hpp>
#include <flowtap/core/opener.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/radius/api.hpp>
#include <flowtap/radius/cryptography.hpp>
#include <flowtap/radius/server_state.hpp>

namespace boost::asio {
class io_context;
}

namespace flowtap::radius {

constexpr std::uint16_t accounting_port = 1813;
constexpr std::uint16_t authorization_port = 3799;

/// A server of accounting or of dynamic authorization at one address, on an `io_context` of the
/// program's: the state with a socket and the clocks. Handlers and the logger are called on the
/// io_context, one at a time, never within a call of these members. A flood is read in pieces,
/// between which others have their turn.
///
/// One thread at a time runs the io_context. The members are for that thread, or for any while none
/// does; so is destroying the server, after which nothing is called any more.
///
/// It answers from the address that it was asked at, also where it listens at an unspecified one.
///
/// \code
/// auto server = radius::request_server::dynamic_authorization(
///     io_context, {address, radius::authorization_port}, settings, cryptography,
///     [&](const radius::authorization_request& request) { return policies.apply(request); });
/// \endcode
class FLOWTAP_RADIUS_API request_server {
public:
    using logger = std::function<void(const std::string& line)>;

    /// Errors: those of `check`, and of the opener for `at`.
    static result<std::unique_ptr<request_server>>
    accounting(boost::asio::io_context& context, const endpoint& at, server_settings settings,
               cryptography functions, accounting_state::handler handle, logger log = {},
               opener& sockets = direct_opener());
    static result<std::unique_ptr<request_server>>
    dynamic_authorization(boost::asio::io_context& context, const endpoint& at,
                          server_settings settings, cryptography functions,
                          authorization_state::handler handle, logger log = {},
                          opener& sockets = direct_opener());
    ~request_server();
    request_server(const request_server&) = delete;
    request_server& operator=(const request_server&) = delete;

    /// Where it listens, with the port that the system chose if it was to.
    endpoint address() const;
    server_counters counters() const;
    /// Others, from the next request on: what was remembered is kept. Errors: those of `check`.
    result<void> set_clients(std::vector<server_client> clients);

private:
    struct implementation;
    explicit request_server(std::shared_ptr<implementation> with);
    template <class MakeState>
    static result<std::unique_ptr<request_server>>
    make(boost::asio::io_context& context, const endpoint& at, server_settings settings,
         opener& sockets, logger log, MakeState make_state);
    std::shared_ptr<implementation> implementation_;
};

} // namespace flowtap::radius
