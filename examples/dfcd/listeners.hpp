// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <flowtap/config/configuration.hpp>
#include <flowtap/core/address.hpp>
#include <flowtap/core/result.hpp>

#include "options.hpp"

namespace dfcd {

/// Whether mediation devices can log in. Dynamic flow capture takes requests over UDP only, and a
/// batch job, whose criteria all come from a file, needs nobody.
bool serves_ssh(const options& chosen, const flowtap::config::configuration& with);

/// The addresses to listen on for SSH: every one of this machine if none is given.
flowtap::result<std::vector<flowtap::endpoint>> ssh_endpoints(const options& chosen);

/// Where requests over UDP come in: as configured (flow-tap), or at the service ports of all
/// control sources on the addresses to listen on (dynamic flow capture). In a batch job nowhere.
flowtap::result<std::vector<flowtap::endpoint>>
udp_endpoints(const options& chosen, const flowtap::config::configuration& with);

/// Where notifications go. In a batch job nowhere.
std::vector<flowtap::ip_address> notification_receivers(const options& chosen,
                                                        const flowtap::config::configuration& with);

/// Whether there is a control source whose sequence numbers are to survive a restart.
bool keeps_sequences(const flowtap::config::configuration& with);

} // namespace dfcd
