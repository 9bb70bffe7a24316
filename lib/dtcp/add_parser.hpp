// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/dtcp/parser.hpp>

#include "field.hpp"

namespace flowtap::dtcp {

/// The flags of a request, those that its method has no use for included.
struct request_flags {
    bool is_static = false;
    bool send_async = false;
    bool stats = false;
    bool criteria = false;
    bool both = false;
};

/// Flags, if there are any. Errors: `errc::not_implemented` for an unknown one.
result<request_flags> read_flags(const field_table& fields);

/// The timeouts that are there, zeros left out. Errors: `errc::invalid_timeout`.
result<timeouts> read_timeouts(const field_table& fields);

/// Reads an ADD into `add`, which has its header.
result<void> read_add(const field_table& fields, const parse_options& options, add_request& add);

/// Reads the X-JTap parameters of a flow-tap ADD into its `jtap`; it has its header and Cdest-IDs.
result<void> read_jtap(const field_table& fields, add_request& add);

/// The parameters of a subscriber ADD; none when there is no X-MD-Intercept-Id.
result<std::optional<subscriber_parameters>> read_subscriber(const field_table& fields);

} // namespace flowtap::dtcp
