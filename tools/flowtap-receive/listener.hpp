// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/packet/encapsulation.hpp>

namespace flowtap::tools {

/// Ports of an address that copies in UDP are sent to.
struct listener {
    ip_address address;
    std::uint16_t first_port = 0; ///< 0 lets the system choose
    std::uint16_t last_port = 0;
    packet::encapsulation_kind kind = packet::encapsulation_kind::udp;

    friend bool operator==(const listener&, const listener&) = default;
};

/// Reads `ADDRESS:PORT` or `ADDRESS:FIRST-LAST`, IPv6 addresses in brackets, with `=udp` or
/// `=mirror` behind it where that is not `kind`.
/// Errors: `errc::invalid_address`, `errc::invalid_number`, `errc::out_of_range` for ports in the
/// wrong order, with the text as subject.
result<listener> parse_listener(std::string_view text, packet::encapsulation_kind kind);

/// `udp`, `mirror` or `ip-in-ip`.
std::optional<packet::encapsulation_kind> parse_encapsulation(std::string_view name);

} // namespace flowtap::tools
