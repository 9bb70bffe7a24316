// SPDX-License-Identifier: Apache-2.0
// Sends one packet as a copy again and again, or the same octets through a plain UDP socket.
//
// usage: send_copies auto|packet|raw|udp|plain SOURCE DESTINATION PORT SIZE MILLISECONDS
//
// SIZE is that of the copied packet, in octets. `plain` is the yardstick: a loop of send(2) on a
// connected socket. Prints how many the system took, and the time in microseconds.
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/opener.hpp>
#include <flowtap/deliver/network_sink.hpp>

namespace {

using namespace flowtap;
using clock_type = std::chrono::steady_clock;

struct arguments {
    std::string way;
    endpoint source;
    endpoint destination;
    std::vector<std::byte> packet;
    std::chrono::milliseconds time;
};

/// The time is looked at this seldom, by all ways alike.
constexpr std::size_t batch = 256;

/// What was sent, and in which time: that of opening and closing sockets is not in it, and not that
/// of asking for the next hop.
struct outcome {
    std::uint64_t sent = 0;
    clock_type::duration time{0};
};

outcome send_plain(const arguments& given) {
    const auto socket = direct_opener().udp_socket({ip_address(family::inet, {}), 0});
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(given.destination.port);
    const auto octets = given.destination.address.bytes();
    std::memcpy(&to.sin_addr, octets.data(), sizeof to.sin_addr);
    sockaddr any{};
    std::memcpy(&any, &to, sizeof any);
    if (!socket || ::connect(socket->number(), &any, sizeof any) != 0)
        return {};
    const auto begin = clock_type::now();
    outcome made;
    for (; made.time < given.time; made.time = clock_type::now() - begin)
        for (std::size_t i = 0; i < batch; ++i)
            if (::send(socket->number(), given.packet.data(), given.packet.size(), 0) >= 0)
                ++made.sent;
    return made;
}

outcome send_copies(const arguments& given, deliver::egress_choice choice) {
    deliver::network_options options;
    options.choice = choice;
    auto sink = deliver::network_sink::open(options);
    if (!sink) {
        std::cerr << sink.error().message() << '\n';
        return {};
    }
    packet::encapsulation with;
    with.source = given.source;
    with.destination = given.destination;
    const auto header = packet::header_template::make(with);
    std::array<path::copy, batch> copies;
    std::uint16_t identification = 0;
    for (path::copy& each : copies) {
        each.header = &*header;
        each.packet = given.packet;
        each.identification = ++identification;
    }
    const auto send = [&](std::span<const path::copy> some) {
        (*sink)->advance();
        const std::size_t taken = (*sink)->consume(some);
        if (taken < some.size())
            (*sink)->wait(std::chrono::milliseconds(1));
    };
    const auto given_up = clock_type::now() + std::chrono::seconds(10);
    for (send(std::span(copies).first(1)); (*sink)->counters().delivered == 0; send({}))
        if (clock_type::now() > given_up)
            return {};
    const std::uint64_t before = (*sink)->counters().delivered;
    const auto begin = clock_type::now();
    outcome made;
    for (; made.time < given.time; made.time = clock_type::now() - begin)
        send(copies);
    made.sent = (*sink)->counters().delivered - before;
    return made;
}

int run(const arguments& given) {
    const std::map<std::string, deliver::egress_choice> choices{
        {"auto", deliver::egress_choice::automatic},
        {"packet", deliver::egress_choice::frames},
        {"raw", deliver::egress_choice::raw},
        {"udp", deliver::egress_choice::udp}};
    const auto chosen = choices.find(given.way);
    if (chosen == choices.end() && given.way != "plain")
        return 2;
    const outcome made =
        given.way == "plain" ? send_plain(given) : send_copies(given, chosen->second);
    const auto time = std::chrono::duration_cast<std::chrono::microseconds>(made.time);
    std::cout << made.sent << ' ' << time.count() << '\n';
    return made.sent == 0 ? 1 : 0;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 7)
        return 2;
    const auto source = parse_ip_address(argv[2]);
    const auto destination = parse_ip_address(argv[3]);
    if (!source || !destination)
        return 2;
    arguments given{argv[1],
                    {*source, 40'000},
                    {*destination, static_cast<std::uint16_t>(std::stoul(argv[4]))},
                    std::vector<std::byte>(std::stoul(argv[5])),
                    std::chrono::milliseconds(std::stoul(argv[6]))};
    given.packet.at(0) = std::byte{0x45};
    return run(given);
}
