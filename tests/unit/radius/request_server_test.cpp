// SPDX-License-Identifier: Apache-2.0
#include <flowtap/radius/request_server.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <iostream>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <vector>

#include <doctest/doctest.h>

#include "asio.hpp"
#include "client_socket.hpp"
#include "requests.hpp"

namespace flowtap::radius {

namespace {

namespace asio = boost::asio;
using type = attribute_type;

const ip_address loopback = ip_address::v4(0x7F000001);

server_settings settings_for_tests() {
    server_settings made;
    made.clients.push_back({loopback, secret("s3cret")});
    return made;
}

/// A client of a server on loopback, in the same thread.
struct peer {
    peer(asio::io_context& with, const endpoint& of)
        : context(with),
          socket(open_client_socket(direct_opener(), of,
                                    of.address.ip_family() == family::inet ? loopback : of.address)
                     .value()) {}

    void send(const octets& datagram) { CHECK_FALSE(send_to_peer(socket.number(), datagram)); }
    /// Lets the server work until it has answered.
    octets answer() {
        for (;;) {
            context.run_one_for(std::chrono::milliseconds(1));
            if (auto got = receive_from_peer(socket.number(), room))
                return {got->begin(), got->end()};
        }
    }

    asio::io_context& context;
    descriptor socket;
    std::array<std::byte, longest_packet> room;
};

octets start(std::uint8_t id) {
    return request(
        packet_code::accounting_request,
        [](packet_builder& to) {
            CHECK(to.add_number(type::acct_status_type, 1));
            CHECK(to.add(type::acct_session_id, "1"));
        },
        id, message_authenticator::optional);
}

} // namespace

TEST_CASE("a server on loopback answers, hands on and counts") {
    asio::io_context context;
    std::vector<accounting_record> records;
    std::vector<std::string> log;
    auto made = request_server::accounting(
        context, {loopback, 0}, settings_for_tests(), test_cryptography(),
        [&](const accounting_record& record, const ip_address& from) {
            CHECK(from == loopback);
            records.push_back(record);
            return true;
        },
        [&](const std::string& line) { log.push_back(line); });
    REQUIRE(made);
    CHECK((*made)->address().port != 0);
    peer client(context, (*made)->address());
    // More than are read in a row, and some that get no answer.
    client.send(octets(5000));
    client.send({});
    client.send(octets(19));
    for (std::uint8_t id = 0; id < 100; ++id)
        client.send(start(id));
    for (std::uint8_t id = 0; id < 100; ++id) {
        const octets answer = client.answer();
        CHECK(packet_view::parse(answer).value().id() == id);
    }
    CHECK(records.size() == 100);
    CHECK((*made)->counters().handled == 100);
    CHECK((*made)->counters().ignored[static_cast<std::size_t>(ignored_request::malformed)] == 3);
    REQUIRE(log.size() == 1);
    CHECK(log[0].starts_with("RADIUS accounting: ignored: "));

    std::vector<server_client> others;
    others.push_back({ip_address::v4(0xC000020A), secret("x")});
    CHECK((*made)->set_clients(std::move(others)));
    CHECK((*made)->set_clients({}).error().code == errc::invalid_client);
    client.send(start(100));
    while ((*made)->counters().ignored[static_cast<std::size_t>(ignored_request::unknown_client)] ==
           0)
        context.run_one_for(std::chrono::milliseconds(1));
    CHECK(records.size() == 100);
}

TEST_CASE("a server at every address answers from the one that it was asked at") {
    for (const ip_address& at : {ip_address::v4(0x7F000001), ip_address::v4(0x7F000203),
                                 ip_address(family::inet6, {0, 1})}) {
        CAPTURE(to_string(at));
        if (at.ip_family() == family::inet6 && !direct_opener().udp_client_socket(at)) {
            std::cout << "SKIPPED: no IPv6\n";
            continue;
        }
        asio::io_context context;
        server_settings settings = settings_for_tests();
        settings.clients[0].address = at.ip_family() == family::inet ? loopback : at;
        auto made = request_server::accounting(
            context, {ip_address(at.ip_family(), {}), 0}, std::move(settings), test_cryptography(),
            [](const accounting_record&, const ip_address&) { return true; });
        REQUIRE(made);
        // It takes nothing from another address.
        peer client(context, {at, (*made)->address().port});
        client.send(start(1));
        CHECK(packet_view::parse(client.answer()).value().code() ==
              packet_code::accounting_response);
    }
}

TEST_CASE("a server of dynamic authorization goes by the clock of the system") {
    asio::io_context context;
    std::optional<authorization_request> got;
    auto made = request_server::dynamic_authorization(
        context, {loopback, 0}, settings_for_tests(), test_cryptography(),
        [&](const authorization_request& asked) -> std::optional<error_cause> {
            got = asked;
            return std::nullopt;
        });
    REQUIRE(made);
    peer client(context, (*made)->address());
    client.send(request(packet_code::coa_request, [](packet_builder& to) {
        const auto second =
            std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
        CHECK(to.add_number(type::event_timestamp,
                            static_cast<std::uint32_t>(second.time_since_epoch().count())));
        CHECK(to.add(type::acct_session_id, "0000002A"));
        add_order(to);
    }));
    const octets answer = client.answer();
    CHECK(packet_view::parse(answer).value().code() == packet_code::coa_ack);
    REQUIRE(got);
    CHECK(got->order->handle == handle_of_four);
}

TEST_CASE("a server may end in the middle of its work, and nothing is called any more") {
    asio::io_context context;
    std::unique_ptr<request_server> running;
    int calls = 0;
    running = request_server::accounting(context, {loopback, 0}, settings_for_tests(),
                                         test_cryptography(),
                                         [&](const accounting_record&, const ip_address&) {
                                             ++calls;
                                             running.reset();
                                             return true;
                                         })
                  .value();
    peer client(context, running->address());
    client.send(start(1));
    client.send(start(2));
    while (running)
        context.run_one_for(std::chrono::milliseconds(1));
    context.run_for(std::chrono::milliseconds(1));
    CHECK(calls == 1);
}

TEST_CASE("a server that cannot listen, or has settings that cannot be used, is not made") {
    asio::io_context context;
    const auto take = [](const accounting_record&, const ip_address&) { return true; };
    CHECK(request_server::accounting(context, {loopback, 0}, {}, test_cryptography(), take)
              .error()
              .code == errc::invalid_client);
    CHECK(request_server::dynamic_authorization(context, {loopback, 0}, {}, test_cryptography(), {})
              .error()
              .code == errc::invalid_client);
    auto first = request_server::accounting(context, {loopback, 0}, settings_for_tests(),
                                            test_cryptography(), take);
    REQUIRE(first);
    CHECK(request_server::accounting(context, (*first)->address(), settings_for_tests(),
                                     test_cryptography(), take)
              .error()
              .code == std::errc::address_in_use);
    CHECK(request_server::dynamic_authorization(context, (*first)->address(), settings_for_tests(),
                                                test_cryptography(), {})
              .error()
              .code == std::errc::address_in_use);
}

} // namespace flowtap::radius
