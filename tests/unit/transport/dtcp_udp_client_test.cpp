// SPDX-License-Identifier: Apache-2.0
#include <flowtap/transport/dtcp_udp_client.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <poll.h>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/crypto/hmac.hpp>
#include <flowtap/dtcp/envelope.hpp>
#include <flowtap/dtcp/error.hpp>
#include <flowtap/dtcp/writer.hpp>
#include <flowtap/transport/datagram_server.hpp>
#include <flowtap/transport/error.hpp>

#include "datagram_socket.hpp"

using namespace flowtap;
using namespace flowtap::transport;
using namespace std::chrono_literals;

namespace {

using hash = crypto::keyed_hash_as<dtcp::keyed_hash>;

/// For tests that wait for something that comes.
constexpr auto generous = 30s;
/// For tests that wait for nothing to come.
constexpr auto short_time = 60ms;

hash_maker key(std::string text) {
    return [text] { return std::make_unique<hash>(text); };
}

/// What reached the access point.
struct asked {
    endpoint from;
    endpoint at;
    std::uint64_t seq = 0;
    std::string method;
    std::string text;
};

/// An access point that does what a test says, on a thread of its own.
class fake_access_point {
public:
    /// `answer` is called on that thread, with the number of the request from 1.
    explicit fake_access_point(std::function<void(fake_access_point&, const asked&)> answer)
        : answer_(std::move(answer)) {
        const endpoint any{*parse_ip_address("127.0.0.1"), 0};
        server_ = datagram_server::listen(loop_, {any, any},
                                          [this](const endpoint& from, const endpoint& at,
                                                 byte_view octets) { take(from, at, octets); })
                      .value();
        thread_ = std::thread([this] { loop_.run(); });
    }
    ~fake_access_point() { stop(); }
    void stop() {
        if (!thread_.joinable())
            return;
        loop_.stop();
        thread_.join();
        server_.reset();
    }

    std::uint16_t port() const { return server_->addresses().at(0).port; }

    void send(const asked& to, std::string_view octets) { server_->send(to.at, to.from, octets); }
    void send_from_elsewhere(const asked& to, std::string_view octets) {
        server_->send(server_->addresses().at(1), to.from, octets);
    }
    std::string ok(std::uint64_t seq, std::string_view with = "secret") {
        hash signing(with);
        std::string text;
        dtcp::write_response(text, dtcp::response{.seq = sequence_number(seq)}, signing);
        return text;
    }
    std::string part(std::uint64_t seq, std::uint32_t first, std::uint32_t last,
                     std::uint32_t count) {
        hash signing("secret");
        dtcp::list_writer writer(signing);
        std::string text;
        writer.begin(text, dtcp::response{.seq = sequence_number(seq)});
        for (std::uint32_t number = first; number <= last; ++number) {
            dtcp::list_entry entry;
            entry.id = criteria_id(number);
            entry.csource_id = "cs1";
            entry.cdest_ids = {"cd1"};
            entry.number = number;
            entry.count = count;
            std::string lines;
            dtcp::write_entry(lines, entry, dtcp::version_0_7);
            writer.add(text, lines);
        }
        writer.end_part(text);
        return text;
    }

    /// For the access point's thread, or after `stop`.
    std::vector<asked> requests;

private:
    void take(const endpoint& from, const endpoint& at, byte_view octets) {
        asked one{from, at, 0, {}, {reinterpret_cast<const char*>(octets.data()), octets.size()}};
        const auto parts = dtcp::parse_envelope(one.text);
        REQUIRE(parts);
        REQUIRE(parts->sequence);
        one.seq = parts->sequence->value();
        one.method = parts->start_line.substr(0, parts->start_line.find(' '));
        requests.push_back(one);
        answer_(*this, one);
    }

