// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/config/configuration.hpp>

#include "bound.hpp"

namespace flowtap::config {

// Each function reads one part of the statements into the typed model and reports what the schema
// cannot see: what one statement means for another. Later ones look at what earlier ones read.

/// system login
void read_logins(const node& top, configuration& settings, reporter& report);
/// system authentication-order, system radius-server
void read_access(const node& top, configuration& settings, reporter& report);
/// interfaces
void read_interfaces(const node& top, configuration& settings, reporter& report);
/// routing-instances, class-of-service
void read_instances(const node& top, configuration& settings, reporter& report);
/// system services flow-tap-dtcp, services flow-tap
void read_flow_tap(const node& top, configuration& settings, reporter& report);
/// services dynamic-flow-capture
void read_flow_capture(const node& top, configuration& settings, reporter& report);
/// services radius-flow-tap
void read_radius_flow_tap(const node& top, configuration& settings, reporter& report);
/// What cannot stand beside flow-tap, and what is not built.
void check_surroundings(const node& top, const configuration& settings, reporter& report);

/// A number that the schema has checked.
std::uint64_t number_of(const word& value);
/// The number of the child with this keyword, or `otherwise`.
std::uint64_t number_or(const node& parent, std::string_view keyword, std::uint64_t otherwise);

/// Says of `ADDRESS port N` that the port is missing, unless what stood there was refused already.
void report_missing_port(const node& written, reporter& report);
/// The members of `notification-targets` of a control source.
std::vector<endpoint> read_targets(const node& source, reporter& report);

} // namespace flowtap::config
