// SPDX-License-Identifier: Apache-2.0
// Answers over UDP: what they wait for, and LIST in many datagrams.
#include <doctest/doctest.h>

#include "rig.hpp"
#include "traffic.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

constexpr const char* noop = "NOOP DTCP/0.7\n";
constexpr const char* list = "LIST DTCP/0.7\n";
constexpr const char* delete_first = "DELETE DTCP/0.7\nCriteria-ID: 1\nFlags: STATIC\n";

tap::settings roomy(std::size_t limit) {
    tap::settings with = udp_settings();
    with.criteria_limit = limit;
    return with;
}

struct udp_rig : rig {
    explicit udp_rig(tap::settings with = udp_settings()) : rig(std::move(with)) {}

    void send(std::string_view source, std::string_view lines) {
        feed_datagram(request(source, lines, udp_key));
    }

    void stock(std::string_view source, std::size_t count) {
        for (std::size_t done = 0; done < count; ++done) {
            const std::string address =
                std::to_string(done >> 8U) + "." + std::to_string(done & 255U);
            send(source, add("Dest-Address: 10.0." + address + "\n"));
            if (done % 200 == 199)
                turn();
        }
        turn();
        REQUIRE(take_datagrams().size() == count);
    }

    /// Turns until nothing is due, and the verified answers, with how many a turn gave at most.
    std::vector<std::string> gather() {
        std::vector<std::string> all;
        do {
            turn();
            const auto sent = take_datagrams();
            most_in_a_turn = std::max(most_in_a_turn, sent.size());
            for (const tap::send_datagram& one : sent) {
                longest = std::max(longest, one.octets.size());
                all.push_back(verified(one.octets, udp_key));
            }
        } while (point.deadline() && *point.deadline() <= now.steady);
        return all;
    }

    std::size_t most_in_a_turn = 0;
    std::size_t longest = 0;
};

std::size_t occurrences(std::string_view text, std::string_view of) {
    std::size_t count = 0;
    for (std::size_t at = text.find(of); at != std::string_view::npos; at = text.find(of, at + 1))
        ++count;
    return count;
}

/// The entries of an answer's parts, each of which must begin as `begin` says.
std::string joined(const std::vector<std::string>& parts, std::string_view begin) {
    std::string all;
    for (const std::string& part : parts) {
        REQUIRE(part.starts_with(begin));
        all += part.substr(begin.size());
    }
    return all;
}

} // namespace

TEST_CASE("over UDP an ADD is answered when it has been published, with the time of that") {
    udp_rig at;
    wire on(at.path);
    at.send("md1", add("Dest-Address: 10.0.0.1\n"));
    CHECK(at.take_datagrams().empty());
    CHECK(on.pass(udp_packet(1)) == 0);
    at.pass(2s);
    const auto answers = at.gather();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].find("CRITERIA-ID: 1\n") != std::string::npos);
    CHECK(value_of(answers[0], "TIMESTAMP") == "2011-02-13 15:56:51.609");
    CHECK(on.pass(udp_packet(1)) == 1);
    CHECK(value_of(at.ask_datagram("md1", list), "CSOURCE-ADDRESS") == "198.51.100.8");
}

TEST_CASE("over UDP a DELETE waits for the workers, and nobody waits for it") {
    udp_rig at;
    wire on(at.path);
    at.ask_datagram("md1", add("Dest-Address: 10.0.0.1\n"));
    on.sink->on_copies = [&] {
        at.send("md1", delete_first);
        at.send("md1", noop);
        at.send("md2", noop);
        const auto answers = at.gather();
        REQUIRE(answers.size() == 2);
        CHECK(answers[0].find("SEQ: 3\n") != std::string::npos);
        CHECK(answers[1].find("SEQ: 4\n") != std::string::npos);
        on.sink->on_copies = nullptr;
    };
    at.ask_datagram("md2", noop);
    at.next_seq = 2;
    CHECK(on.pass(udp_packet(1)) == 1);
    const auto answers = at.gather();
    REQUIRE(answers.size() == 1);
    CHECK(value_of(answers[0], "SEQ") == "2");
    CHECK(value_of(answers[0], "CRITERIA-COUNT") == "1");
    CHECK(on.pass(udp_packet(1)) == 0);
}

