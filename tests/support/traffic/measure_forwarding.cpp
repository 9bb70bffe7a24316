// SPDX-License-Identifier: Apache-2.0
//
// Measures how long small UDP packets take through a host and back: one at a time goes from a
// socket in one namespace to a socket in another, which sends it back.
//
// usage: measure_forwarding --trips N --warm-up N --from NAMESPACE-FILE --from-address A
//                           --to NAMESPACE-FILE --to-address B [--port N] [--size N]
//
// Prints a JSON object with the times of the trips, there and back, in nanoseconds: percentiles,
// and how many packets did not come back within a second.
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <fcntl.h>
#include <iostream>
#include <sched.h>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "arguments.hpp"

namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::size_t largest = 1400;

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::system_category(), what);
}

std::uint64_t now() {
    timespec read{};
    ::clock_gettime(CLOCK_MONOTONIC, &read);
    return static_cast<std::uint64_t>(read.tv_sec) * second +
           static_cast<std::uint64_t>(read.tv_nsec);
}

sockaddr_in at(const std::string& address, std::uint64_t port) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::inet_pton(AF_INET, address.c_str(), &made.sin_addr) != 1)
        throw std::runtime_error("not an IPv4 address: " + address);
    return made;
}

int socket_in(const std::string& home, const sockaddr_in& bound) {
    const int wanted = ::open(home.c_str(), O_RDONLY | O_CLOEXEC);
    if (wanted < 0 || ::setns(wanted, CLONE_NEWNET) != 0)
        fail(home);
    ::close(wanted);
    const int made = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (made < 0 || ::bind(made, reinterpret_cast<const sockaddr*>(&bound), sizeof bound) != 0)
        fail("a socket in " + home);
    const timeval limit{1, 0};
    ::setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return made;
}

/// Sends back what comes. Looks at `ended` once a second when nothing does.
void echo(int socket, const std::atomic<bool>& ended) {
    std::array<std::byte, largest> buffer{};
    while (!ended) {
        sockaddr_in from{};
        socklen_t size = sizeof from;
        const ssize_t came = ::recvfrom(socket, buffer.data(), buffer.size(), 0,
                                        reinterpret_cast<sockaddr*>(&from), &size);
        if (came > 0)
            ::sendto(socket, buffer.data(), static_cast<std::size_t>(came), 0,
                     reinterpret_cast<const sockaddr*>(&from), size);
    }
}

struct trips {
    std::vector<std::uint64_t> times;
    std::uint64_t lost = 0;
};

trips travel(int socket, const sockaddr_in& to, std::uint64_t count, std::size_t size) {
    trips made;
    made.times.reserve(count);
    std::array<std::uint64_t, largest / sizeof(std::uint64_t)> out{}, back{};
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        fail("connect");
    for (std::uint64_t i = 1; i <= count; ++i) {
        out[0] = i;
        const std::uint64_t begin = now();
        if (::send(socket, out.data(), size, 0) < 0)
            fail("send");
        ssize_t came = 0;
        do // one that was given up may still come
            came = ::recv(socket, back.data(), sizeof back, 0);
        while (came > 0 && back[0] != i);
        if (came > 0)
            made.times.push_back(now() - begin);
        else
            ++made.lost;
    }
    return made;
}

void report(trips& made) {
    std::sort(made.times.begin(), made.times.end());
    const auto at_share = [&made](double share) {
        const auto place = static_cast<std::size_t>(share * static_cast<double>(made.times.size()));
        return made.times.empty() ? 0 : made.times[std::min(place, made.times.size() - 1)];
    };
    std::cout << "{\"trips\":" << made.times.size() << ",\"lost\":" << made.lost;
    constexpr std::array<std::pair<const char*, double>, 6> shares{
        {{"p10", 0.1}, {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}}};
    for (const auto& [name, share] : shares)
        std::cout << ",\"" << name << "\":" << at_share(share);
    std::cout << "}" << std::endl;
}

void run(const traffic::arguments& given) {
    const std::uint64_t port = given.number("port", 7000);
    const sockaddr_in near = at(given.text("from-address"), port);
    const sockaddr_in far = at(given.text("to-address"), port);
    const std::size_t size = given.number("size", 18);
    if (size < sizeof(std::uint64_t) || size > largest)
        throw std::runtime_error("8 to 1400 octets");
    const int there = socket_in(given.text("to"), far);
    const int here = socket_in(given.text("from"), near);
    std::atomic<bool> ended = false;
    std::thread answering([there, &ended] { echo(there, ended); });
    travel(here, far, given.number("warm-up", 1000), size);
    trips made = travel(here, far, given.number("trips"), size);
    ended = true;
    answering.join();
    report(made);
}

} // namespace

int main(int argc, char** argv) {
    try {
        run(traffic::arguments(argc, argv));
        return 0;
    } catch (const std::exception& problem) {
        std::cerr << "measure_forwarding: " << problem.what() << '\n';
        return 2;
    }
}