    std::function<void(fake_access_point&, const asked&)> answer_;
    event_loop loop_;
    std::unique_ptr<datagram_server> server_;
    std::thread thread_;
};

void answer_ok(fake_access_point& point, const asked& one) {
    point.send(one, point.ok(one.seq));
}

/// What came back, in short.
struct summary final : dtcp::response_handler {
    void on_entry(dtcp::list_entry entry) override {
        text += "#" + std::to_string(entry.id.value()) + " ";
    }
    void on_response(dtcp::response answer, dtcp::authenticity signature) override {
        text += std::to_string(answer.seq.value()) + " ";
        verified = verified && signature == dtcp::authenticity::verified;
    }
    void on_notification(dtcp::notification, dtcp::authenticity) override { text += "told "; }
    std::string text;
    bool verified = true;
};

dtcp_udp_options to(const fake_access_point& point) {
    dtcp_udp_options made;
    made.host = "127.0.0.1";
    made.port = point.port();
    made.csource_id = "cs1";
    return made;
}

dtcp_udp_client client_of(dtcp_udp_options options, std::uint64_t first = 10) {
    return dtcp_udp_client::open(std::move(options), key("secret"),
                                 count_from(sequence_number(first)))
        .value();
}

std::vector<outgoing_request> requests(std::size_t count, std::string method) {
    return std::vector<outgoing_request>(count, {.method = std::move(method), .fields = {}});
}

} // namespace

TEST_CASE("each request is a signed datagram with the next Seq") {
    fake_access_point point(answer_ok);
    auto client = client_of(to(point));
    summary answers;
    CHECK(client.exchange(requests(3, "ADD"), answers, generous));
    CHECK(client.exchange(requests(1, "NOOP"), answers, generous));
    CHECK(answers.text == "10 11 12 13 ");
    CHECK(answers.verified);
    point.stop();
    REQUIRE(point.requests.size() == 4);
    hash verifying("secret");
    for (const asked& one : point.requests) {
        const auto parts = dtcp::parse_envelope(one.text).value();
        CHECK(dtcp::verify(parts, verifying));
        CHECK(parts.csource_id == "cs1");
        CHECK(one.text.ends_with("\r\n\r\n"));
    }
}

TEST_CASE("requests keep the Seq that they come with, and those that are signed are left alone") {
    fake_access_point point(answer_ok);
    auto client = client_of(to(point));
    const auto chosen = [](std::string number) {
        return outgoing_request{.method = "NOOP", .fields = {{"seq", std::move(number)}}};
    };
    const outgoing_request signed_already{
        .method = {}, .fields = {}, .verbatim = "NOOP DTCP/0.7\nSeq: 500\nX: y\n\n"};
    summary answers;
    const std::vector<outgoing_request> all{chosen("77"), requests(1, "NOOP")[0], signed_already};
    CHECK(client.exchange(all, answers, generous));
    CHECK(answers.text == "77 10 500 ");
    point.stop();
    CHECK(point.requests.at(2).text == signed_already.verbatim);

    const outgoing_request none{.method = {}, .fields = {}, .verbatim = "NOOP DTCP/0.7\n\n"};
    const auto failed = client.exchange(std::span(&none, 1), answers, generous);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == dtcp::errc::missing_sequence);
}

TEST_CASE("a client has at most 64 requests on their way, and hands answers over in order") {
    std::vector<asked> waiting;
    std::size_t most = 0;
    std::size_t all = 0;
    fake_access_point point([&](fake_access_point& self, const asked& one) {
        waiting.push_back(one);
        most = std::max(most, waiting.size());
        // 64 at a time, the latest first.
        if (++all % 64 != 0 && all != 200)
            return;
        std::reverse(waiting.begin(), waiting.end());
        for (const asked& held : waiting)
            self.send(held, self.ok(held.seq));
        waiting.clear();
    });
    auto client = client_of(to(point));
    summary answers;
    CHECK(client.exchange(requests(200, "ADD"), answers, generous));
    std::string expected;
    for (int seq = 10; seq < 210; ++seq)
        expected += std::to_string(seq) + " ";
    CHECK(answers.text == expected);
    point.stop();
    CHECK(most == 64);
}

