// SPDX-License-Identifier: Apache-2.0
#include "neighbour_frames.hpp"

#include <doctest/doctest.h>

#include "hex.hpp"

using namespace flowtap;
using namespace flowtap::deliver::detail;
using namespace flowtap::deliver::test;

namespace {

ip_address address(const char* text) {
    return parse_ip_address(text).value();
}

mac_address mac(std::uint8_t last) {
    return {std::byte{2}, {}, {}, {}, {}, std::byte{last}};
}

octets made(const solicitation& from) {
    return {from.octets().begin(), from.octets().end()};
}

const char* const arp_reply = "020000000001 020000000009 0806 0001 0800 06 04 0002 020000000009"
                              "c0000209 020000000001 c0000201";

} // namespace

TEST_CASE("an ARP request goes to everybody, or to the address that is to be confirmed") {
    CHECK(made(solicitation(address("192.0.2.9"), address("192.0.2.1"), mac(1), {})) ==
          from_hex("ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 c0000201"
                   "000000000000 c0000209"));
    CHECK(made(solicitation(address("192.0.2.9"), {}, mac(1), mac(9))) ==
          from_hex("020000000009 020000000001 0806 0001 0800 06 04 0001 020000000001 00000000"
                   "000000000000 c0000209"));
}

TEST_CASE("a neighbour solicitation goes to the solicited node's group, with a good checksum") {
    const octets all =
        made(solicitation(address("2001:db8::1234:5678"), address("2001:db8::1"), mac(1), {}));
    CHECK(octets(all.begin(), all.begin() + 14) == from_hex("3333ff345678 020000000001 86dd"));
    CHECK(octets(all.begin() + 14, all.begin() + 54) ==
          from_hex("60000000 0020 3a ff 20010db8000000000000000000000001"
                   "ff0200000000000000000001ff345678"));
    // By hand: the sum over pseudo-header and message.
    CHECK(octets(all.begin() + 54, all.begin() + 56) == from_hex("8700"));
    CHECK(octets(all.begin() + 58, all.end()) ==
          from_hex("00000000 20010db8000000000000000012345678 0101 020000000001"));
    const octets one =
        made(solicitation(address("2001:db8::9"), address("2001:db8::1"), mac(1), mac(9)));
    CHECK(octets(one.begin(), one.begin() + 6) == from_hex("020000000009"));
    CHECK(octets(one.begin() + 38, one.begin() + 54) ==
          from_hex("20010db8000000000000000000000009"));
    // Without an address of its own the option is left out.
    CHECK(made(solicitation(address("2001:db8::9"), {}, mac(1), {})).size() == 14 + 40 + 24);
}

TEST_CASE("an ARP reply says who answered") {
    const octets frame = from_hex(arp_reply);
    const auto read = read_advertisement(frame);
    REQUIRE(read);
    CHECK(read->address == address("192.0.2.9"));
    CHECK(read->mac == mac(9));
    for (std::size_t size = 0; size < 28; ++size)
        CHECK_FALSE(read_advertisement(byte_view(frame).first(size)));
}

TEST_CASE("what is no answer, or one of a group, is not taken for one") {
    const auto changed = [](std::size_t at, unsigned value) {
        octets frame = from_hex(arp_reply);
        frame[at] = static_cast<std::byte>(value);
        return read_advertisement(frame).has_value();
    };
    CHECK(changed(0, 2));
    CHECK_FALSE(changed(21, 1)); // a request
    CHECK_FALSE(changed(15, 6)); // another hardware
    CHECK_FALSE(changed(22, 3)); // a group's address
    CHECK_FALSE(changed(13, 0));
}

TEST_CASE("a neighbour advertisement counts when it is from the link and its checksum is good") {
    const octets good =
        from_hex("020000000001 020000000009 86dd 6000 0000 0020 3a ff"
                 "20010db8000000000000000000000009 20010db8000000000000000000000001"
                 "8800 8a5c 60000000 20010db8000000000000000000000009 0201 020000000009");
    const auto read = read_advertisement(good);
    REQUIRE(read);
    CHECK(read->address == address("2001:db8::9"));
    CHECK(read->mac == mac(9));
    octets routed = good;
    routed[21] = std::byte{254};
    CHECK_FALSE(read_advertisement(routed));
    for (std::size_t at = 22; at < good.size(); ++at) {
        octets broken = good;
        broken[at] ^= std::byte{1};
        CHECK_FALSE(read_advertisement(broken));
    }
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK_FALSE(read_advertisement(byte_view(good).first(size)));
}
