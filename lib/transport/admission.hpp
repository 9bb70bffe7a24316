// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include <flowtap/permission/decide.hpp>
#include <flowtap/permission/principal.hpp>

namespace flowtap::transport {

/// Nothing for an identity that may not log in at all.
inline std::optional<permission::principal> admit(std::optional<permission::principal> who) {
    using permission::operation;
    using permission::target;
    if (who && !permission::allowed(*who, operation::log_in, target::access_point))
        who.reset();
    return who;
}

} // namespace flowtap::transport
