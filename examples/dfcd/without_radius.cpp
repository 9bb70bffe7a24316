// SPDX-License-Identifier: Apache-2.0
//
// In the place of radius_servers.cpp where the module radius was not built.
#include "error.hpp"
#include "radius_servers.hpp"

namespace dfcd {

struct radius_servers::implementation {};

flowtap::result<void> check_radius(const flowtap::config::configuration& with) {
    if (asks_radius(with))
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

} // namespace dfcd
