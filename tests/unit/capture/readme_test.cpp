// SPDX-License-Identifier: Apache-2.0
// The example of lib/capture/README.md.
#include <flowtap/capture/pcap_file_source.hpp>

#include <array>

#include <doctest/doctest.h>

#include "capture_bytes.hpp"

namespace {

using namespace flowtap;

/// Octets on the wire of all packets of a capture.
result<std::uint64_t> octets_in(const std::string& capture) {
    auto source = capture::pcap_file_source::open(capture);
    if (!source)
        return fail(source.error());
    std::array<path::captured_packet, 256> packets;
    std::uint64_t octets = 0;
    for (;;) {
        const path::read_result got = (*source)->read(packets);
        for (const path::captured_packet& each : std::span(packets).first(got.count))
            octets += each.wire_length;
        if (got.state == path::source_state::failed)
            return fail((*source)->failure());
        if (got.state == path::source_state::finished)
            return octets;
    }
}

} // namespace

TEST_CASE("the example of the README counts the octets of a capture") {
    using namespace capture::test;
    const scratch_file file(pcap_header() + pcap_record("abcd") + pcap_record("efghi"));
    CHECK(octets_in(file.path).value() == 9);
    CHECK_FALSE(octets_in("/nowhere/a.pcap"));
}
