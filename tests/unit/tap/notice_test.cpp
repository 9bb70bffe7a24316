// SPDX-License-Identifier: Apache-2.0
// Notifications: who gets them, in which version, and where in a stream they stand.
#include <doctest/doctest.h>

#include "rig.hpp"
#include "traffic.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

constexpr const char* noop = "NOOP DTCP/0.7\n";
constexpr const char* noop_async = "NOOP DTCP/0.7\nFlags: SendAsync\n";

const endpoint first_target{ip_address::v4(0xC6336409), 50001};
const endpoint second_target{parse_ip_address("2001:db8::9").value(), 50002};
const endpoint other_target{ip_address::v4(0xC633640A), 50003};

/// md1 has two targets, md2 one and another key, lea3 none.
tap::settings with_targets() {
    tap::settings with = udp_settings();
    with.sources["md1"].notification_targets = {first_target, second_target};
    with.sources["md2"].notification_targets = {other_target};
    with.sources["md2"].key = "the key of md2";
    return with;
}

/// Messages of a stream, each verified.
std::vector<std::string> messages(std::string_view text, std::string_view key = "Juniper") {
    std::vector<std::string> all;
    while (!text.empty()) {
        const std::size_t end = text.find("\r\n\r\n") + 4;
        all.push_back(verified(text.substr(0, end), key));
        text.remove_prefix(end);
    }
    return all;
}

constexpr std::string_view told_131 = "DTCP/0.7 131 NoOp Notification\n"
                                      "TIMESTAMP: 2011-02-13 15:56:49.609\n";

} // namespace

TEST_CASE("NOOP with SendAsync is answered, and then told to the targets of its source alone") {
    rig at(with_targets());
    at.feed_datagram(at.request("md1", noop_async, udp_key));
    at.turn();
    const auto sent = at.take_datagrams();
    REQUIRE(sent.size() == 3);
    CHECK(sent[0].to == at.device);
    CHECK(verified(sent[0].octets, udp_key).starts_with("DTCP/0.7 200 OK\n"));
    CHECK(sent[1].to == first_target);
    CHECK(sent[2].to == second_target);
    for (std::size_t i : {1, 2}) {
        CHECK(sent[i].from == endpoint{});
        CHECK(verified(sent[i].octets, udp_key) == told_131);
    }
    CHECK(at.point.state().notifications == 2);
    at.turn();
    CHECK(at.take_datagrams().empty());

    at.feed_datagram(at.request("md2", noop_async, "the key of md2"));
    at.turn();
    const auto others = at.take_datagrams();
    REQUIRE(others.size() == 2);
    CHECK(others[1].to == other_target);
    CHECK(verified(others[1].octets, "the key of md2") == told_131);
}

TEST_CASE("two sources' notifications of one turn do not mix") {
    rig at(with_targets());
    for (int i = 0; i < 50; ++i) {
        at.feed_datagram(at.request("md1", noop_async, udp_key));
        at.feed_datagram(at.request("md2", noop_async, "the key of md2"));
    }
    at.turn();
    int first = 0;
    int other = 0;
    for (const tap::send_datagram& one : at.take_datagrams()) {
        if (one.to == at.device)
            continue;
        const bool is_other = one.to == other_target;
        ++(is_other ? other : first);
        CHECK(verified(one.octets, is_other ? "the key of md2" : udp_key) == told_131);
    }
    CHECK(first == 100);
    CHECK(other == 50);
}

TEST_CASE("a NOOP without SendAsync, and one that is refused, tell nothing") {
    rig at(with_targets());
    CHECK_FALSE(at.ask_datagram("md1", noop).empty());
    CHECK(status_of_answer(at.ask_datagram("md1", "NOOP DTCP/0.7\nFlags: SendAsync\nBad: 1\n")) ==
          400);
    CHECK(at.point.state().notifications == 0);
}

TEST_CASE("over SSH those hear notifications whose login asked, after the answer") {
    rig at;
    const tap::session_id session = at.open("lea1");
    const tap::session_id same = at.open("lea1");
    const tap::session_id other = at.open("lea3");
    const auto heard = messages(at.exchange(session, at.request("lea1", noop_async)));
    REQUIRE(heard.size() == 2);
    CHECK(heard[0].starts_with("DTCP/0.7 200 OK\nSEQ: 1\n"));
    CHECK(heard[1] == told_131);
    CHECK(messages(at.read(same)) == std::vector<std::string>{std::string(told_131)});
    CHECK(at.read(other).empty());
    // Sessions that come later hear them, too.
    const tap::session_id late = at.open("lea1");
    at.exchange(session, at.request("lea1", noop_async));
    CHECK(messages(at.read(late)).size() == 1);
    CHECK(at.point.state().notifications == 5);
}

