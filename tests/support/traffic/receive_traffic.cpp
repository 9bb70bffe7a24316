// SPDX-License-Identifier: Apache-2.0
//
// Receives copies of numbered packets (numbered_packets.hpp) in UDP, and says exactly which came.
//
// usage: receive_traffic [--flows N] [--run N] [--inet6-every N] [--sizes N,N,...]
//                        [--board FILE] [--event DESCRIPTOR] PORT,ADDRESS[,NAMESPACE-FILE]...
//
// Prints `ready` when its sockets are open. It receives until its standard input ends, or until so
// many copies have come as a line `N` on it says (those that a full socket lost count), which it
// waits a minute for. Then it prints a JSON object: for each port what came, and in which order.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <fcntl.h>
#include <iostream>
#include <memory>
#include <netdb.h>
#include <poll.h>
#include <sched.h>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <linux/sock_diag.h>
#include <sys/socket.h>

#include "arguments.hpp"
#include "arrivals.hpp"
#include "board.hpp"
#include "numbered_packets.hpp"

namespace {

constexpr std::size_t batch = 64;
/// Longer than any copy.
constexpr std::size_t longest_copy = 2048;
constexpr int socket_room = 64 << 20;
constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t patience = 60 * second;

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::system_category(), what);
}

std::uint64_t now() {
    timespec read{};
    ::clock_gettime(CLOCK_MONOTONIC, &read);
    return static_cast<std::uint64_t>(read.tv_sec) * second +
           static_cast<std::uint64_t>(read.tv_nsec);
}

/// PORT,ADDRESS[,NAMESPACE-FILE]
int open_socket(const std::string& place) {
    std::istringstream words(place);
    std::string port, address, home;
    std::getline(words, port, ',');
    std::getline(words, address, ',');
    if (std::getline(words, home, ',')) {
        // A socket stays in the namespace that it was made in.
        const int wanted = ::open(home.c_str(), O_RDONLY | O_CLOEXEC);
        if (wanted < 0 || ::setns(wanted, CLONE_NEWNET) != 0)
            fail(home);
        ::close(wanted);
    }
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(address.c_str(), port.c_str(), &hints, &found) != 0)
        throw std::runtime_error("not PORT,ADDRESS: " + place);
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> kept(found, ::freeaddrinfo);
    const int made = ::socket(found->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0 || ::bind(made, found->ai_addr, found->ai_addrlen) != 0)
        fail(place);
    if (::setsockopt(made, SOL_SOCKET, SO_RCVBUFFORCE, &socket_room, sizeof socket_room) != 0)
        ::setsockopt(made, SOL_SOCKET, SO_RCVBUF, &socket_room, sizeof socket_room);
    return made;
}

/// What the kernel threw away because the socket was full.
std::uint64_t overflowed(int socket) {
    std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
    socklen_t size = sizeof memory;
    if (::getsockopt(socket, SOL_SOCKET, SO_MEMINFO, memory.data(), &size) != 0)
        fail("SO_MEMINFO");
    return memory[SK_MEMINFO_DROPS];
}

class receiver {
public:
    explicit receiver(const traffic::arguments& given) : packets_(traffic::shape_from(given)) {
        if (given.has("board"))
            board_ = traffic::map_board(given.text("board"));
        if (given.has("event"))
            event_ = static_cast<int>(given.number("event"));
        if (given.places().empty() || given.places().size() > traffic::board::ports)
            throw std::runtime_error("1 to 8 ports");
        for (const std::string& place : given.places()) {
            waiting_.push_back({open_socket(place), POLLIN, 0});
            ports_.emplace_back();
            ports_.back().name = place.substr(0, place.find(',', place.find(',') + 1));
            ports_.back().flows.resize(packets_.flows());
        }
        waiting_.push_back({STDIN_FILENO, POLLIN, 0});
        for (std::size_t i = 0; i < batch; ++i) {
            parts_[i] = {buffers_[i].data(), buffers_[i].size()};
            messages_[i].msg_hdr.msg_iov = &parts_[i];
            messages_[i].msg_hdr.msg_iovlen = 1;
        }
        std::cout << "ready" << std::endl;
    }

    void run() {
        while (!is_done()) {
            if (::poll(waiting_.data(), waiting_.size(), target_ ? 100 : -1) < 0 && errno != EINTR)
                fail("poll");
            for (std::size_t i = 0; i < ports_.size(); ++i)
                if (waiting_[i].revents != 0)
                    drain(i);
            if (waiting_.back().revents != 0)
                take_command();
        }
        for (std::size_t i = 0; i < ports_.size(); ++i)
            drain(i);
        count_overflows();
        std::cout << to_json(ports_) << std::endl;
    }

private:
    void take_command() {
        std::string line;
        if (!std::getline(std::cin, line)) {
            ended_ = true;
            return;
        }
        target_ = std::make_unique<std::uint64_t>(std::stoull(line));
        deadline_ = now() + patience;
        waiting_.back().fd = -1;
    }

    bool is_done() {
        if (ended_ || !target_)
            return ended_;
        count_overflows();
        std::uint64_t came = 0;
        for (const traffic::port_arrivals& port : ports_)
            came += port.packets + port.overflowed;
        return came >= *target_ || now() > deadline_;
    }

    void count_overflows() {
        for (std::size_t i = 0; i < ports_.size(); ++i)
            ports_[i].overflowed = overflowed(waiting_[i].fd);
    }

    void drain(std::size_t port) {
        // Not for ever, so that every port has its turn.
        for (int turn = 0; turn < 64; ++turn) {
            const int count = ::recvmmsg(waiting_[port].fd, messages_.data(), batch, 0, nullptr);
            if (count <= 0)
                return;
            const std::uint64_t time = now();
            for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
                take(port, traffic::octets(buffers_[i]).first(messages_[i].msg_len));
            traffic::port_arrivals& at = ports_[port];
            at.first_time = at.first_time == 0 ? time : at.first_time;
            at.latest_time = time;
            tell(port);
        }
    }

    void take(std::size_t port, traffic::octets packet) {
        traffic::port_arrivals& at = ports_[port];
        ++at.packets;
        at.octets += packet.size();
        const auto number = packets_.number_in(packet);
        if (!number) {
            ++at.foreign;
            return;
        }
        if (!packets_.is(packet, *number)) {
            ++at.altered;
            return;
        }
        const std::uint32_t flow = packets_.flow_of(*number);
        at.flows[flow].add(packets_.place_of(*number));
        if (board_)
            board_->next[port][flow].store(*number + 1, std::memory_order_relaxed);
    }

    void tell(std::size_t port) {
        if (board_)
            board_->received[port].store(ports_[port].packets, std::memory_order_release);
        const std::uint64_t one = 1;
        if (event_ >= 0 && ::write(event_, &one, sizeof one) != sizeof one)
            fail("the event");
    }

    traffic::numbered_packets packets_;
    traffic::mapped_board board_;
    int event_ = -1;
    std::vector<pollfd> waiting_; ///< the ports, then the standard input
    std::vector<traffic::port_arrivals> ports_;
    std::array<std::array<std::byte, longest_copy>, batch> buffers_{};
    std::array<iovec, batch> parts_{};
    std::array<mmsghdr, batch> messages_{};
    std::unique_ptr<std::uint64_t> target_;
    std::uint64_t deadline_ = 0;
    bool ended_ = false;
};

} // namespace

int main(int argc, char** argv) {
    try {
        receiver(traffic::arguments(argc, argv)).run();
        return 0;
    } catch (const std::exception& problem) {
        std::cerr << "receive_traffic: " << problem.what() << '\n';
        return 2;
    }
}
