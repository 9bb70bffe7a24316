// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>
#include <type_traits>

#include <flowtap/packet/api.hpp>

namespace flowtap::packet {

/// What can be wrong with packets that are taken apart or put together, and with what is asked of
/// an encapsulation.
enum class errc {
    not_ip = 1,           ///< the frame holds no IP packet
    cut_short,            ///< the packet was not captured whole
    malformed,            ///< the packet's headers are not consistent
    fragment,             ///< the packet is a fragment
    not_encapsulated,     ///< the packet is not encapsulated in the expected way
    invalid_dscp,         ///< the DSCP is greater than 63
    invalid_intercept_id, ///< the intercept id is not of 8 or 16 hexadecimal digits with the right
                          ///< top bits
    too_long,             ///< the copy would be longer than 65535 octets
    mtu_too_small,        ///< the MTU leaves no room for a packet's first fragment
};

/// The category of `flowtap::packet::errc`, named "flowtap.packet".
FLOWTAP_PACKET_API const std::error_category& packet_category() noexcept;

inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), packet_category()};
}

} // namespace flowtap::packet

template <>
struct std::is_error_code_enum<flowtap::packet::errc> : std::true_type {};