TEST_CASE("an ADD with SendAsync asks for notifications, and a request over UDP does not") {
    tap::settings with = with_targets();
    rig at(with);
    const tap::session_id session = at.open("md1");
    const auto tell = [&] {
        at.feed_datagram(at.request("md1", noop_async, udp_key));
        at.turn();
        return messages(at.read(session), udp_key).size();
    };
    CHECK(tell() == 0);
    // A refused one does nothing.
    const auto ask = [&](const std::string& lines) {
        return status_of_answer(at.ask(session, "md1", lines, udp_key));
    };
    CHECK(ask(add("Dest-Address: 10.0.0.300\n", "Flags: SendAsync\nTimeout-Idle: 5\n")) == 432);
    CHECK(ask(add("", "Timeout-Idle: 5\n")) == 200);
    CHECK(tell() == 0);
    CHECK(ask(add("", "Flags: SendAsync\nTimeout-Idle: 5\n")) == 200);
    CHECK(tell() == 1);
}

TEST_CASE("`notify` sends notifications to every session of a source") {
    tap::settings with = with_targets();
    with.sources["md1"].notify = true;
    rig at(with);
    const tap::session_id session = at.open("md1");
    const tap::session_id other = at.open("md2");
    at.feed_datagram(at.request("md1", noop_async, udp_key));
    at.turn();
    CHECK(messages(at.read(session), udp_key) == std::vector<std::string>{std::string(told_131)});
    CHECK(at.read(other).empty());
    CHECK(at.taken<tap::output_ready>().size() == 1);
}

TEST_CASE("a notification stands between responses, and never inside one") {
    tap::settings with = usual_settings();
    rig at(with);
    const tap::session_id session = at.open("lea1");
    const tap::session_id second = at.open("lea1");
    for (int i = 0; i < 60; ++i)
        at.ask(session, "lea1", add("Dest-Address: 10.0.0.1\n"));
    at.feed(session, at.request("lea1", "LIST DTCP/0.7\n"));
    at.turn();
    std::string text(1000, '\0');
    REQUIRE(at.point.read(session, text, at.now) == 1000);
    at.exchange(second, at.request("lea1", noop_async));
    const auto heard = messages(text + at.read(session));
    REQUIRE(heard.size() == 2);
    CHECK(heard[0].starts_with("DTCP/0.7 200 OK\n"));
    CHECK(heard[0].find("CRITERIA-NUM: 60\n") != std::string::npos);
    CHECK(heard[1] == told_131);
}

TEST_CASE("a channel that nobody reads gets so many notifications and no more") {
    rig at;
    const tap::session_id slow = at.open("lea1");
    const tap::session_id session = at.open("lea1");
    for (int i = 0; i < 1500; ++i)
        REQUIRE(messages(at.exchange(session, at.request("lea1", noop_async))).size() == 2);
    CHECK(at.point.state().notifications == 1500 + 1024);
    CHECK(at.point.state().notifications_dropped == 1500 - 1024);
    // They are no reason not to take requests.
    const std::string request = at.request("lea1", noop);
    CHECK(at.feed(slow, request) == request.size());
    const auto heard = messages(at.read(slow));
    REQUIRE(heard.size() == 1025);
    CHECK(heard.back().find("\nSEQ: ") != std::string::npos);
    at.exchange(session, at.request("lea1", noop_async));
    CHECK(messages(at.read(slow)).size() == 1);
}

TEST_CASE("a notification carries the time at which it goes out") {
    rig at;
    const tap::session_id session = at.open("lea1");
    at.feed(session, at.request("lea1", noop_async));
    at.turn();
    at.pass(3s);
    const auto heard = messages(at.read(session));
    REQUIRE(heard.size() == 2);
    CHECK(value_of(heard[0], "TIMESTAMP") == "2011-02-13 15:56:49.609");
    CHECK(value_of(heard[1], "TIMESTAMP") == "2011-02-13 15:56:52.609");
}

TEST_CASE("notifications speak the configured version, else the one spoken last, else 0.7") {
    const auto begin = [](rig& at, const char* version) {
        at.feed_datagram(at.request(
            "md1", "NOOP DTCP/" + std::string(version) + "\nFlags: SendAsync\n", udp_key));
        at.turn();
        const auto sent = at.take_datagrams();
        return sent.back().octets.substr(0, 12);
    };
    tap::settings with = with_targets();
    rig last(with);
    last.point.announce_start("power failure", last.now);
    CHECK(last.take_datagrams().front().octets.starts_with("DTCP/0.7 599"));
    CHECK(begin(last, "0.5") == "DTCP/0.5 131");
    CHECK(begin(last, "0.8") == "DTCP/0.8 131");
    // A version that is not spoken is not the last one.
    CHECK(begin(last, "0.9") == "DTCP/0.8 505");
    last.point.announce_start("power failure", last.now);
    CHECK(last.take_datagrams().front().octets.starts_with("DTCP/0.8 599"));

    with.sources["md1"].notification_version = dtcp::version{0, 6};
    rig configured(with);
    CHECK(begin(configured, "0.5") == "DTCP/0.6 131");
}

