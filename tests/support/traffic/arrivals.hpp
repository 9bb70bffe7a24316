// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace traffic {

/// Which packets of one flow came, by their places in it. What comes in order costs nothing to
/// keep, however much it is; each gap costs one range, up to a limit.
class flow_arrivals {
public:
    /// Further gaps are only counted.
    static constexpr std::size_t most_ranges = std::size_t{1} << 16;

    struct range {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
    };

    void add(std::uint64_t place);

    /// Ascending, none next to another. With more gaps than fit, the last range stands for all that
    /// came later.
    const std::vector<range>& ranges() const { return ranges_; }
    std::uint64_t packets() const { return packets_; }
    /// Packets that came after a later one of their flow.
    std::uint64_t disordered() const { return disordered_; }
    /// Packets that had come before.
    std::uint64_t duplicates() const { return duplicates_; }
    /// Gaps that are not between two of `ranges`.
    std::uint64_t further_gaps() const { return further_gaps_; }

private:
    void add_late(std::uint64_t place);

    std::vector<range> ranges_;
    std::uint64_t packets_ = 0;
    std::uint64_t disordered_ = 0;
    std::uint64_t duplicates_ = 0;
    std::uint64_t further_gaps_ = 0;
};

/// What came to one port.
struct port_arrivals {
    std::string name;
    std::vector<flow_arrivals> flows;
    std::uint64_t packets = 0; ///< all of them
    std::uint64_t octets = 0;
    std::uint64_t foreign = 0;    ///< no numbered packets
    std::uint64_t altered = 0;    ///< not the octets that were sent; not in `flows`
    std::uint64_t overflowed = 0; ///< lost for want of room in the socket
    std::uint64_t first_time = 0; ///< nanoseconds on the monotonic clock
    std::uint64_t latest_time = 0;
};

/// All of it as JSON.
std::string to_json(const std::vector<port_arrivals>& ports);

} // namespace traffic