TEST_CASE("a list is collected from its datagrams in whatever order they come") {
    fake_access_point point([](fake_access_point& self, const asked& one) {
        self.send(one, self.part(one.seq, 4, 6, 7));
        self.send(one, self.part(one.seq, 7, 7, 7));
        self.send(one, self.part(one.seq, 4, 6, 7));
        self.send(one, self.part(one.seq + 1, 1, 1, 1)); // nobody's
        self.send(one, self.part(one.seq, 1, 3, 7));
    });
    auto client = client_of(to(point));
    summary answers;
    CHECK(client.exchange(requests(1, "LIST"), answers, generous));
    CHECK(answers.text == "#1 #2 #3 #4 #5 #6 #7 10 ");
}

TEST_CASE("LIST and NOOP are asked again, with a new Seq each time") {
    for (const std::string method : {"LIST", "NOOP"}) {
        CAPTURE(method);
        fake_access_point point([](fake_access_point& self, const asked& one) {
            if (self.requests.size() == 1 && one.method == "LIST")
                self.send(one, self.part(one.seq, 1, 2, 3)); // and the rest is lost
            else if (self.requests.size() >= 3 && one.method == "LIST")
                self.send(one, self.part(one.seq, 1, 3, 3));
            else if (self.requests.size() >= 3)
                self.send(one, self.ok(one.seq));
        });
        auto options = to(point);
        options.tries = 300; // 100 ms each
        auto client = client_of(options);
        summary answers;
        CHECK(client.exchange(requests(1, method), answers, generous));
        point.stop();
        REQUIRE(point.requests.size() >= 3);
        for (std::size_t index = 0; index < point.requests.size(); ++index)
            CHECK(point.requests[index].seq == 10 + index);
        CHECK(std::count(answers.text.begin(), answers.text.end(), '#') ==
              (method == "LIST" ? 3 : 0));
        CHECK(std::count(answers.text.begin(), answers.text.end(), ' ') ==
              (method == "LIST" ? 4 : 1));
    }
}

TEST_CASE("an ADD is never sent twice, and its silence stands in its place") {
    std::string order;
    fake_access_point point([](fake_access_point& self, const asked& one) {
        if (one.seq != 11)
            self.send(one, self.ok(one.seq));
    });
    auto options = to(point);
    summary answers;
    options.on_silence = [&](std::size_t request, sequence_number seq) {
        answers.text +=
            "silence(" + std::to_string(request) + "," + std::to_string(seq.value()) + ") ";
    };
    auto client = client_of(options);
    const auto done = client.exchange(requests(3, "ADD"), answers, short_time);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == transport::errc::timed_out);
    CHECK(done.error().subject == "1 of 3 requests");
    CHECK(answers.text == "10 silence(1,11) 12 ");
    point.stop();
    CHECK(point.requests.size() == 3);
}

TEST_CASE("what does not verify or comes from elsewhere is no answer") {
    fake_access_point point([](fake_access_point& self, const asked& one) {
        if (self.requests.size() == 2)
            return answer_ok(self, one);
        self.send(one, self.ok(one.seq, "other key"));
        self.send(one, "no message");
        self.send(one, "");
        self.send(one, self.ok(one.seq) + self.ok(one.seq));
        self.send_from_elsewhere(one, self.ok(one.seq));
        self.send(one, self.ok(one.seq + 1));
    });
    auto client = client_of(to(point));
    summary answers;
    const auto done = client.exchange(requests(1, "ADD"), answers, short_time);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == transport::errc::timed_out);
    CHECK(answers.text.empty());
    CHECK(client.exchange(requests(1, "ADD"), answers, generous));
    CHECK(answers.text == "11 ");
    CHECK(client.refused() == 4);
}

