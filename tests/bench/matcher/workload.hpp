// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/packet_key.hpp>
#include <flowtap/filter/criterion.hpp>

#include "../filter_sets.hpp"

/// The program that matchers are timed with, all on the same packets in one process.
namespace flowtap::bench {

/// Packets that are matched in one call.
inline constexpr std::size_t batch = 256;

/// A program that was asked for something it does not know. Ends it with the exit status 3.
[[noreturn]] void refuse(const std::string& why);

/// One set of filters with one trace, and the matchers that are to be timed on it.
struct workload {
    /// As it was asked for.
    std::string text;
    std::vector<filter_spec> filters;
    std::vector<filter::criterion> criteria;
    std::vector<packet_key> keys;
    std::vector<std::string> sides;
    /// The numbers of the filters that packet i meets are those from ends[i] to ends[i + 1].
    std::vector<std::uint32_t> numbers;
    std::vector<std::size_t> ends;

    std::span<const std::uint32_t> expected(std::size_t packet) const {
        return std::span(numbers).subspan(ends[packet], ends[packet + 1] - ends[packet]);
    }
    /// Packets with at least one match.
    std::size_t hits() const;
};

/// Makes the workload that a text such as
/// `shape=firewall,family=inet6,count=3000,seed=2,hits=5,near=same-24,sites=clustered,
/// dress=elaborate,sides=ours+acl` describes; what is left out has the first value of its list.
/// With `family=both` half of the filters and packets are of each family.
///
/// What is expected of each packet comes from the definitions (filter::matches), asked of those
/// filters that a lookup by prefix gives; for the first packets also of all filters.
workload make_workload(std::string_view text, std::size_t packets);

} // namespace flowtap::bench
