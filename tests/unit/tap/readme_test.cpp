// SPDX-License-Identifier: Apache-2.0
// The example of lib/tap/README.md.
#include <doctest/doctest.h>

#include "rig.hpp"

using namespace flowtap;
using tap::test::memory_audit;

TEST_CASE("the example of the README answers a NOOP") {
    const time_stamp now{};
    const permission::principal principal = tap::test::rig::principal("lea1");
    const auto make_hash = tap::test::make_test_hash;
    const auto signed_noop = [] {
        return tap::test::signed_message("NOOP DTCP/0.7\nCsource-ID: lea1\nSeq: 1\n",
                                         "a key of its own");
    };
    std::string received;

    path::data_path path;
    memory_audit audit;
    tap::settings with;
    with.sources["lea1"].key = "a key of its own";
    tap::access_point point(with, {path, audit, make_hash});

    const auto session = point.open(principal, "192.0.2.7:50000", now);
    const std::string request = signed_noop();
    point.feed(*session, as_byte_view(request), now);
    point.turn(now);
    while (auto effect = point.next_effect()) {
        if (const auto* ready = std::get_if<tap::output_ready>(&*effect)) {
            std::array<char, 4096> room;
            const std::size_t count = point.read(ready->session, room, now);
            received.append(room.data(), count);
        }
    }

    CHECK(tap::test::verified(received, "a key of its own").starts_with("DTCP/0.7 200 OK\n"));
}