TEST_CASE("an answer that comes late is not taken for another") {
    asked first;
    fake_access_point point([&](fake_access_point& self, const asked& one) {
        if (self.requests.size() == 1) {
            first = one;
            return;
        }
        self.send(one, self.ok(first.seq));
        self.send(one, self.ok(one.seq));
    });
    auto client = client_of(to(point));
    summary answers;
    CHECK_FALSE(client.exchange(requests(1, "ADD"), answers, short_time));
    CHECK(client.exchange(requests(1, "ADD"), answers, generous));
    CHECK(answers.text == "11 ");
}

TEST_CASE("nobody there is told at once") {
    std::uint16_t port = 0;
    {
        const fake_access_point point(answer_ok);
        port = point.port();
    }
    dtcp_udp_options options;
    options.host = "127.0.0.1";
    options.port = port;
    auto client = client_of(options);
    summary answers;
    const auto done = client.exchange(requests(1, "ADD"), answers, generous);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == std::errc::connection_refused);

    options.host = "no such host";
    const auto unknown =
        dtcp_udp_client::open(options, key("secret"), count_from(sequence_number(1)));
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().code == transport::errc::host_not_found);
}

TEST_CASE("sequence numbers that end stop the client, and keep what was answered") {
    fake_access_point point(answer_ok);
    std::uint64_t next = 5;
    auto options = to(point);
    options.window = 1;
    auto client = dtcp_udp_client::open(options, key("secret"), [&]() -> result<sequence_number> {
                      if (next == 7)
                          return fail(std::error_code(ENOSPC, std::generic_category()));
                      return sequence_number(next++);
                  }).value();
    summary answers;
    const auto done = client.exchange(requests(3, "ADD"), answers, generous);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == std::errc::no_space_on_device);
    CHECK(answers.text == "5 6 ");
}

TEST_CASE("a receiver comes back from each call however much comes") {
    auto receiver = notification_receiver::listen({*parse_ip_address("127.0.0.1"), 0}, key("k"));
    REQUIRE(receiver);
    hash signing("k");
    std::string octets;
    dtcp::write_notification(octets, {}, signing);
    /// Sends one more for each that comes.
    struct pump final : dtcp::response_handler {
        void on_entry(dtcp::list_entry) override {}
        void on_response(dtcp::response, dtcp::authenticity) override {}
        void on_notification(dtcp::notification, dtcp::authenticity) override {
            if (++count < most)
                send();
        }
        std::function<void()> send;
        int count = 0;
        int most = 5000;
    } flood;
    const auto from = datagram_socket::open({*parse_ip_address("127.0.0.1"), 0}).value();
    flood.send = [&] {
        CHECK(send_datagram_from(from.number(), {}, receiver->address(), octets) == 0);
    };
    flood.send();
    REQUIRE(receiver->receive(flood));
    CHECK(flood.count > 0);
    CHECK(flood.count < flood.most);
    // The rest is still there.
    const int before = flood.count;
    REQUIRE(receiver->receive(flood));
    CHECK(flood.count > before);
}

TEST_CASE("notifications are received that verify, and nothing else") {
    auto receiver =
        notification_receiver::listen({*parse_ip_address("127.0.0.1"), 0}, key("secret")).value();
    event_loop loop;
    const auto sender = datagram_server::listen(loop, {{*parse_ip_address("127.0.0.1"), 0}},
                                                [](const auto&, const auto&, byte_view) {})
                            .value();
    const auto told = [](std::string_view with) {
        hash signing(with);
        std::string text;
        dtcp::write_notification(text, {}, signing);
        return text;
    };
    summary heard;
    CHECK(receiver.receive(heard));
    CHECK(heard.text.empty());
    sender->send({}, receiver.address(), told("other"));
    sender->send({}, receiver.address(), "x");
    sender->send({}, receiver.address(), told("secret"));
    pollfd input{receiver.descriptor(), POLLIN, 0};
    REQUIRE(::poll(&input, 1, 30'000) == 1);
    CHECK(receiver.receive(heard));
    CHECK(heard.text == "told ");
    CHECK(receiver.refused() == 2);

    const auto taken = notification_receiver::listen(receiver.address(), key("secret"));
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == std::errc::address_in_use);
}
