// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include <flowtap/core/clock.hpp>

#include "copy.hpp"
#include "output_directory.hpp"

namespace flowtap::tools {

/// What tells the copies of one intercept from those of others: all that stands around them but
/// TTL and class.
struct intercept_key {
    packet::encapsulation_kind kind = packet::encapsulation_kind::udp;
    std::uint32_t intercept_id = 0;
    std::uint32_t session_id = 0;
    endpoint destination;
    endpoint source;

    friend auto operator<=>(const intercept_key&, const intercept_key&) = default;
};

intercept_key key_of(const received_copy& copy) noexcept;

/// `udp`, `mirror` or `ip-in-ip`.
std::string_view name_of(packet::encapsulation_kind kind) noexcept;

/// A name from addresses, ports and ids alone, so that nothing a sender chooses freely gets into
/// it. The colons of IPv6 become underscores.
std::string file_name(const intercept_key& key);

/// One intercept, from its first copy on.
struct intercept {
    intercept_key key;
    /// From 1, in the order of their first copies.
    std::uint64_t number = 0;
    std::uint64_t copies = 0;
    std::uint64_t octets = 0; ///< of the packets in the copies
    wall_time first;
    wall_time last;
    intercept_file file;
};

} // namespace flowtap::tools
