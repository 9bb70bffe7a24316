// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/path/source.hpp>

namespace flowtap::tools {

/// Told of each matching packet, in order, with its number from 1.
using match_observer =
    std::function<void(std::uint64_t number, const path::captured_packet& packet)>;

struct match_totals {
    std::uint64_t packets = 0;
    std::uint64_t matched = 0;
    /// Why the capture broke off; no code if it did not. What came before was matched.
    error broken_off;
};

/// Reads all packets of `from`; one that any of the filters matches counts, once. Packets that a
/// snap length cut are matched by what there is of them.
/// Errors: those of module filter.
result<match_totals> match_packets(path::source& from, const std::vector<filter_spec>& filters,
                                   const match_observer& observe);

} // namespace flowtap::tools
