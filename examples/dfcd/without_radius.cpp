// SPDX-License-Identifier: Apache-2.0
//
// In the place of radius_servers.cpp and subscriber_radius.cpp where the module radius was not
// built.
#include "error.hpp"
#include "radius_servers.hpp"
#include "subscriber_radius.hpp"

namespace dfcd {

struct radius_servers::implementation {};

flowtap::result<void> check_radius(const flowtap::config::configuration& with) {
    if (asks_radius(with) || (with.radius_flow_tap && !with.radius_flow_tap->clients.empty()))
        return flowtap::fail(errc::no_radius);
    return {};
}

flowtap::result<std::shared_ptr<radius_servers>>
radius_servers::open(flowtap::transport::event_loop&, const flowtap::config::configuration& with,
                     std::string_view) {
    if (const auto checked = check_radius(with); !checked)
        return flowtap::fail(checked.error());
    return std::shared_ptr<radius_servers>();
}

radius_servers::~radius_servers() = default;

flowtap::transport::remote_answer radius_servers::ask(const flowtap::transport::login_attempt&,
                                                      std::string_view) {
    return flowtap::transport::remote_silence{};
}

void radius_servers::stop() {}

struct subscriber_radius::implementation {};

subscriber_radius::~subscriber_radius() = default;

flowtap::result<std::unique_ptr<subscriber_radius>>
subscriber_radius::open(flowtap::transport::event_loop&,
                        const flowtap::config::radius_flow_tap_settings& with, subscribers&,
                        std::function<void()>) {
    if (!with.clients.empty())
        return flowtap::fail(errc::no_radius);
    return std::unique_ptr<subscriber_radius>();
}

void subscriber_radius::set_clients(const flowtap::config::radius_flow_tap_settings&) {}

std::vector<flowtap::endpoint> subscriber_radius::addresses() const {
    return {};
}

subscriber_requests subscriber_radius::counters() const {
    return {};
}

} // namespace dfcd
