// SPDX-License-Identifier: Apache-2.0
#include <random>

#include <doctest/doctest.h>

#include <flowtap/packet/checksum.hpp>

#include "builder.hpp"

using namespace flowtap;
using namespace flowtap::packet;
using namespace flowtap::test;

namespace {

octets random_octets(std::mt19937& random, std::size_t size) {
    octets out(size);
    for (std::byte& octet : out)
        octet = std::byte(random() & 0xFF);
    return out;
}

} // namespace

TEST_CASE("the example of RFC 1071, section 3, has the sum that stands there") {
    // The sum is ddf2, the checksum its complement.
    CHECK(internet_checksum().add(hex("0001 f203 f4f5 f6f7")).value() == 0x220D);
}

TEST_CASE("nothing has the checksum ffff") {
    CHECK(internet_checksum().value() == 0xFFFF);
    CHECK(internet_checksum().add(byte_view()).value() == 0xFFFF);
}

TEST_CASE("the checksum is that of a plain loop, at every length and split in two at every place") {
    constexpr unsigned seed = 20261121;
    MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    for (std::size_t size = 0; size <= 70; ++size) {
        const octets bytes = random_octets(random, size);
        const std::uint16_t expected = plain_checksum(bytes);
        REQUIRE(internet_checksum().add(bytes).value() == expected);
        for (std::size_t cut = 0; cut <= size; ++cut) {
            const byte_view view(bytes);
            REQUIRE(internet_checksum().add(view.first(cut)).add(view.subspan(cut)).value() ==
                    expected);
        }
    }
    const octets jumbo = random_octets(random, 70'001);
    CHECK(internet_checksum().add(jumbo).value() == plain_checksum(jumbo));
    const octets ones(65'536, std::byte{0xFF});
    CHECK(internet_checksum().add(ones).value() == plain_checksum(ones));
}

TEST_CASE("a packet with its checksum in it sums up to zero") {
    const octets packet = ipv4({}, {});
    CHECK(internet_checksum().add(packet).value() == 0);
}

TEST_CASE("an updated checksum is the one of the changed octets") {
    constexpr unsigned seed = 7;
    MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 10'000; ++round) {
        const auto fixed = static_cast<std::uint16_t>(random() | 1U);
        const auto before = static_cast<std::uint16_t>(random());
        const auto after = static_cast<std::uint16_t>(random());
        REQUIRE(update_checksum(plain_checksum(u16(fixed) + u16(before)), before, after) ==
                plain_checksum(u16(fixed) + u16(after)));
    }
    // The corner of RFC 1624, section 3.
    CHECK(update_checksum(0xDD2F, 0x5555, 0x3285) == 0x0000);
}
