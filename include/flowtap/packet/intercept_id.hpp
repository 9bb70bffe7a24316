// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/packet/api.hpp>
#include <flowtap/packet/encapsulation.hpp>

namespace flowtap::packet {

/// What X-MD-Intercept-Id, or RADIUS' Med-Dev-Handle (vendor 4874, attribute 59), asks to stand in
/// the mirror header.
struct mirror_id {
    /// 30 bits.
    std::uint32_t intercept_id = 0;
    /// Given by the form of eight octets; the form of four takes it from the subscriber's session.
    std::optional<std::uint32_t> session_id;

    /// The mirror header of a copy of a session's traffic. `accounting_session` is the subscriber's
    /// Acct-Session-Id as a number, of which the low 32 bits may be needed.
    constexpr mirror_header header_for(std::uint64_t accounting_session) const noexcept {
        return {intercept_id, session_id.value_or(static_cast<std::uint32_t>(accounting_session))};
    }

    friend bool operator==(const mirror_id&, const mirror_id&) = default;
};

/// Reads the hexadecimal form, with or without `0x`: 16 digits of which the two top bits are 00, or
/// 8 digits of which they are 01. Nothing is padded: the number of digits tells where the top is.
/// Errors: `errc::invalid_intercept_id`.
/// Source: Junos documentation on radius-flow-tap, as observed.
FLOWTAP_PACKET_API result<mirror_id> parse_intercept_id(std::string_view hex);

/// Reads the same from octets, eight or four of them.
/// Errors: `errc::invalid_intercept_id`.
FLOWTAP_PACKET_API result<mirror_id> read_intercept_id(byte_view octets);

} // namespace flowtap::packet
