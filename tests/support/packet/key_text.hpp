// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <flowtap/packet/view.hpp>

namespace flowtap::test {

std::string name_of(packet::verdict what);

/// What was decoded, as one line: `verdict source destination protocol source-port destination-port
/// icmp-type icmp-code fragment-offset`, with `-` for what is not there. A packet without a key is
/// its verdict alone.
std::string to_line(const packet::packet_view& view);

} // namespace flowtap::test