TEST_CASE("over UDP an ADD that there is no room for is answered with 500") {
    tap::settings with = roomy(10'000);
    with.filter_memory = 1;
    udp_rig at(with);
    at.send("md1", add("Dest-Address: 10.0.0.1\n"));
    at.send("md2", add("Dest-Address: 10.0.0.1\n"));
    const auto answers = at.gather();
    REQUIRE(answers.size() == 2);
    for (const std::string& answer : answers) {
        CHECK(status_of_answer(answer) == 500);
        CHECK(value_of(answer, "CRITERIA-ID") == "none");
    }
    CHECK(at.point.state().criteria == 0);
    CHECK(at.point.state().errors_answered == 2);
}

TEST_CASE("too many requests of a source that wait make more be dropped, of that source only") {
    udp_rig at(roomy(1000));
    for (int i = 0; i < 300; ++i)
        at.send("md1", add(""));
    CHECK(at.point.state().criteria == 256);
    CHECK(at.point.state().datagrams_dropped == 44);
    CHECK(at.audit.records.back().event == tap::audit_event::refusal);
    CHECK(at.audit.records.back().principal == "md1");
    at.next_seq = 1;
    at.send("md2", add(""));
    CHECK(at.point.state().criteria == 257);
    CHECK(at.gather().size() == 257);
    // Their numbers were not used up: the client sends the same again.
    at.next_seq = 257;
    for (int i = 0; i < 44; ++i)
        at.send("md1", add(""));
    CHECK(at.gather().size() == 44);
    CHECK(at.point.state().datagrams_dropped == 44);
}

TEST_CASE("a source that nobody answers yet is served however many others wait") {
    tap::settings with = roomy(50'000);
    for (int i = 0; i < 70; ++i)
        with.sources["source" + std::to_string(i)] = with.sources["md1"];
    udp_rig at(with);
    for (int i = 0; i < 70; ++i) {
        at.next_seq = 1;
        for (int k = 0; k < 256; ++k)
            at.send("source" + std::to_string(i), add(""));
    }
    CHECK(at.point.state().criteria == 16'384 + 6);
    at.next_seq = 1;
    at.send("md1", add(""));
    at.send("md1", add(""));
    CHECK(at.point.state().criteria == 16'384 + 7);
}

TEST_CASE("requests that go through many criteria make those of their source wait, in order") {
    udp_rig at(roomy(10'000));
    at.stock("md1", 9000);
    const auto answered = [&] {
        at.turn();
        std::vector<std::string> numbers;
        for (const tap::send_datagram& one : at.take_datagrams())
            numbers.push_back(value_of(verified(one.octets, udp_key), "SEQ"));
        return numbers;
    };
    const auto heavy = "REFRESH DTCP/0.7\nCriteria-ID: *\nTimeout-Idle: 5\n";
    using numbers = std::vector<std::string>;
    for (int i = 0; i < 3; ++i)
        at.send("md1", heavy);
    at.send("md1", noop);
    // Replays, which are refused at once and take nobody's place.
    for (int i = 0; i < 300; ++i) {
        at.next_seq = 9001;
        at.send("md1", noop);
    }
    CHECK(at.point.state().bad_sequences == 300);
    CHECK(at.point.state().datagrams_dropped == 0);
    at.next_seq = 1;
    at.send("md2", noop);
    CHECK(*at.point.deadline() <= at.now.steady);
    CHECK(at.take_datagrams().size() == 2);
    CHECK(answered() == numbers{"9002"});
    CHECK(answered() == numbers{"9003"});
    CHECK(answered() == numbers{"9004"});
    CHECK((!at.point.deadline() || *at.point.deadline() > at.now.steady));
}

TEST_CASE("repeats of a request that waits take nobody's place") {
    udp_rig at(roomy(10'000));
    at.stock("md1", 9000);
    const std::string heavy = "REFRESH DTCP/0.7\nCriteria-ID: *\nTimeout-Idle: 5\n";
    at.send("md1", heavy);
    const std::string waits = at.request("md1", heavy, udp_key);
    for (int i = 0; i < 300; ++i)
        at.feed_datagram(waits);
    CHECK(at.point.state().bad_sequences == 299);
    CHECK(at.point.state().datagrams_dropped == 0);
    at.send("md1", noop);
    CHECK(at.gather().size() == 3);
}

TEST_CASE("requests that wait move the windows for those behind them") {
    udp_rig at(roomy(10'000));
    at.stock("md1", 9000);
    const std::string heavy = "REFRESH DTCP/0.7\nCriteria-ID: *\nTimeout-Idle: 5\n";
    at.send("md1", heavy);
    const std::uint64_t last = at.next_seq - 1;
    for (const std::uint64_t ahead : {256, 512, 500, 768, 400, 256, 768, 1025, 511, 512}) {
        at.next_seq = last + ahead;
        at.send("md1", noop);
    }
    // Taken are 256, 512, 500 and 768, which leaves what is below 513 behind.
    CHECK(at.point.state().bad_sequences == 6);
    CHECK(at.gather().size() == 5);
    CHECK(at.point.state().bad_sequences == 6);
}

TEST_CASE("without a check of the numbers requests of the same one wait side by side") {
    tap::settings with = roomy(10'000);
    with.sources["md1"].sequence_check = false;
    udp_rig at(with);
    at.stock("md1", 9000);
    const auto heavy =
        at.request("md1", "REFRESH DTCP/0.7\nCriteria-ID: *\nTimeout-Idle: 5\n", udp_key);
    for (int i = 0; i < 3; ++i)
        at.feed_datagram(heavy);
    CHECK(at.gather().size() == 3);
}

TEST_CASE("criteria that a selection leaves out again count as gone through") {
    udp_rig at(roomy(10'000));
    at.stock("md1", 9000);
    for (int i = 0; i < 3; ++i)
        at.send("md1", "LIST DTCP/0.7\nCriteria-ID: *,!*\n");
    CHECK(at.point.state().requests == 9003);
    at.turn();
    CHECK(at.take_datagrams().size() == 2);
    at.turn();
    CHECK(at.take_datagrams().size() == 1);
}

TEST_CASE("so many octets of requests wait for their source's turn, and no more") {
    udp_rig at(roomy(10'000));
    at.stock("md1", 9000);
    at.send("md1", "REFRESH DTCP/0.7\nCriteria-ID: *\nTimeout-Idle: 5\n");
    const std::string filler = "X-A: " + std::string(8000, 'x') + "\n";
    for (int i = 0; i < 10; ++i)
        at.send("md1", noop + filler + filler + filler + filler + filler);
    CHECK(at.point.state().datagrams_dropped == 4);
    CHECK(at.gather().size() == 7);
    CHECK_FALSE(at.ask_datagram("md1", noop).empty());
}

TEST_CASE("LIST over UDP is many whole responses of at most 1400 octets") {
    udp_rig at(roomy(1000));
    at.stock("md1", 1000);
    at.send("md1", list);
    CHECK(at.take_datagrams().empty());
    const auto parts = at.gather();
    const std::string text = joined(parts, "DTCP/0.7 200 OK\n"
                                           "SEQ: 1001\n"
                                           "TIMESTAMP: 2011-02-13 15:56:49.609\n");
    CHECK(at.longest <= 1400);
    CHECK(at.most_in_a_turn <= 32);
    CHECK(parts.size() < 500);
    for (const std::string& part : parts) {
        CHECK(occurrences(part, "CRITERIA-ID: ") == occurrences(part, "\nCRITERIA-NUM: "));
        CHECK(part.find("\nCRITERIA-COUNT: 1000\n") != std::string::npos);
    }
    std::size_t place = 0;
    for (int i = 1; i <= 1000; ++i) {
        const std::string number = std::to_string(i) + "\n";
        place = text.find("CRITERIA-ID: " + number, place);
        REQUIRE(place != std::string::npos);
        place = text.find("\nCRITERIA-NUM: " + number + "CRITERIA-COUNT: 1000\n", place);
        REQUIRE(place != std::string::npos);
    }
    CHECK(occurrences(text, "\nCRITERIA-NUM: ") == 1000);
}

TEST_CASE("under DTCP/0.5 the number of criteria comes once, in the last datagram") {
    // Every length of the last datagram, at which the line for the number may not fit.
    for (const std::size_t count : {1, 2, 3, 4, 5, 6, 7, 8, 1000}) {
        CAPTURE(count);
        udp_rig at(roomy(1000));
        at.stock("md1", count);
        at.send("md1", "LIST DTCP/0.5\nFlags: Criteria\n");
        const auto parts = at.gather();
        CHECK(at.longest <= 1400);
        std::string text;
        for (const std::string& part : parts)
            text += part;
        CHECK(occurrences(text, "CRITERIA-NUM: ") == 0);
        CHECK(occurrences(text, "\nCRITERIA-ID: ") == count);
        CHECK(occurrences(text, "NUM-CRITERIA: ") == 1);
        CHECK(parts.back().ends_with("NUM-CRITERIA: " + std::to_string(count) + "\n"));
    }
}

TEST_CASE("a datagram is filled up to the last octet, and no further") {
    for (const char* version : {"0.5", "0.7"}) {
        CAPTURE(std::string(version));
        const std::string asked = "LIST DTCP/" + std::string(version) + "\nFlags: Criteria\n";
        std::size_t longest = 0;
        for (std::size_t name = 300; name < 420; ++name) {
            udp_rig at;
            std::string request = add("");
            request.replace(request.find("cd1"), 3, std::string(name, 'x'));
            at.ask_datagram("md1", request);
            at.ask_datagram("md1", request);
            at.send("md1", asked);
            const auto parts = at.gather();
            CHECK(at.longest <= 1400);
            REQUIRE(parts.size() <= 2);
            if (parts.size() == 1)
                longest = std::max(longest, at.longest);
        }
        // Two octets more each time; the count under 0.5 may have ten digits.
        CHECK(longest >= (std::string_view(version) == "0.5" ? 1390 : 1399));
    }
}

TEST_CASE("a LIST that selects nothing is one datagram") {
    udp_rig at;
    for (const char* version : {"0.5", "0.7"}) {
        at.send("md1", "LIST DTCP/" + std::string(version) + "\n");
        const auto parts = at.gather();
        REQUIRE(parts.size() == 1);
        CHECK(status_of_answer(parts[0]) == 200);
        CHECK(parts[0].find("CRITERIA-ID") == std::string::npos);
    }
}

TEST_CASE("an entry that is longer than a datagram should be has one of its own") {
    udp_rig at;
    std::string ports = "1";
    while (ports.size() < 3000)
        ports += ",1";
    at.ask_datagram("md1", add("Dest-Address: 10.0.0.1\n"));
    at.ask_datagram("md1", add("Dest-Port: " + ports + "\n"));
    at.ask_datagram("md1", add("Dest-Address: 10.0.0.3\n"));
    at.send("md1", list);
    const auto parts = at.gather();
    REQUIRE(parts.size() == 3);
    for (std::size_t i = 0; i < 3; ++i)
        CHECK(parts[i].find("CRITERIA-NUM: " + std::to_string(i + 1) + "\nCRITERIA-COUNT: 3\n") !=
              std::string::npos);
    CHECK(parts[1].find(ports + "\n") != std::string::npos);
}

TEST_CASE("a LIST over UDP goes at the pace of the way out, and shows one moment") {
    udp_rig at(roomy(1000));
    at.stock("md1", 500);
    // What can be done while nobody waits is done first.
    for (int i = 0; i < 4; ++i)
        at.turn();
    at.send("md1", list);
    at.turn();
    std::string text;
    for (const tap::send_datagram& one : at.take_datagrams())
        text += verified(one.octets, udp_key);
    at.point.hold_datagrams(true);
    CHECK((!at.point.deadline() || *at.point.deadline() > at.now.steady));
    at.send("md1", "DELETE DTCP/0.7\nCriteria-ID: *\nFlags: STATIC\n");
    at.send("md1", add(""));
    at.turn();
    // Other answers go out.
    CHECK(at.take_datagrams().size() == 2);
    at.pass(10s);
    at.turn();
    CHECK(at.take_datagrams().empty());
    at.point.hold_datagrams(false);
    CHECK(*at.point.deadline() <= at.now.steady);
    for (const std::string& part : at.gather())
        text += part;
    CHECK(occurrences(text, "\nCRITERIA-NUM: ") == 500);
    CHECK(occurrences(text, "\nCRITERIA-COUNT: 500\n") == 500);
    CHECK(text.find("CRITERIA-NUM: 500\nCRITERIA-COUNT: 500\n") != std::string::npos);
    CHECK(text.find("15:56:59") == std::string::npos);
}

TEST_CASE("LISTs of two sources take turns, and those of one source are made one by one") {
    udp_rig at(roomy(2000));
    at.stock("md1", 500);
    at.next_seq = 1;
    at.stock("md2", 200);
    at.send("md2", list);
    at.next_seq = 501;
    at.send("md1", list);
    at.send("md1", list);
    at.turn();
    std::size_t first = 0;
    std::size_t second = 0;
    for (const tap::send_datagram& one : at.take_datagrams())
        ++(one.octets.find("CSOURCE-ID: md1") != std::string::npos ? first : second);
    CHECK(first == 16);
    CHECK(second == 16);
    std::string text;
    for (const std::string& part : at.gather())
        text += part;
    CHECK(at.point.state().errors_answered == 0);
    CHECK(occurrences(text, "CRITERIA-NUM: 500\n") == 2);
    CHECK(occurrences(text, "CRITERIA-NUM: 200\n") == 3);
}

TEST_CASE("LISTs that the way out does not take are refused before they hold too much") {
    udp_rig at(roomy(10'000));
    at.stock("md1", 5000);
    at.point.hold_datagrams(true);
    int refused = 0;
    for (int i = 0; i < 10; ++i) {
        at.send("md1", list);
        at.turn();
        for (const tap::send_datagram& one : at.take_datagrams())
            refused += status_of_answer(one.octets) == 500 ? 1 : 0;
    }
    CHECK(refused == 6);
    at.point.hold_datagrams(false);
    CHECK(occurrences(joined(at.gather(), "DTCP/0.7 200 OK\n"), "CRITERIA-NUM: 5000\n") == 4);
    at.send("md1", list);
    CHECK(at.gather().size() > 1000);
}

TEST_CASE("a LIST over UDP is dropped when its source may not tap any more") {
    udp_rig at(roomy(1000));
    at.stock("md1", 500);
    at.send("md1", list);
    at.send("md1", add(""));
    at.send("md2", add(""));
    at.point.apply(
        roomy(1000), [](std::string_view name) { return name != "md1"; }, at.now);
    const auto answers = at.gather();
    REQUIRE(answers.size() == 1);
    CHECK(status_of_answer(answers[0]) == 200);
    CHECK(at.point.state().criteria == 1);
}
