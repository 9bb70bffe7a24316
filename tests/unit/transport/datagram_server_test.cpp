// SPDX-License-Identifier: Apache-2.0
#include <flowtap/transport/datagram_server.hpp>

#include <cerrno>
#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <sched.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "datagram_socket.hpp"

using namespace flowtap;
using namespace flowtap::transport;
using namespace std::chrono_literals;

namespace {

endpoint at(std::string_view address, std::uint16_t port = 0) {
    return {parse_ip_address(address).value(), port};
}

bool has_ipv6() {
    return datagram_socket::open(at("::1")).has_value();
}

/// A datagram as it was handed over.
struct received {
    endpoint from;
    endpoint at;
    std::string octets;
};

/// The other side: a socket that waits for what it expects.
class peer {
public:
    explicit peer(std::string_view address)
        : socket_(datagram_socket::open(at(address)).value()), batch_(1, 65536) {}

    const endpoint& local() const { return socket_.local(); }
    void send(const endpoint& to, std::string_view octets) {
        CHECK(send_datagram_from(socket_.number(), {}, to, octets) == 0);
    }
    /// Whatever has come; none if nothing has.
    std::optional<received> take() {
        const int count = batch_.receive(socket_.number());
        if (count != 1)
            return std::nullopt;
        const auto one = batch_[0];
        return received{
            one.from,
            {one.at, local().port},
            std::string(reinterpret_cast<const char*>(one.octets.data()), one.octets.size())};
    }

private:
    datagram_socket socket_;
    datagram_batch batch_;
};

struct server_rig {
    explicit server_rig(const std::vector<endpoint>& addresses, datagram_limits limits = {}) {
        server = datagram_server::listen(
                     loop, addresses,
                     [this](const endpoint& from, const endpoint& to, byte_view octets) {
                         taken.push_back({from, to,
                                          std::string(reinterpret_cast<const char*>(octets.data()),
                                                      octets.size())});
                         if (answers)
                             server->send(to, from, "answer to " + taken.back().octets);
                     },
                     limits)
                     .value();
    }

    /// Runs the loop until `what` holds; a generous time makes a failure of what would hang.
    template <class Condition>
    bool run_until(Condition what) {
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (!what()) {
            if (std::chrono::steady_clock::now() > end)
                return false;
            loop.poll();
        }
        return true;
    }
    received answer_at(peer& who) {
        std::optional<received> answer;
        CHECK(run_until([&] { return (answer = who.take()).has_value(); }));
        return answer.value_or(received{});
    }

    event_loop loop;
    std::unique_ptr<datagram_server> server;
    std::vector<received> taken;
    bool answers = true;
};

} // namespace

TEST_CASE("a datagram comes with its origin, and its answer goes back there") {
    server_rig rig({at("127.0.0.1")});
    const endpoint listening = rig.server->addresses().at(0);
    CHECK(listening.port != 0);
    peer client("127.0.0.1");
    client.send(listening, "one");
    const received answer = rig.answer_at(client);
    CHECK(answer.octets == "answer to one");
    CHECK(answer.from == listening);
    REQUIRE(rig.taken.size() == 1);
    CHECK(rig.taken[0].from == client.local());
    CHECK(rig.taken[0].at == listening);
    CHECK(rig.server->counters().received == 1);
    CHECK(rig.server->counters().sent == 1);
}

TEST_CASE("a server on every address answers from the one that was asked") {
    server_rig rig({at("0.0.0.0")});
    const std::uint16_t port = rig.server->addresses().at(0).port;
    peer client("127.0.0.1");
    for (const char* const asked : {"127.0.0.2", "127.0.0.1", "127.9.9.9"}) {
        client.send(at(asked, port), "x");
        CHECK(rig.answer_at(client).from == at(asked, port));
        CHECK(rig.taken.back().at == at(asked, port));
    }
}

TEST_CASE("IPv6 is served beside IPv4 on the same port, and never for it") {
    if (!has_ipv6()) {
        MESSAGE("no IPv6 here");
        std::cout << "SKIPPED: no IPv6\n";
        return;
    }
    server_rig first({at("0.0.0.0")});
    const std::uint16_t port = first.server->addresses().at(0).port;
    server_rig rig({at("::", port)});
    peer client("::1");
    client.send(at("::1", port), "six");
    const received answer = rig.answer_at(client);
    CHECK(answer.from == at("::1", port));
    CHECK(answer.octets == "answer to six");
    CHECK(rig.taken.at(0).from == client.local());
    CHECK(first.taken.empty());
}

TEST_CASE("each of several ports answers for itself, and what nobody asked for leaves the first") {
    server_rig rig({at("127.0.0.1"), at("127.0.0.1"), at("127.0.0.1")});
    const auto addresses = rig.server->addresses();
    REQUIRE(addresses.size() == 3);
    peer client("127.0.0.1");
    for (const endpoint& asked : addresses) {
        client.send(asked, "x");
        CHECK(rig.answer_at(client).from == asked);
        CHECK(rig.taken.back().at == asked);
    }
    rig.server->send({}, client.local(), "told");
    const received told = rig.answer_at(client);
    CHECK(told.octets == "told");
    CHECK(told.from == addresses[0]);
}

