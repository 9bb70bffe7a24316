// SPDX-License-Identifier: Apache-2.0
#include <flowtap/transport/ssh_server.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <flowtap/transport/error.hpp>

#include "server_rig.hpp"

using namespace flowtap;
using namespace flowtap::transport;
using namespace flowtap::transport::test;

namespace {

std::string some_octets(std::size_t count) {
    std::string octets(count, '\0');
    unsigned state = 1;
    for (char& octet : octets) {
        state = state * 1103515245U + 12345U;
        octet = static_cast<char>(state >> 16U);
    }
    return octets;
}

/// Takes little at a time, and says at the end how much it was in all.
class slow_handler final : public channel_handler {
public:
    void on_open(channel& with) override { channel_ = &with; }
    std::size_t on_data(byte_view octets) override {
        const std::size_t taken = std::min<std::size_t>(octets.size(), 1000);
        count_ += taken;
        channel_->request_data();
        return taken;
    }
    void on_end_of_data() override {
        channel_->write(std::to_string(count_));
        channel_->finish(0);
    }
    void on_writable() override {}
    void on_closed() override { channel_ = nullptr; }

private:
    channel* channel_ = nullptr;
    std::size_t count_ = 0;
};

} // namespace

TEST_CASE("a client gets back what it sent, the exit status, and the end") {
    server_rig rig;
    rig.start();
    auto client = ssh_client::connect(rig.client(), "echo");
    REQUIRE_MESSAGE(client.has_value(), (client ? "" : client.error().message()));
    CHECK(exchange_all(*client, "hello") == "hello");
    CHECK(client->exit_status() == 7);
    const auto counted = rig.on_loop([&] { return rig.server->counters(); });
    CHECK(counted.logins == 1);
    CHECK(counted.channels == 1);
    CHECK(counted.authenticated == 1);
}

TEST_CASE("megabytes go both ways through bounded queues") {
    ssh_server_options options;
    options.output_limit = 10'000;
    server_rig rig(options);
    rig.start();
    auto client = ssh_client::connect(rig.client(), "echo");
    REQUIRE(client.has_value());
    const std::string octets = some_octets(3'000'000);
    CHECK((exchange_all(*client, octets) == octets));
}

TEST_CASE("a client that sends faster than it is served loses nothing") {
    server_rig rig;
    rig.router.serve(request_kind::subsystem, "slow",
                     [](const channel_request&) { return std::make_unique<slow_handler>(); });
    rig.start();
    auto client = ssh_client::connect(rig.client(), "slow");
    REQUIRE(client.has_value());
    CHECK(exchange_all(*client, some_octets(8'000'000)) == "8000000");
}

TEST_CASE("several clients are served at a time") {
    server_rig rig;
    rig.start();
    std::vector<ssh_client> clients;
    for (int number = 0; number < 5; ++number) {
        auto client = ssh_client::connect(rig.client("lea" + std::to_string(number)), "echo");
        REQUIRE(client.has_value());
        clients.push_back(std::move(*client));
    }
    for (int turn = 0; turn < 3; ++turn)
        for (ssh_client& client : clients)
            CHECK(exchange_some(client, "abc", 3) == "abc");
    CHECK(rig.on_loop([&] { return rig.server->counters().authenticated; }) == 5);
}

TEST_CASE("a wrong password is refused, as often as the limit says") {
    ssh_server_options options;
    options.login.tries = 2;
    server_rig rig(options);
    rig.start();
    auto asked = rig.client();
    asked.password = [] { return std::string("wrong"); };
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto client = ssh_client::connect(asked, "echo");
        REQUIRE_FALSE(client.has_value());
        CHECK(client.error().code == transport::errc::login_refused);
    }
    const auto counted = rig.on_loop([&] { return rig.server->counters(); });
    CHECK(counted.refused_logins == 2);
    CHECK(counted.logins == 0);
    CHECK(rig.users.asked == 2);
}

TEST_CASE("what the router does not know is refused, and the connection goes on") {
    server_rig rig;
    rig.start();
    const auto client = ssh_client::connect(rig.client(), "sftp");
    REQUIRE_FALSE(client.has_value());
    CHECK(client.error().code == transport::errc::channel_refused);
    CHECK(rig.on_loop([&] { return rig.server->counters().refused_requests; }) == 1);
}

