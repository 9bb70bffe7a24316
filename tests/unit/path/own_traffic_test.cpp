// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <doctest/doctest.h>

#include <flowtap/path/snapshot.hpp>

using namespace flowtap;
using namespace flowtap::path;

namespace {

packet_key tcp(std::uint32_t from, std::uint16_t from_port, std::uint32_t to,
               std::uint16_t to_port) {
    packet_key key;
    key.source = {0, from};
    key.destination = {0, to};
    key.source_port = from_port;
    key.destination_port = to_port;
    key.protocol = 6;
    key.has_ports = true;
    return key;
}

} // namespace

TEST_CASE("the access point's own services are told in both directions") {
    own_traffic own;
    own.add(6, {ip_address::v4(10), 32001});
    own.add(17, {ip_address(family::inet, {}), 32002});
    CHECK(own.contains(tcp(1, 5000, 10, 32001)));
    CHECK(own.contains(tcp(10, 32001, 1, 5000)));
    CHECK_FALSE(own.contains(tcp(10, 5000, 1, 32001)));
    CHECK_FALSE(own.contains(tcp(1, 5000, 11, 32001)));
    CHECK_FALSE(own.contains(tcp(1, 5000, 10, 32065)));
    packet_key udp = tcp(1, 5000, 99, 32002);
    CHECK_FALSE(own.contains(udp));
    udp.protocol = 17;
    CHECK(own.contains(udp));
    udp.of_family = family::inet6;
    CHECK_FALSE(own.contains(udp));
    udp.of_family = family::inet;
    udp.has_ports = false;
    CHECK_FALSE(own.contains(udp));
}

TEST_CASE("of a packet without ports addresses and protocol tell whether it may be the own") {
    own_traffic own;
    own.add(6, {ip_address::v4(10), 32001});
    own.add(17, {ip_address(family::inet6, {}), 32002});
    packet_key key = tcp(1, 0, 10, 0);
    key.has_ports = false;
    CHECK(own.may_contain(key));
    std::swap(key.source, key.destination);
    CHECK(own.may_contain(key));
    key.source = {0, 11};
    CHECK_FALSE(own.may_contain(key));
    key.protocol = 17;
    CHECK_FALSE(own.may_contain(key));
    key.of_family = family::inet6;
    CHECK(own.may_contain(key));
    key.protocol = 6;
    CHECK_FALSE(own.may_contain(key));
    CHECK_FALSE(own_traffic().may_contain(key));
}

TEST_CASE("of a service of somebody else only what passes between it and the own address is told") {
    own_traffic own;
    own.add(6, {ip_address::v4(10), 1812}, ip_address::v4(1));
    own.add(6, {ip_address::v4(20), 1812}, ip_address(family::inet, {}));
    CHECK(own.contains(tcp(1, 5000, 10, 1812)));
    CHECK(own.contains(tcp(10, 1812, 1, 5000)));
    CHECK_FALSE(own.contains(tcp(2, 5000, 10, 1812)));
    CHECK_FALSE(own.contains(tcp(10, 1812, 2, 5000)));
    CHECK_FALSE(own.contains(tcp(1, 1812, 10, 5000)));
    CHECK(own.contains(tcp(2, 5000, 20, 1812)));
    packet_key fragment = tcp(1, 0, 10, 0);
    fragment.has_ports = false;
    CHECK(own.may_contain(fragment));
    fragment.source = {0, 2};
    CHECK_FALSE(own.may_contain(fragment));
}
