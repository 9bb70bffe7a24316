// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include <flowtap/filter/prefilter.hpp>

#include "prefilter_need.hpp"

namespace flowtap::filter {

/// What is needed of the frames that pass a device one way; the families' are normalized.
struct frame_needs {
    /// Frames of whatever kind.
    bool everything = false;
    packet_needs inet;
    packet_needs inet6;

    bool empty() const noexcept { return !everything && inet.empty() && inet6.empty(); }
};

/// The program for both ways. What nobody needs runs through `rest`, or is kept away where that is
/// empty.
bpf_code write_prefilter(const frame_needs& ingress, const frame_needs& egress,
                         const prefilter_port& port, std::span<const bpf_instruction> rest);

} // namespace flowtap::filter