TEST_CASE("connections past the limit and past the rate are closed at once") {
    ssh_server_options options;
    options.connection_limit = 2;
    options.rate_limit = 3;
    server_rig rig(options);
    rig.start();
    std::vector<ssh_client> clients;
    for (int number = 0; number < 2; ++number) {
        auto client = ssh_client::connect(rig.client(), "echo");
        REQUIRE(client.has_value());
        clients.push_back(std::move(*client));
    }
    CHECK_FALSE(ssh_client::connect(rig.client(), "echo").has_value());
    CHECK(rig.on_loop([&] { return rig.server->counters().refused_by_limit; }) == 1);
    CHECK(exchange_some(clients[0], "still there", 11) == "still there");

    rig.on_loop([&] { rig.server->limit(10, 3); });
    auto third = ssh_client::connect(rig.client(), "echo");
    CHECK(third.has_value());
    CHECK_FALSE(ssh_client::connect(rig.client(), "echo").has_value());
    CHECK(rig.on_loop([&] { return rig.server->counters().refused_by_rate; }) == 1);
}

TEST_CASE("stop ends every connection and every handler hears of it") {
    server_rig rig;
    int closed = 0;
    struct counting_handler final : echo_handler {
        explicit counting_handler(int& closings) : count(closings) {}
        void on_closed() override { ++count; }
        int& count;
    };
    rig.router.serve(request_kind::subsystem, "counted", [&](const channel_request&) {
        return std::make_unique<counting_handler>(closed);
    });
    rig.start();
    auto one = ssh_client::connect(rig.client(), "counted");
    auto two = ssh_client::connect(rig.client(), "counted");
    REQUIRE(one.has_value());
    REQUIRE(two.has_value());
    CHECK(exchange_some(*one, "x", 1) == "x");
    CHECK(exchange_some(*two, "x", 1) == "x");
    CHECK(rig.on_loop([&] {
        rig.server->stop();
        return closed;
    }) == 2);
    std::array<char, 16> room{};
    const auto after = one->exchange("", room, 60s);
    CHECK((!after.has_value() || after->ended));
    CHECK_FALSE(ssh_client::connect(rig.client(), "echo").has_value());
}

TEST_CASE("those who are chosen are disconnected, the others stay") {
    server_rig rig;
    rig.start();
    auto one = ssh_client::connect(rig.client("lea1"), "echo");
    auto two = ssh_client::connect(rig.client("lea2"), "echo");
    REQUIRE(one.has_value());
    REQUIRE(two.has_value());
    rig.on_loop([&] {
        rig.server->disconnect([](const permission::principal& who) { return who.name == "lea1"; });
    });
    std::array<char, 16> room{};
    const auto after = one->exchange("", room, 60s);
    CHECK((!after.has_value() || after->ended));
    CHECK(exchange_some(*two, "abc", 3) == "abc");
}

TEST_CASE("a diagnostic and the exit status reach the client after all output") {
    server_rig rig;
    struct complaining_handler final : echo_handler {
        void on_open(channel& with) override {
            CHECK(with.write(std::string(50'000, 'x')) == 50'000);
            with.write_error("no good");
            with.finish(3);
            CHECK(with.room() == 0);
            CHECK(with.write("more") == 0);
        }
        void on_closed() override {}
    };
    rig.router.serve(request_kind::subsystem, "complain", [&](const channel_request& asked) {
        CHECK(asked.who.name == "lea1");
        CHECK(to_string(asked.peer.address) == "127.0.0.1");
        return std::make_unique<complaining_handler>();
    });
    rig.start();
    auto client = ssh_client::connect(rig.client(), "complain");
    REQUIRE(client.has_value());
    CHECK((exchange_all(*client, "") == std::string(50'000, 'x')));
    CHECK(client->diagnostic() == "no good");
    CHECK(client->exit_status() == 3);
}

TEST_CASE("a refusal is held back until its time") {
    ssh_server_options options;
    options.login.refusal_delay = 300ms;
    options.login.tries = 1;
    server_rig rig(options);
    rig.start();
    auto asked = rig.client();
    asked.password = [] { return std::string("wrong"); };
    const auto begin = std::chrono::steady_clock::now();
    CHECK_FALSE(ssh_client::connect(asked, "echo").has_value());
    CHECK(std::chrono::steady_clock::now() - begin >= 300ms);
    // Who is let in does not wait.
    CHECK(ssh_client::connect(rig.client(), "echo").has_value());
}
