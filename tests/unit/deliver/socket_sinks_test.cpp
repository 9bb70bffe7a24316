// SPDX-License-Identifier: Apache-2.0
#include <flowtap/deliver/network_sink.hpp>
#include <flowtap/deliver/raw_ip_sink.hpp>
#include <flowtap/deliver/udp_sink.hpp>

#include <iostream>
#include <vector>

#include <unistd.h>

#include <doctest/doctest.h>

#include "copies.hpp"
#include "receiver.hpp"

// What needs routes and MTUs of its own is tested in network namespaces:
// tests/e2e/delivery_test.py.

using namespace flowtap;
using namespace flowtap::deliver;
using namespace flowtap::deliver::test;
using path::drop_cause;

namespace {

bool skipped(bool possible, const char* reason) {
    if (!possible) {
        MESSAGE(reason);
        std::cout << "SKIPPED: " << reason << '\n';
    }
    return !possible;
}

/// A port to send from, likely free.
constexpr std::uint16_t source_port = 40'200;

void check_headers(path::sink& sink, family of) {
    receiver to(of);
    const endpoint from = of == family::inet ? loopback(source_port) : loopback6(source_port);
    packet::encapsulation with = from_to(from, to.where());
    with.ttl = 17;
    with.dscp = 34;
    const owned_copy plain(with, inner_packet(200));
    with.kind = packet::encapsulation_kind::udp_mirror;
    with.mirror = {0x3ABCDEF1, 0x01020304};
    const owned_copy mirrored(with, inner_packet(300, 5));
    CHECK(sink.consume(std::vector{plain.view(1), mirrored.view(2)}) == 2);

    const auto first = to.next();
    REQUIRE(first);
    CHECK(first->payload == plain.packet);
    CHECK(first->from == from);
    CHECK(first->ttl == 17);
    CHECK(first->traffic_class == 34 << 2);
    const auto second = to.next();
    REQUIRE(second);
    REQUIRE(second->payload.size() == 308);
    CHECK(load_big_endian<std::uint64_t>(second->payload) == 0x3ABCDEF1'01020304);
    CHECK(octets(second->payload.begin() + 8, second->payload.end()) == mirrored.packet);
    CHECK_FALSE(to.next());
    CHECK(sink.counters().delivered == 2);
}

} // namespace

TEST_CASE("plain UDP sockets send copies with their addresses, ports, TTL and class") {
    udp_sink sink;
    check_headers(sink, family::inet);
}

TEST_CASE("plain UDP sockets send copies over IPv6") {
    if (skipped(has_ipv6(), "no IPv6"))
        return;
    udp_sink sink;
    check_headers(sink, family::inet6);
}

TEST_CASE("plain UDP sockets send more copies than one call takes, in order") {
    receiver to(family::inet);
    udp_sink sink;
    std::vector<owned_copy> made;
    for (unsigned i = 0; i < 150; ++i)
        made.emplace_back(from_to(loopback(source_port + i % 2), to.where()), inner_packet(50, i));
    std::vector<path::copy> copies;
    for (const owned_copy& each : made)
        copies.push_back(each.view());
    CHECK(sink.consume(copies) == 150);
    for (const owned_copy& each : made) {
        const auto got = to.next();
        REQUIRE(got);
        CHECK(got->payload == each.packet);
    }
    CHECK(sink.counters().delivered == 150);
}

TEST_CASE("a UDP sink knows what it cannot send, and counts it when it is told to") {
    receiver to(family::inet);
    udp_sink sink;
    const owned_copy foreign(from_to({ip_address::v4(0xC0000201), 4000}, to.where()),
                             inner_packet(50));
    packet::encapsulation tunnel = from_to(loopback(source_port), to.where());
    tunnel.kind = packet::encapsulation_kind::ip_in_ip;
    const owned_copy tunnelled(tunnel, inner_packet(50));
    const owned_copy good(from_to(loopback(source_port), to.where()), inner_packet(50));
    CHECK_FALSE(sink.can_send(foreign.view()));
    CHECK_FALSE(sink.can_send(tunnelled.view()));
    CHECK(sink.can_send(good.view()));
    CHECK(sink.consume(std::vector{foreign.view(), good.view(), tunnelled.view(), good.view()}) ==
          4);
    CHECK(sink.counters().delivered == 2);
    CHECK(dropped(sink.counters(), drop_cause::send_error) == 2);
}

TEST_CASE("a UDP sink opens no more sockets than it may") {
    receiver to(family::inet);
    udp_options options;
    options.sockets = 2;
    udp_sink sink(options);
    for (std::uint16_t i = 0; i < 4; ++i) {
        const owned_copy one(
            from_to(loopback(source_port, static_cast<std::uint8_t>(i + 1)), to.where()),
            inner_packet(50));
        CHECK(sink.can_send(one.view()) == (i < 2));
        CHECK(sink.can_send(one.view()) == (i < 2));
    }
}

TEST_CASE("a UDP sink drops what is too long, and sends on after a refusal") {
    endpoint closed;
    {
        receiver gone(family::inet);
        closed = gone.where();
    }
    receiver to(family::inet);
    udp_sink sink;
    const owned_copy refused(from_to(loopback(source_port), closed), inner_packet(50));
    const owned_copy longer(from_to(loopback(source_port), to.where()), inner_packet(65'510));
    const owned_copy good(from_to(loopback(source_port), to.where()), inner_packet(50));
    for (int i = 0; i < 3; ++i)
        CHECK(sink.consume(std::vector{refused.view(), longer.view(), good.view()}) == 3);
    for (int i = 0; i < 3; ++i)
        CHECK(to.next());
    CHECK(dropped(sink.counters(), drop_cause::too_long) == 3);
    CHECK(sink.counters().delivered == 6);
}

TEST_CASE("raw sockets send the headers as the template writes them") {
    if (skipped(::geteuid() == 0, "raw sockets need root"))
        return;
    auto sink = raw_ip_sink::open();
    REQUIRE(sink);
    check_headers(**sink, family::inet);
}

TEST_CASE("raw sockets send over IPv6, with a good checksum") {
    if (skipped(::geteuid() == 0, "raw sockets need root") || skipped(has_ipv6(), "no IPv6"))
        return;
    auto sink = raw_ip_sink::open();
    REQUIRE(sink);
    check_headers(**sink, family::inet6);
}

TEST_CASE("raw sockets send more copies than one call takes, of both families, in order") {
    if (skipped(::geteuid() == 0, "raw sockets need root") || skipped(has_ipv6(), "no IPv6"))
        return;
    receiver inet(family::inet);
    receiver inet6(family::inet6);
    auto sink = raw_ip_sink::open();
    REQUIRE(sink);
    std::vector<owned_copy> made;
    for (unsigned i = 0; i < 150; ++i) {
        const auto with = i / 80 == 0 ? from_to(loopback(source_port), inet.where())
                                      : from_to(loopback6(source_port), inet6.where());
        made.emplace_back(with, inner_packet(50, i));
    }
    std::vector<path::copy> copies;
    for (const owned_copy& each : made)
        copies.push_back(each.view());
    CHECK((*sink)->consume(copies) == 150);
    for (unsigned i = 0; i < 150; ++i) {
        const auto got = i / 80 == 0 ? inet.next() : inet6.next();
        REQUIRE(got);
        CHECK(got->payload == made[i].packet);
    }
    CHECK((*sink)->counters().delivered == 150);
}

TEST_CASE("raw sockets drop what no route leads to and what IP cannot carry") {
    if (skipped(::geteuid() == 0, "raw sockets need root"))
        return;
    auto sink = raw_ip_sink::open();
    REQUIRE(sink);
    receiver to(family::inet);
    const owned_copy longer(from_to(loopback(source_port), to.where()), inner_packet(65'520));
    const owned_copy good(from_to(loopback(source_port), to.where()), inner_packet(50));
    // 240.0.0.1 is of class E, to which nothing is sent.
    const owned_copy nowhere(from_to(loopback(source_port), {ip_address::v4(0), 9}),
                             inner_packet(50));
    CHECK((*sink)->consume(std::vector{longer.view(), good.view()}) == 2);
    CHECK(dropped((*sink)->counters(), drop_cause::too_long) == 1);
    CHECK((*sink)->counters().delivered == 1);
    CHECK((*sink)->consume(std::vector{nowhere.view()}) == 1);
}

TEST_CASE("the network sink takes plain sockets for the system's own addresses, raw ones else") {
    if (skipped(::geteuid() == 0, "raw sockets need root"))
        return;
    auto sink = network_sink::open();
    REQUIRE(sink);
    CHECK((*sink)->has_raw_sockets());
    check_headers(**sink, family::inet);
    receiver to(family::inet);
    packet::encapsulation tunnel = from_to(loopback(source_port), to.where());
    tunnel.kind = packet::encapsulation_kind::ip_in_ip;
    const owned_copy tunnelled(tunnel, inner_packet(50));
    const owned_copy good(from_to(loopback(source_port), to.where()), inner_packet(50));
    CHECK((*sink)->consume(std::vector{good.view(), tunnelled.view(), good.view()}) == 3);
    CHECK((*sink)->counters().delivered == 5);
}

namespace {

/// An opener of a process without privileges.
class unprivileged final : public opener {
public:
    result<descriptor> file_to_read(const std::string& path) override {
        return direct_opener().file_to_read(path);
    }
    result<descriptor> file_to_write(const std::string& path) override {
        return direct_opener().file_to_write(path);
    }
    result<descriptor> raw_socket(family) override {
        return fail(error(std::make_error_code(std::errc::operation_not_permitted), "raw socket"));
    }
    result<descriptor> udp_socket(const endpoint& local) override {
        return direct_opener().udp_socket(local);
    }
    result<descriptor> packet_socket() override { return raw_socket(family::inet); }
};

} // namespace

TEST_CASE("without privileges the network sink still sends what plain sockets can") {
    unprivileged via;
    network_options options;
    options.socket.via = &via;
    CHECK(raw_ip_sink::open(options.socket).error().code == std::errc::operation_not_permitted);
    auto sink = network_sink::open(options);
    REQUIRE(sink);
    CHECK_FALSE((*sink)->has_raw_sockets());
    check_headers(**sink, family::inet);
    receiver to(family::inet);
    const owned_copy foreign(from_to({ip_address::v4(0xC0000201), 4000}, to.where()),
                             inner_packet(50));
    CHECK((*sink)->consume(std::vector{foreign.view()}) == 1);
    CHECK(dropped((*sink)->counters(), drop_cause::send_error) == 1);
}

TEST_CASE("copies leave through the device that is chosen, or not at all") {
    for (const egress_choice choice : {egress_choice::automatic, egress_choice::udp}) {
        receiver to(family::inet);
        const owned_copy one(from_to(loopback(source_port), to.where()), inner_packet(50));
        network_options options;
        options.choice = choice;
        options.socket.device = "lo";
        auto sink = network_sink::open(options);
        REQUIRE(sink);
        CHECK((*sink)->consume(std::vector{one.view()}) == 1);
        CHECK(to.next());
        CHECK((*sink)->counters().delivered == 1);

        options.socket.device = "no-such-device";
        auto none = network_sink::open(options);
        const bool is_refused = !none;
        if (none)
            (*none)->consume(std::vector{one.view()});
        CHECK((is_refused || (*none)->counters().delivered == 0));
        CHECK_FALSE(to.next());
    }
}
