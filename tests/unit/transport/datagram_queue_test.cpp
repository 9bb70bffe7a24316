// SPDX-License-Identifier: Apache-2.0
#include "datagram_queue.hpp"

#include <cerrno>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace flowtap;
using namespace flowtap::transport;

namespace {

waiting_datagram datagram(std::string octets) {
    return {{}, {}, std::move(octets)};
}

} // namespace

TEST_CASE("a queue of datagrams keeps their order, and says how far it came") {
    queue_budget budget(10'000);
    datagram_queue queue(budget);
    for (const char* const octets : {"a", "b", "c", "d", "e"})
        CHECK(queue.push(datagram(octets)));
    std::string sent;
    const auto send_until = [&](const char* end, send_outcome then) {
        return [&sent, end, then](const waiting_datagram& one) {
            if (one.octets == end)
                return then;
            sent += one.octets;
            return send_outcome::sent;
        };
    };

    auto done = queue.flush(100, send_until("b", send_outcome::full));
    CHECK(done.sent == 1);
    CHECK(done.last == send_outcome::full);
    CHECK(sent == "a");
    done = queue.flush(100, send_until("b", send_outcome::exhausted));
    CHECK(done.sent == 0);
    CHECK(done.last == send_outcome::exhausted);

    // What cannot be sent is lost alone.
    done = queue.flush(100, send_until("c", send_outcome::impossible));
    CHECK(done.sent == 3);
    CHECK(done.lost == 1);
    CHECK(done.last == send_outcome::sent);
    CHECK(sent == "abde");
    CHECK(queue.empty());
}

TEST_CASE("a queue of datagrams is flushed a bounded number at a time") {
    queue_budget budget(10'000);
    datagram_queue queue(budget);
    for (int i = 0; i < 10; ++i)
        queue.push(datagram("x"));
    const auto send = [](const waiting_datagram&) { return send_outcome::sent; };
    CHECK(queue.flush(4, send).sent == 4);
    CHECK(queue.flush(4, send).last == send_outcome::full);
    CHECK(queue.flush(4, send).last == send_outcome::sent);
    CHECK(queue.empty());
}

TEST_CASE("queues share a budget that counts small datagrams, too") {
    queue_budget budget(1000);
    datagram_queue one(budget);
    datagram_queue other(budget);
    CHECK(one.push(datagram("")));
    CHECK(one.push(datagram(std::string(200, 'x'))));
    CHECK_FALSE(budget.is_full());
    CHECK(other.push(datagram("")));
    CHECK(budget.is_full());
    CHECK(other.push(datagram(std::string(161, 'x'))));
    CHECK_FALSE(one.push(datagram("")));
    CHECK(one.flush(1, [](const waiting_datagram&) { return send_outcome::impossible; }).lost == 1);
    CHECK(other.push(datagram("")));
    CHECK_FALSE(other.push(datagram("")));
}

TEST_CASE("errors of sending are told apart by what can be done about them") {
    CHECK(outcome_of(0) == send_outcome::sent);
    CHECK(outcome_of(EAGAIN) == send_outcome::full);
    CHECK(outcome_of(ENOBUFS) == send_outcome::exhausted);
    CHECK(outcome_of(EINVAL) == send_outcome::impossible);
    CHECK(outcome_of(EMSGSIZE) == send_outcome::impossible);
}
