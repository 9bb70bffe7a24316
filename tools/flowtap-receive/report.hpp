// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <flowtap/core/clock.hpp>

#include "collector.hpp"

namespace flowtap::tools {

/// All that is counted, at one moment.
struct counters {
    steady_time when;
    collected received;
    std::uint64_t intercepts = 0;
    std::uint64_t incomplete = 0; ///< copies of which fragments are missing
    std::uint64_t lost = 0;       ///< before they could be received
    std::uint64_t unwritten = 0;
};

/// One line without its end, with the rates since `before`.
std::string counters_text(const counters& now, const counters& before);
std::string counters_json(const counters& now, const counters& before);

/// The account at the end, with its last line end. `from` has closed its files.
std::string summary_text(const counters& all, const collector& from);
std::string summary_json(const counters& all, const collector& from);

} // namespace flowtap::tools
