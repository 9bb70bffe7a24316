// SPDX-License-Identifier: Apache-2.0
#include <flowtap/capture/live_source.hpp>

#include <doctest/doctest.h>

#include <flowtap/capture/error.hpp>

// What needs a device is tested in network namespaces: tests/e2e/live_capture_test.py.

using namespace flowtap;

TEST_CASE("a device that is not there is named in the error") {
    const auto refused = capture::live_source::open("flowtap-none");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == capture::errc::cannot_open_device);
    CHECK(refused.error().subject.find("flowtap-none: ") == 0);
}
