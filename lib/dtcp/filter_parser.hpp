// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/dtcp/parser.hpp>

#include "field.hpp"

namespace flowtap::dtcp {

/// Reads the filter fields of an ADD into `filter`, with every rule among them (dtcp 432).
result<void> read_filter(const field_table& fields, const parse_options& options,
                         filter_fields& filter);

/// X-JTap-IP-Version, if it is there.
result<std::optional<family>> read_ip_version(const field_table& fields);

} // namespace flowtap::dtcp
