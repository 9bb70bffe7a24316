// SPDX-License-Identifier: Apache-2.0
#include <flowtap/radius/client.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/radius/builder.hpp>
#include <flowtap/radius/hidden.hpp>

#include "asio.hpp"
#include "rig.hpp"

namespace flowtap::radius {

namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

const ip_address loopback = ip_address::v4(0x7F000001);

/// A server on loopback that lets in who knows the password, and may lie before it does.
class fake_server {
public:
    using before_answer = std::function<void(fake_server&, const octets& answer)>;

    fake_server() : socket_(*direct_opener().udp_client_socket(loopback)) {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        REQUIRE(::getsockname(socket_.number(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
        address_ = {loopback, ntohs(address.sin_port)};
    }

    const endpoint& address() const { return address_; }

    /// Waits a little for a request and answers it.
    void serve(const before_answer& lie = {}) {
        pollfd input{socket_.number(), POLLIN, 0};
        if (::poll(&input, 1, 1) <= 0)
            return;
        std::array<std::byte, longest_packet> room;
        socklen_t size = sizeof peer_;
        const ssize_t count = ::recvfrom(socket_.number(), room.data(), room.size(), 0,
                                         reinterpret_cast<sockaddr*>(&peer_), &size);
        REQUIRE(count > 0);
        ++requests;
        const octets answer = answer_to({room.data(), room.data() + count});
        if (lie)
            lie(*this, answer);
        send(answer);
    }

    void send(const octets& datagram) {
        CHECK(::sendto(socket_.number(), datagram.data(), datagram.size(), 0,
                       reinterpret_cast<const sockaddr*>(&peer_),
                       sizeof peer_) == static_cast<ssize_t>(datagram.size()));
    }

    int requests = 0;

private:
    static octets answer_to(const octets& datagram) {
        shared_secret key = key_of("s3cret");
        const auto request = packet_view::parse(datagram);
        REQUIRE(request.has_value());
        CHECK(verify(*request, key, message_authenticator::required));
        const auto password = reveal_password(request->find(attribute_type::user_password)->value,
                                              key, request->authenticator());
        const bool is_good = password->view() == "abc123";
        packet_builder answer(is_good ? packet_code::access_accept : packet_code::access_reject,
                              request->id());
        return std::move(answer).finish(key, request->authenticator());
    }

    descriptor socket_;
    endpoint address_;
    sockaddr_in peer_{};
};

server at(const endpoint& address, milliseconds timeout, unsigned tries) {
    return {address, secret("s3cret"), timeout, tries, std::nullopt};
}

/// Far more than any machine needs, so that no outcome depends on how busy one is.
constexpr milliseconds long_time{600'000};

login_request bob(std::string_view password) {
    return {"bob", secret(password), "", std::nullopt};
}

struct rig {
    explicit rig(std::vector<server> servers, opener& sockets = direct_opener()) {
        client_settings settings;
        settings.servers = std::move(servers);
        auto made = client::create(
            context, std::move(settings), test_cryptography(),
            [this](const std::string& line) { log.push_back(line); }, sockets);
        REQUIRE(made.has_value());
        asker = *std::move(made);
    }

    void log_in(std::string_view password) {
        asker->log_in(bob(password),
                      [this](login_outcome outcome) { outcomes.push_back(std::move(outcome)); });
    }

    void run_until(std::size_t count, const std::function<void()>& meanwhile) {
        while (outcomes.size() < count) {
            context.restart();
            context.poll();
            meanwhile();
        }
    }

    asio::io_context context;
    std::unique_ptr<client> asker;
    std::vector<login_outcome> outcomes;
    std::vector<std::string> log;
};

/// Has no sockets to give.
class poor_opener final : public opener {
public:
    result<descriptor> file_to_read(const std::string&) override { return refuse(); }
    result<descriptor> file_to_write(const std::string&) override { return refuse(); }
    result<descriptor> raw_socket(family) override { return refuse(); }
    result<descriptor> udp_socket(const endpoint&) override { return refuse(); }
    result<descriptor> packet_socket() override { return refuse(); }
    result<descriptor> udp_client_socket(const ip_address&) override { return refuse(); }

private:
    static unexpected<error> refuse() {
        return fail(error(std::make_error_code(std::errc::too_many_files_open)));
    }
};

std::string reason_of(const login_outcome& outcome) {
    REQUIRE(std::holds_alternative<login_unavailable>(outcome));
    return std::get<login_unavailable>(outcome).reason;
}

} // namespace

TEST_CASE("logins are asked about over the network, several at a time") {
    fake_server fake;
    rig client({at(fake.address(), long_time, 1)});
    for (int i = 0; i < 20; ++i)
        client.log_in(i % 2 == 0 ? "abc123" : "wrong");
    client.run_until(20, [&] { fake.serve(); });
    CHECK(fake.requests == 20);
    int accepted = 0;
    for (const login_outcome& one : client.outcomes)
        accepted += std::holds_alternative<login_accepted>(one) ? 1 : 0;
    CHECK(accepted == 10);

    std::optional<client_status> status;
    client.asker->status([&](client_status now) { status = std::move(now); });
    client.context.restart();
    client.context.poll();
    REQUIRE(status);
    CHECK(status->logins == 0);
    CHECK(status->servers[0].requests == 20);
    CHECK(status->servers[0].rejected == 10);
}

TEST_CASE("a flood of lies before the answer disturbs nothing") {
    fake_server fake;
    rig client({at(fake.address(), long_time, 1)});
    client.log_in("abc123");
    client.run_until(1, [&] {
        fake.serve([&](fake_server& self, const octets& answer) {
            for (int i = 0; i < 50; ++i) {
                octets lie = answer;
                lie[4] ^= std::byte{1};
                self.send(lie);
                self.send(octets(5000));
                client.context.poll();
            }
        });
    });
    CHECK(std::holds_alternative<login_accepted>(client.outcomes[0]));
}

TEST_CASE("a server where nobody listens is given up for the next one") {
    endpoint nobody;
    {
        const fake_server gone;
        nobody = gone.address();
    }
    fake_server fake;
    rig client({at(nobody, milliseconds(20), 2), at(fake.address(), long_time, 1)});
    client.log_in("abc123");
    client.run_until(1, [&] { fake.serve(); });
    REQUIRE(std::holds_alternative<login_accepted>(client.outcomes[0]));
    CHECK(std::get<login_accepted>(client.outcomes[0]).server == 1);
    CHECK(client.log.size() == 1);
}

TEST_CASE("what the network says stands in the reason") {
    endpoint nobody;
    {
        const fake_server gone;
        nobody = gone.address();
    }
    rig client({at(nobody, milliseconds(20), 2)});
    client.log_in("abc123");
    client.run_until(1, [] {});
    CHECK(reason_of(client.outcomes[0]).find("the network says: Connection refused") !=
          std::string::npos);
}

TEST_CASE("a source address that is not this host's, or no socket at all, is told at once") {
    server one = at({loopback, 9}, long_time, 1);
    one.source_address = ip_address::v4(0xC0000201);
    rig client({one});
    client.log_in("abc123");
    client.run_until(1, [] {});
    CHECK(reason_of(client.outcomes[0]) ==
          "127.0.0.1:9 cannot be reached: Cannot assign requested address");

    poor_opener poor;
    rig other({at({loopback, 9}, long_time, 1)}, poor);
    other.log_in("abc123");
    other.run_until(1, [] {});
    CHECK(reason_of(other.outcomes[0]) == "127.0.0.1:9 cannot be reached: Too many open files");
}

TEST_CASE("a login that cannot be asked about is unavailable, without its secrets") {
    rig client({at({loopback, 9}, long_time, 1)});
    client.log_in("");
    client.run_until(1, [] {});
    CHECK(reason_of(client.outcomes[0]) == "RADIUS was not asked: the password is empty, longer "
                                           "than 128 octets or holds a zero octet");
}

TEST_CASE("a client may go with logins under way, also from within a callback") {
    fake_server fake;
    rig client({at(fake.address(), long_time, 1)});
    client.log_in("abc123");
    client.asker->log_in(bob("abc123"), [&](login_outcome outcome) {
        client.outcomes.push_back(std::move(outcome));
        client.asker.reset();
    });
    client.log_in("abc123");
    while (client.asker) {
        client.context.restart();
        client.context.poll();
        fake.serve();
    }
    client.context.restart();
    client.context.run();
    CHECK(client.outcomes.size() <= 2);
}

TEST_CASE("logins may come from any thread, and several threads may run the context") {
    fake_server fake;
    rig client({at(fake.address(), long_time, 1)});
    constexpr std::size_t logins = 40;
    std::vector<std::thread> threads;
    const auto work = asio::make_work_guard(client.context);
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([&] { client.context.run(); });
    std::atomic<std::size_t> done = 0;
    threads.emplace_back([&] {
        for (std::size_t i = 0; i < logins; ++i)
            client.asker->log_in(bob("abc123"), [&](const login_outcome& outcome) {
                client.outcomes.push_back(outcome);
                ++done;
            });
    });
    while (done < logins)
        fake.serve();
    client.context.stop();
    for (std::thread& one : threads)
        one.join();
    CHECK(client.outcomes.size() == logins);
}

} // namespace flowtap::radius
