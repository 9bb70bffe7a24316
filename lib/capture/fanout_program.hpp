// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <flowtap/capture/kernel_filter.hpp>
#include <flowtap/packet/view.hpp>

namespace flowtap::capture::detail {

/// The program by which a fanout group spreads the packets of a device (`ethernet` or `raw`): a
/// number of 16 bits that depends on the two IP addresses alone and not on which of them is the
/// source, so that both directions of a conversation and all fragments of a packet meet in one
/// member. VLAN tags that are still in a frame, and PPPoE, are looked past. Other frames are spread
/// by their MAC addresses in the same way, and on raw links all get 0.
std::vector<bpf_instruction> fanout_program(packet::link_type link);

} // namespace flowtap::capture::detail
