// SPDX-License-Identifier: Apache-2.0
#include "corpus.hpp"

#include <algorithm>
#include <utility>

namespace flowtap::test {

namespace {

/// Puts a packet into a link's frame, with the captured part of it.
frame_sample frame_of(const link_sample& link, const packet_sample& sample) {
    octets frame = link.wrap(sample.of_family, sample.packet);
    const std::size_t wire_length = frame.size();
    if (sample.captured < sample.packet.size()) {
        const auto found =
            std::search(frame.begin(), frame.end(), sample.packet.begin(), sample.packet.end());
        frame.resize(static_cast<std::size_t>(found - frame.begin()) + sample.captured);
    }
    const std::size_t visible = std::min(sample.captured, sample.total_length);
    const bool has_view = sample.expected.find(' ') != std::string::npos;
    return {.name = link.name + " / " + sample.name,
            .link = link.link,
            .frame = std::move(frame),
            .wire_length = wire_length,
            .expected = sample.expected,
            .vlan = link.vlan,
            .ip = has_view ? octets(sample.packet.begin(),
                                    sample.packet.begin() + static_cast<std::ptrdiff_t>(visible))
                           : octets{},
            .total_length = sample.total_length};
}

} // namespace

std::vector<frame_sample> corpus() {
    std::vector<frame_sample> all = other_frames();
    const auto packets = packet_samples();
    for (const link_sample& link : link_samples()) {
        for (const packet_sample& sample : packets) {
            const bool carried =
                sample.of_family == family::inet ? link.carries_ipv4 : link.carries_ipv6;
            if (carried && !(link.pads && sample.takes_all_of_the_link))
                all.push_back(frame_of(link, sample));
        }
    }
    return all;
}

} // namespace flowtap::test
