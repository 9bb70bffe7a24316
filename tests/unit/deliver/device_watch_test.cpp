// SPDX-License-Identifier: Apache-2.0
#include <flowtap/deliver/device_watch.hpp>

#include <string>

#include <doctest/doctest.h>

using namespace flowtap;

// Devices that come, go and lose their carrier are tested in network namespaces:
// tests/e2e/bindings_test.py.

TEST_CASE("a device that does not exist, or has no name, cannot send; loopback can") {
    auto watch = deliver::device_watch::open();
    REQUIRE(watch);
    CHECK(watch->number() >= 0);
    watch->read();
    CHECK(watch->can_send("lo"));
    for (const std::string& none : {std::string(), std::string("nowhere0"), std::string(15, 'x'),
                                    std::string(16, 'x'), std::string(1000, 'x')})
        CHECK_FALSE(watch->can_send(none));
}
