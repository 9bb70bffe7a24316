// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <flowtap/config/configuration.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/tap/settings.hpp>

#include "options.hpp"

namespace dfcd {

/// One input together with the port its packets come in through.
struct bound_input {
    input from;
    flowtap::port_id port;
};

/// What is captured, and as which interfaces.
struct bindings {
    std::vector<bound_input> inputs;
    /// By port: the interface it stands for, as the inputs name it.
    std::vector<std::string> ports;
};

/// The inputs of the command line, and for interfaces that it does not name the devices that the
/// configuration binds. Errors: `errc::interface_not_configured`, with the name.
flowtap::result<bindings> bind_inputs(const options& chosen,
                                      const flowtap::config::configuration& with);

/// The flow-tap part of a configuration as the control side takes it. A configuration without
/// `services flow-tap` serves nothing and is refused by the caller. `listening` is where mediation
/// devices connect: that traffic is never tapped.
flowtap::tap::settings tap_settings(const flowtap::config::configuration& with,
                                    const bindings& bound,
                                    const std::vector<flowtap::endpoint>& listening);

} // namespace dfcd
