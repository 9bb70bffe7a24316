// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/capture/pcap_file_source.hpp>

#include "capture_bytes.hpp"

/// Captures read whole, and frames to put into them.
namespace flowtap::capture::test {

struct reading {
    std::vector<std::string> frames;
    std::vector<path::captured_packet> packets; ///< their frames are gone
    path::source_state end = path::source_state::ready;
    error failure;
};

/// Reads a source to its end.
inline reading read_to_end(path::source& source, std::size_t batch = 4) {
    reading all;
    std::vector<path::captured_packet> packets(batch);
    while (all.end == path::source_state::ready) {
        const path::read_result got = source.read(packets);
        for (const auto& each : std::span(packets).first(got.count)) {
            std::string frame(each.frame.size(), '\0');
            std::ranges::transform(each.frame, frame.begin(),
                                   [](std::byte octet) { return static_cast<char>(octet); });
            all.frames.push_back(frame);
            all.packets.push_back(each);
        }
        all.end = got.state;
    }
    all.failure = source.failure();
    return all;
}

inline reading read_all(const std::string& contents, const file_options& options = {},
                        std::size_t batch = 4) {
    const scratch_file file(contents);
    auto source = pcap_file_source::open(file.path, options);
    REQUIRE(source);
    return read_to_end(**source, batch);
}

inline std::vector<std::string> numbered_frames(std::size_t count, std::size_t size = 30) {
    std::vector<std::string> made;
    for (std::size_t i = 0; i < count; ++i)
        made.emplace_back(size + i % 7, static_cast<char>('A' + i % 26));
    return made;
}

inline std::string pcap_file(const std::vector<std::string>& frames, const pcap_kind& kind = {}) {
    std::string made = pcap_header(kind);
    for (const std::string& frame : frames)
        made += pcap_record(frame, kind);
    return made;
}

} // namespace flowtap::capture::test
