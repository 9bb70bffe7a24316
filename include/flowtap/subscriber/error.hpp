// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>
#include <type_traits>

#include <flowtap/subscriber/api.hpp>

namespace flowtap::subscriber {

/// Why a session cannot be kept, or not be mirrored; limits on mirroring and what is not configured
/// are told by `tap::errc`.
enum class errc {
    too_many_sessions = 1, ///< there are as many subscriber sessions as there may be
    invalid_session,     ///< the session has no identity, or more or longer attributes than may be
    unknown_session,     ///< there is no such session
    mirrored_by_another, ///< another intercept was first and mirrors the session
    no_session_number,   ///< the Acct-Session-Id has no number in it for the mirror header
    no_egress,           ///< no member of the pool can be used
};

/// The category of `subscriber::errc`, named "flowtap.subscriber".
FLOWTAP_SUBSCRIBER_API const std::error_category& subscriber_category() noexcept;

inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), subscriber_category()};
}

} // namespace flowtap::subscriber

template <>
struct std::is_error_code_enum<flowtap::subscriber::errc> : std::true_type {};
