// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/dtcp/parser.hpp>

#include "field.hpp"

namespace flowtap::dtcp {

/// The filter fields of an ADD, with every rule among them (dtcp 432).
result<filter_fields> read_filter(const field_table& fields, const parse_options& options);

/// X-JTap-IP-Version, if it is there.
result<std::optional<family>> read_ip_version(const field_table& fields);

} // namespace flowtap::dtcp