TEST_CASE("each receiver has a socket of its own, and those that are too many share them") {
    event_loop loop;
    const auto ignore = [](const endpoint&, const endpoint&, byte_view) {};
    peer one("127.0.0.2");
    peer other("127.0.0.3");
    std::vector<ip_address> receivers;
    for (std::uint32_t i = 0; i < datagram_server::most_receivers + 1; ++i)
        receivers.push_back(ip_address::v4(0x7F000002 + i % datagram_server::most_receivers));
    receivers.push_back(ip_address::v4(0x7F000102));
    peer shares("127.0.1.2");
    const auto server =
        datagram_server::listen(loop, {at("127.0.0.1")}, ignore, {}, receivers).value();
    REQUIRE(server->addresses().size() == 1 + datagram_server::most_receivers);
    const auto came_from = [&](peer& to) {
        server->send({}, to.local(), "x");
        std::optional<received> got;
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (!got && std::chrono::steady_clock::now() < end)
            got = to.take();
        return got.value_or(received{}).from.port;
    };
    const std::uint16_t first = server->addresses()[0].port;
    CHECK(came_from(one) == server->addresses()[1].port);
    CHECK(came_from(other) == server->addresses()[2].port);
    CHECK(came_from(one) == server->addresses()[1].port);
    CHECK(came_from(shares) == server->addresses()[1].port);
    peer stranger("127.0.2.1");
    CHECK(came_from(stranger) == first);
}

