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

/// An ADD, its header aside.
result<add_request> read_add(const field_table& fields, version spoken,
                             const parse_options& options);

/// The X-JTap parameters of a flow-tap ADD.
result<jtap_parameters> read_jtap(const field_table& fields, version spoken,
                                  const std::vector<std::string>& cdest_ids);

/// The parameters of a subscriber ADD; none when there is no X-MD-Intercept-Id.
result<std::optional<subscriber_parameters>> read_subscriber(const field_table& fields);

} // namespace flowtap::dtcp
