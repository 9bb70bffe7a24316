// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <pcap/pcap.h>

#include <flowtap/core/result.hpp>

namespace flowtap::capture::detail {

/// Which packets a capture handle is to hand over.
struct capture_filter {
    /// In the language of pcap-filter(7); empty takes everything.
    std::string text;
    /// Packets with this socket mark are left out.
    std::optional<std::uint32_t> excluded_mark;
    pcap_direction_t way = PCAP_D_INOUT;
};

/// Puts `wanted` on an activated, non-blocking handle. On Linux the mark and the direction of
/// Ethernet frames are looked at in the kernel, before a packet is copied. Errors:
/// `errc::invalid_filter`, `errc::filter_not_in_kernel`.
result<void> apply(pcap_t* handle, const capture_filter& wanted);

} // namespace flowtap::capture::detail