TEST_CASE("a start is told to every target, also of sources that never sent anything") {
    rig at(with_targets());
    at.point.announce_start("power failure", at.now);
    const auto sent = at.take_datagrams();
    REQUIRE(sent.size() == 3);
    for (const tap::send_datagram& one : sent) {
        const bool is_other = one.to == other_target;
        const std::string text = verified(one.octets, is_other ? "the key of md2" : udp_key);
        CHECK(text.starts_with("DTCP/0.7 599 "));
        CHECK(value_of(text, "ALERT-INFO") == "power failure");
    }
}

TEST_CASE("a restart is told to the targets, and drops the answers that wait") {
    tap::settings with = with_targets();
    with.sources["md1"].notify = true;
    with.criteria_limit = 500;
    rig at(with);
    const tap::session_id session = at.open("md1");
    for (int i = 0; i < 200; ++i) {
        at.feed_datagram(at.request("md1", add(""), udp_key));
        at.turn();
    }
    at.take_datagrams();
    at.feed_datagram(at.request("md1", "LIST DTCP/0.7\n", udp_key));
    at.feed_datagram(at.request("md1", add(""), udp_key));
    at.point.restart(at.now);
    at.turn();
    const auto sent = at.take_datagrams();
    CHECK(sent.size() == 3);
    for (const tap::send_datagram& one : sent) {
        CHECK(one.to != at.device);
        CHECK(one.octets.substr(9, 3) == "599");
    }
    CHECK(at.read(session).empty());
    CHECK(at.point.state().criteria == 0);
    // And the service goes on, with the sequence numbers that it had.
    CHECK(status_of_answer(at.ask_datagram("md1", noop)) == 200);
    at.next_seq = 1;
    CHECK(at.ask_datagram("md1", noop).empty());
}

TEST_CASE("after a restart a login asks for notifications anew") {
    rig at;
    at.exchange(at.open("lea1"), at.request("lea1", noop_async));
    at.point.restart(at.now);
    at.turn();
    tap::settings with = usual_settings();
    const tap::session_id session = at.open("lea1");
    CHECK(messages(at.exchange(session, at.request("lea1", noop))).size() == 1);
    CHECK(at.point.state().notifications == 1);
}

TEST_CASE("a session that only waits for its answers to be read gets no notification any more") {
    rig at;
    const tap::session_id session = at.open("lea1");
    const tap::session_id other = at.open("lea1");
    at.feed(session, at.request("lea1", noop_async));
    at.turn();
    at.point.finish(session);
    CHECK(messages(at.exchange(other, at.request("lea1", noop_async))).size() == 3);
    CHECK(messages(at.read(session)).size() == 2);
    CHECK(at.taken<tap::close_session>().size() == 1);
}

TEST_CASE("a 390 waits until nothing of its criterion can leave, and nobody else's notification") {
    rig at(with_targets());
    wire on(at.path);
    std::string timed = add("Dest-Address: 10.0.0.1\nTimeout-Total: 5\n");
    timed.replace(timed.find("STATIC"), 6, "SendAsync");
    at.feed_datagram(at.request("md1", timed, udp_key));
    at.turn();
    at.take_datagrams();
    on.sink->on_copies = [&] {
        // The worker has begun with a batch.
        at.pass(5s);
        at.turn();
        at.feed_datagram(at.request("md2", noop_async, "the key of md2"));
        at.feed_datagram(at.request("md1", noop_async, udp_key));
        at.turn();
        std::vector<endpoint> told;
        for (const auto& sent : at.take_datagrams())
            if (sent.to != at.device)
                told.push_back(sent.to);
        CHECK(told == std::vector<endpoint>{other_target});
        on.sink->on_copies = nullptr;
    };
    CHECK(on.pass(udp_packet(1)) == 1);
    at.turn();
    const auto sent = at.take_datagrams();
    REQUIRE(sent.size() == 4);
    CHECK(verified(sent[0].octets, udp_key).starts_with("DTCP/0.7 390 "));
    CHECK(sent[0].octets == sent[1].octets);
    CHECK(verified(sent[2].octets, udp_key).starts_with("DTCP/0.7 131 "));
}
