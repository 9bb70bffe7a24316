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

/// Where dfcd talks to mediation devices and to operators.
struct meeting_points {
    /// Where they connect with SSH.
    std::vector<flowtap::endpoint> ssh;
    /// Where requests over UDP come in and notifications go out.
    std::vector<flowtap::endpoint> udp;
    /// Where RADIUS tells of subscribers.
    std::vector<flowtap::endpoint> radius;
    /// Where notifications by SNMP leave from.
    std::vector<flowtap::endpoint> snmp;
    /// Where status and metrics are served with TCP.
    std::vector<flowtap::endpoint> metrics;
};

/// `services flow-tap` or `services dynamic-flow-capture` as the control side takes it. A
/// configuration without either serves nothing and is refused by the caller. Traffic from and to
/// `own`, as the sockets have it, is never tapped. Errors: those of `read_capture`.
flowtap::result<flowtap::tap::settings> tap_settings(const flowtap::config::configuration& with,
                                                     const bindings& bound,
                                                     const meeting_points& own);

} // namespace dfcd
