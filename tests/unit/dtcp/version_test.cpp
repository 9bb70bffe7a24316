// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/version.hpp>

#include <doctest/doctest.h>

namespace flowtap::dtcp {

TEST_CASE("versions are compared as numbers") {
    CHECK(version{0, 7} < version{0, 8});
    CHECK(version{1, 0} > version{0, 9});
    CHECK(version{2, 9} < version{3, 1});
    CHECK(version{0, 6} == version{0, 6});
}

TEST_CASE("0.5 to 0.8 are spoken") {
    for (std::uint8_t minor = 0; minor < 12; ++minor)
        CHECK(is_spoken({0, minor}) == (minor >= 5 && minor <= 8));
    CHECK_FALSE(is_spoken({1, 7}));
}

TEST_CASE("an answer carries the request's version or the nearest that is spoken") {
    CHECK(answer_version({0, 6}) == version{0, 6});
    CHECK(answer_version({0, 9}) == version{0, 8});
    CHECK(answer_version({7, 0}) == version{0, 8});
    CHECK(answer_version({0, 4}) == version{0, 5});
    CHECK(answer_version({0, 0}) == version{0, 5});
}

} // namespace flowtap::dtcp
