// SPDX-License-Identifier: Apache-2.0
#include "subscriber_radius.hpp"

#include <utility>

#include <flowtap/radius/request_server.hpp>

#include "log.hpp"
#include "radius_cryptography.hpp"
#include "subscriber_requests.hpp"

namespace dfcd {

namespace config = flowtap::config;
namespace radius = flowtap::radius;
namespace transport = flowtap::transport;

namespace {

std::vector<radius::server_client> clients_of(const config::radius_flow_tap_settings& with) {
    std::vector<radius::server_client> made;
    for (const config::radius_client& client : with.clients)
        made.push_back({client.address, radius::secret(client.secret)});
    return made;
}

void write_line(const std::string& line) {
    log("{}", line);
}

} // namespace

struct subscriber_radius::implementation {
    /// Accounting and authorization of each address.
    std::vector<std::unique_ptr<radius::request_server>> servers;
    bool has_clients = true;
};

subscriber_radius::subscriber_radius(std::unique_ptr<implementation> with)
    : implementation_(std::move(with)) {}

subscriber_radius::~subscriber_radius() = default;

flowtap::result<std::unique_ptr<subscriber_radius>>
subscriber_radius::open(transport::event_loop& loop, const config::radius_flow_tap_settings& with,
                        subscribers& of, std::function<void()> on_change) {
    if (with.clients.empty())
        return std::unique_ptr<subscriber_radius>();
    auto made = std::make_unique<implementation>();
    radius::server_settings settings;
    settings.clients = clients_of(with);
    const auto account = [&loop, &of, on_change, state = made.get()](const auto& record,
                                                                     const auto& client) {
        const bool taken = state->has_clients && take_accounting(of, record, client, loop.now());
        on_change();
        return taken;
    };
    const auto authorize = [&loop, &of, on_change, state = made.get()](const auto& request) {
        const auto refused = state->has_clients ? take_authorization(of, request, loop.now())
                                                : radius::error_cause::administratively_prohibited;
        on_change();
        return refused;
    };
    for (const flowtap::ip_address& address : with.listen) {
        auto accounting = radius::request_server::accounting(
            loop.context(), {address, with.accounting_port}, settings, radius_cryptography(),
            account, write_line);
        if (!accounting)
            return flowtap::fail(accounting.error());
        made->servers.push_back(std::move(*accounting));
        auto authorization = radius::request_server::dynamic_authorization(
            loop.context(), {address, with.authorization_port}, settings, radius_cryptography(),
            authorize, write_line);
        if (!authorization)
            return flowtap::fail(authorization.error());
        made->servers.push_back(std::move(*authorization));
    }
    return std::unique_ptr<subscriber_radius>(new subscriber_radius(std::move(made)));
}

void subscriber_radius::set_clients(const config::radius_flow_tap_settings& with) {
    implementation_->has_clients = !with.clients.empty();
    if (!implementation_->has_clients)
        return;
    for (const auto& server : implementation_->servers)
        if (const auto changed = server->set_clients(clients_of(with)); !changed)
            log("RADIUS clients stay as they were: {}", changed.error().message());
}

std::vector<flowtap::endpoint> subscriber_radius::addresses() const {
    std::vector<flowtap::endpoint> found;
    for (const auto& server : implementation_->servers)
        found.push_back(server->address());
    return found;
}

subscriber_requests subscriber_radius::counters() const {
    subscriber_requests sum;
    for (const auto& server : implementation_->servers) {
        const radius::server_counters counted = server->counters();
        sum.handled += counted.handled;
        sum.refused += counted.refused;
        sum.repeated += counted.repeated;
        for (const std::uint64_t one : counted.ignored)
            sum.ignored += one;
    }
    return sum;
}

} // namespace dfcd
