// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <pcap/pcap.h>

#include <flowtap/capture/kernel_filter.hpp>
#include <flowtap/core/result.hpp>

#include "socket_filter.hpp"

namespace flowtap::capture::detail {

/// Which packets a capture handle is to hand over.
struct capture_filter {
    /// In the language of pcap-filter(7); empty takes everything.
    std::string text;
    /// Packets with this socket mark are left out.
    std::optional<std::uint32_t> excluded_mark;
    pcap_direction_t way = PCAP_D_INOUT;
    /// Null for none.
    std::shared_ptr<kernel_filter> in_kernel;
};

/// Puts `wanted` on an activated, non-blocking handle. On Linux the mark and the direction of
/// Ethernet frames are looked at in the kernel, before a packet is copied. What is returned must go
/// before the handle does. Errors: `errc::invalid_filter`, `errc::filter_not_in_kernel`.
result<socket_filter> apply(pcap_t* handle, const capture_filter& wanted);

} // namespace flowtap::capture::detail
