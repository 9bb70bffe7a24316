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

std::uint64_t send_plain(const arguments& given, clock_type::time_point end) {
    const auto socket = direct_opener().udp_socket({ip_address(family::inet, {}), 0});
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(given.destination.port);
    const auto octets = given.destination.address.bytes();
    std::memcpy(&to.sin_addr, octets.data(), sizeof to.sin_addr);
    sockaddr any{};
    std::memcpy(&any, &to, sizeof any);
    if (!socket || ::connect(socket->number(), &any, sizeof any) != 0)
        return 0;
    std::uint64_t sent = 0;
    while (clock_type::now() < end)
        for (std::size_t i = 0; i < batch; ++i)
            if (::send(socket->number(), given.packet.data(), given.packet.size(), 0) >= 0)
                ++sent;
    return sent;
}

std::uint64_t send_copies(const arguments& given, deliver::egress_choice choice,
                          clock_type::time_point end) {
    deliver::network_options options;
    options.choice = choice;
    auto sink = deliver::network_sink::open(options);
    if (!sink) {
        std::cerr << sink.error().message() << '\n';
        return 0;
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
    while (clock_type::now() < end) {
        (*sink)->advance();
        const std::size_t taken = (*sink)->consume(copies);
        if (taken < copies.size())
            (*sink)->wait(std::chrono::milliseconds(1));
    }
    return (*sink)->counters().delivered;
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
    const auto begin = clock_type::now();
    const std::uint64_t sent = given.way == "plain"
                                   ? send_plain(given, begin + given.time)
                                   : send_copies(given, chosen->second, begin + given.time);
    const auto time =
        std::chrono::duration_cast<std::chrono::microseconds>(clock_type::now() - begin);
    std::cout << sent << ' ' << time.count() << '\n';
    return sent == 0 ? 1 : 0;
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