TEST_CASE("what has no socket to leave through is counted") {
    server_rig rig({at("127.0.0.1")});
    const endpoint listening = rig.server->addresses().at(0);
    rig.server->send({}, at("::1", 9), "no IPv6 socket");
    rig.server->send(at("127.0.0.1", static_cast<std::uint16_t>(listening.port ^ 1)),
                     at("127.0.0.1", 9), "no such port");
    rig.server->send(at("127.0.0.2", listening.port), at("127.0.0.1", 9), "no such address");
    rig.server->send(listening, at("127.0.0.1", 9), std::string(70'000, 'x'));
    rig.server->send(listening, at("127.0.0.1", 0), "no port");
    CHECK(rig.server->counters().not_sent == 5);
    CHECK(rig.server->counters().sent == 0);
    CHECK_FALSE(rig.server->is_full());
}

TEST_CASE("datagrams may be empty or as long as they can be; longer than the limit are not taken") {
    datagram_limits limits;
    limits.longest = 1000;
    server_rig rig({at("127.0.0.1")}, limits);
    rig.answers = false;
    const endpoint listening = rig.server->addresses().at(0);
    peer client("127.0.0.1");
    client.send(listening, "");
    client.send(listening, std::string(1001, 'x'));
    client.send(listening, std::string(60'000, 'x'));
    client.send(listening, std::string(1000, 'y'));
    CHECK(rig.run_until([&] { return rig.server->counters().received == 4; }));
    REQUIRE(rig.taken.size() == 2);
    CHECK(rig.taken[0].octets.empty());
    CHECK(rig.taken[1].octets == std::string(1000, 'y'));
    CHECK(rig.server->counters().too_long == 2);

    server_rig standard({at("127.0.0.1")});
    client.send(standard.server->addresses().at(0), std::string(65'507, 'z'));
    CHECK(standard.run_until([&] { return !standard.taken.empty(); }));
    CHECK(standard.taken.at(0).octets.size() == 65'507);
}

TEST_CASE("who asks all hosts at once is not heard") {
    server_rig rig({at("0.0.0.0")});
    const std::uint16_t port = rig.server->addresses().at(0).port;
    peer client("127.0.0.1");
    const int on = 1;
    const auto sender = datagram_socket::open(at("127.0.0.1")).value();
    REQUIRE(::setsockopt(sender.number(), SOL_SOCKET, SO_BROADCAST, &on, sizeof on) == 0);
    REQUIRE(send_datagram_from(sender.number(), {}, at("127.255.255.255", port), "all") == 0);
    client.send(at("127.0.0.1", port), "one");
    CHECK(rig.run_until([&] { return rig.server->counters().received == 2; }));
    CHECK(rig.server->counters().to_many == 1);
    REQUIRE(rig.taken.size() == 1);
    CHECK(rig.taken[0].octets == "one");
}

TEST_CASE("a peer that has gone disturbs nobody") {
    server_rig rig({at("127.0.0.1")});
    const endpoint listening = rig.server->addresses().at(0);
    peer client("127.0.0.1");
    const endpoint dead = peer("127.0.0.1").local();
    for (int i = 0; i < 10; ++i) {
        rig.server->send(listening, dead, "anybody there?");
        rig.server->send(listening, client.local(), std::to_string(i));
    }
    client.send(listening, "x");
    for (int i = 0; i < 10; ++i)
        CHECK(rig.answer_at(client).octets == std::to_string(i));
    CHECK(rig.answer_at(client).octets == "answer to x");
    CHECK(rig.server->counters().not_sent == 0);
    CHECK(rig.server->counters().sent == 21);
    CHECK(rig.run_until([&] { return rig.server->counters().undelivered >= 1; }));
}

TEST_CASE("a flood leaves the rest of the loop its turns") {
    event_loop loop;
    int taken = 0;
    int taken_before_others = 0;
    const auto server =
        datagram_server::listen(loop, {at("127.0.0.1")},
                                [&](const endpoint&, const endpoint&, byte_view) {
                                    if (++taken == 1)
                                        loop.post([&] { taken_before_others = taken; });
                                })
            .value();
    peer client("127.0.0.1");
    for (int i = 0; i < 150; ++i)
        client.send(server->addresses().at(0), "x");
    while (taken < 150)
        loop.poll();
    CHECK(taken_before_others >= 1);
    CHECK(taken_before_others < 150);
}

TEST_CASE("what the system throws away is counted") {
    server_rig rig({at("127.0.0.1")});
    rig.answers = false;
    peer client("127.0.0.1");
    const endpoint listening = rig.server->addresses().at(0);
    // More than any buffer that a system gives: 4 MiB, twice.
    for (int i = 0; i < 400; ++i)
        client.send(listening, std::string(60'000, 'x'));
    CHECK(rig.run_until([&] { return !rig.taken.empty(); }));
    client.send(listening, "last");
    CHECK(rig.run_until([&] { return rig.taken.back().octets == "last"; }));
    CHECK(rig.server->counters().overflowed > 0);
    CHECK(rig.server->counters().overflowed + rig.server->counters().received == 401);
}

TEST_CASE("an address that cannot be used is told") {
    server_rig rig({at("127.0.0.1")});
    const endpoint taken = rig.server->addresses().at(0);
    event_loop loop;
    const auto none = datagram_server::listen(loop, {taken}, {});
    REQUIRE_FALSE(none);
    CHECK(none.error().code == std::errc::address_in_use);
    CHECK(none.error().subject == to_string(taken));
    const auto foreign = datagram_server::listen(loop, {at("192.0.2.1")}, {});
    REQUIRE_FALSE(foreign);
    CHECK(foreign.error().code == std::errc::address_not_available);
}

TEST_CASE("a server can be destroyed by what it calls") {
    event_loop loop;
    std::unique_ptr<datagram_server> server;
    int called = 0;
    server = datagram_server::listen(loop, {at("127.0.0.1")},
                                     [&](const endpoint&, const endpoint&, byte_view) {
                                         ++called;
                                         server.reset();
                                     })
                 .value();
    peer client("127.0.0.1");
    for (int i = 0; i < 3; ++i)
        client.send(server->addresses().at(0), "x");
    while (server != nullptr)
        loop.poll();
    loop.poll();
    CHECK(called == 1);
}

namespace {

/// A network of its own for this thread, with a device that leads to a host that nobody has heard
/// of: what is sent there waits. False where that is not allowed.
bool make_silent_network() {
    return ::unshare(CLONE_NEWNET) == 0 && std::system("exec 2>/dev/null; ip link set lo up && "
                                                       "ip link add v0 type veth peer name v1 && "
                                                       "ip link set v1 up && ip link set v0 up && "
                                                       "ip address add 10.9.9.1/24 dev v0") == 0;
}

void fill_and_drain() {
    datagram_limits limits;
    limits.queue = 64UL * 1024;
    limits.send_buffer = 4608;
    server_rig rig({at("0.0.0.0")}, limits);
    const std::uint16_t port = rig.server->addresses().at(0).port;
    std::vector<bool> told;
    rig.server->on_room([&] { told.push_back(rig.server->is_full()); });

    const endpoint silent = at("10.9.9.9", 9);
    const std::string piece(1000, 'x');
    int until_full = 0;
    while (!rig.server->is_full() && until_full < 1000) {
        rig.server->send(at("10.9.9.1", port), silent, piece);
        ++until_full;
    }
    CHECK(told == std::vector<bool>{true});
    CHECK(until_full > 25);
    CHECK(until_full < 60);
    CHECK(rig.server->counters().not_sent == 0);
    for (int i = 0; i < 1000; ++i)
        rig.server->send(at("10.9.9.1", port), silent, piece);
    const auto counted = rig.server->counters();
    CHECK(counted.not_sent > 900);
    CHECK(counted.not_sent < 1000);

    // The host is found, and everything that waited leaves.
    REQUIRE(std::system("ip neighbour replace 10.9.9.9 lladdr 02:00:00:00:00:09 dev v0") == 0);
    const auto total = static_cast<std::uint64_t>(until_full + 1000);
    CHECK(rig.run_until([&] {
        const auto now = rig.server->counters();
        return now.sent + now.not_sent == total;
    }));
    CHECK(rig.server->counters().not_sent == counted.not_sent);
    CHECK(told == std::vector<bool>{true, false});
}

} // namespace

TEST_CASE("a full network fills the queue, which tells, drops beyond its size, and drains") {
    bool done = false;
    std::thread alone([&] {
        if (!make_silent_network())
            return;
        done = true;
        fill_and_drain();
    });
    alone.join();
    if (!done) {
        MESSAGE("needs a network namespace");
        std::cout << "SKIPPED: no network namespace\n";
    }
}
