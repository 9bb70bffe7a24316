// SPDX-License-Identifier: Apache-2.0
//
// Measures how long small UDP packets take through a host: from the call that sends one in one
// namespace to the time that the kernel notes when it arrives in another. No thread's wakening is
// in it. The next packet is sent when the other side has answered.
//
// usage: measure_forwarding --trips N --warm-up N --from NAMESPACE-FILE --from-address A
//                           --to NAMESPACE-FILE --to-address B [--port N] [--size N]
//
// Prints a JSON object with the times in nanoseconds: percentiles, and how many packets were not
// answered within a second.
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
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

std::uint64_t nanoseconds(const timespec& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * second +
           static_cast<std::uint64_t>(time.tv_nsec);
}

/// By the clock that the kernel notes arrivals by.
std::uint64_t now() {
    timespec read{};
    ::clock_gettime(CLOCK_REALTIME, &read);
    return nanoseconds(read);
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

/// What goes back and forth: its number; there, when it was sent, and back, when it arrived.
struct message {
    std::uint64_t number = 0;
    std::uint64_t time = 0;
};

using packet = std::array<std::byte, largest>;

/// When the kernel got the packet that was received with this header; 0 if it does not say.
std::uint64_t arrival(msghdr& header) {
    for (cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr; each = CMSG_NXTHDR(&header, each))
        if (each->cmsg_level == SOL_SOCKET && each->cmsg_type == SO_TIMESTAMPNS) {
            timespec time{};
            std::memcpy(&time, CMSG_DATA(each), sizeof time);
            return nanoseconds(time);
        }
    return 0;
}

/// Answers what comes with the time at which it arrived. Looks at `ended` once a second.
void answer(int socket, const std::atomic<bool>& ended) {
    const int on = 1;
    if (::setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0)
        fail("SO_TIMESTAMPNS");
    packet buffer{};
    std::array<char, 256> control{};
    while (!ended) {
        sockaddr_in from{};
        iovec part{buffer.data(), buffer.size()};
        msghdr header{};
        header.msg_name = &from;
        header.msg_namelen = sizeof from;
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        const ssize_t came = ::recvmsg(socket, &header, 0);
        if (came < static_cast<ssize_t>(sizeof(message)))
            continue;
        message told;
        std::memcpy(&told, buffer.data(), sizeof told);
        told.time = arrival(header);
        std::memcpy(buffer.data(), &told, sizeof told);
        ::sendto(socket, buffer.data(), static_cast<std::size_t>(came), 0,
                 reinterpret_cast<const sockaddr*>(&from), sizeof from);
    }
}

struct trips {
    std::vector<std::uint64_t> times;
    std::uint64_t lost = 0;
};

trips travel(int socket, std::uint64_t first, std::uint64_t count, std::size_t size) {
    trips made;
    made.times.reserve(count);
    packet buffer{};
    for (std::uint64_t i = first; i < first + count; ++i) {
        message told{i, now()};
        const std::uint64_t begin = told.time;
        std::memcpy(buffer.data(), &told, sizeof told);
        if (::send(socket, buffer.data(), size, 0) < 0)
            fail("send");
        ssize_t came = 0;
        do { // an answer to one that was given up may still come
            came = ::recv(socket, buffer.data(), buffer.size(), 0);
            std::memcpy(&told, buffer.data(), sizeof told);
        } while (came > 0 && told.number != i);
        if (came > 0 && told.time > begin)
            made.times.push_back(told.time - begin);
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
    if (size < sizeof(message) || size > largest)
        throw std::runtime_error("16 to 1400 octets");
    const int there = socket_in(given.text("to"), far);
    const int here = socket_in(given.text("from"), near);
    std::atomic<bool> ended = false;
    std::thread answering([there, &ended] { answer(there, ended); });
    if (::connect(here, reinterpret_cast<const sockaddr*>(&far), sizeof far) != 0)
        fail("connect");
    const std::uint64_t warm_up = given.number("warm-up", 1000);
    travel(here, 1, warm_up, size);
    trips made = travel(here, 1 + warm_up, given.number("trips"), size);
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
