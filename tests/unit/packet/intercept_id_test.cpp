// SPDX-License-Identifier: Apache-2.0
#include <ostream>
#include <string>

#include <doctest/doctest.h>

#include <flowtap/packet/error.hpp>
#include <flowtap/packet/intercept_id.hpp>

#include "builder.hpp"

using namespace flowtap;
using namespace flowtap::packet;
using namespace flowtap::test;

TEST_CASE("both forms of an intercept id are read, with and without 0x") {
    struct row {
        const char* text;
        mirror_id id;
    };
    for (const row& sample : {
             row{"000000020010f447", {2, 0x0010F447}},
             row{"0x000000020010F447", {2, 0x0010F447}},
             row{"0X3FFFFFFFFFFFFFFF", {0x3FFFFFFF, 0xFFFFFFFF}},
             row{"0000000000000000", {0, 0}},
             row{"40000000", {0, std::nullopt}},
             row{"0x7fffffff", {0x3FFFFFFF, std::nullopt}},
             row{"0x40003039", {0x3039, std::nullopt}},
         }) {
        CAPTURE(std::string(sample.text));
        const auto id = parse_intercept_id(sample.text);
        REQUIRE(id);
        CHECK(*id == sample.id);
    }
}

TEST_CASE("what is not of one of the two forms is refused, and shown") {
    for (const char* text : {"",
                             "0x",
                             "0",
                             "0x2",
                             "00000002",
                             "3fffffff",
                             "80000000",
                             "c0000000",
                             "4000000000000000",
                             "8000000000000000",
                             "ffffffffffffffff",
                             "4000000",
                             "400000000",
                             "000000020010f44",
                             "000000020010f4470",
                             "0x00000002 0010f447",
                             "-40000000",
                             "+40000000",
                             "4000000g",
                             "0x0x40000000",
                             " 40000000",
                             "40000000 ",
                             "0x4000000"}) {
        CAPTURE(std::string(text));
        const auto id = parse_intercept_id(text);
        REQUIRE_FALSE(id);
        CHECK(id.error().code == packet::errc::invalid_intercept_id);
        CHECK(id.error().subject == text);
    }
    for (std::size_t size = 0; size <= 9; ++size) {
        if (size != 8)
            CHECK_FALSE(read_intercept_id(octets(size)));
    }
    CHECK(*read_intercept_id(hex("40000007")) == mirror_id{7, std::nullopt});
    CHECK(*read_intercept_id(hex("0000000700000008")) == mirror_id{7, 8});
}

TEST_CASE("the session id comes from the id, or from the low 32 bits of the session") {
    CHECK(mirror_id{7, 8}.header_for(9) == mirror_header{7, 8});
    CHECK(mirror_id{7, std::nullopt}.header_for(0x1'0000'0009) == mirror_header{7, 9});
}
