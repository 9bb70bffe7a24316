// SPDX-License-Identifier: Apache-2.0
// What an answer promises: dtcp.md, section 11.
#include <algorithm>

#include <doctest/doctest.h>

#include <flowtap/filter/live_classifier.hpp>

#include "rig.hpp"
#include "traffic.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

constexpr const char* delete_first = "DELETE DTCP/0.7\nCriteria-ID: 1\nFlags: STATIC\n";

std::size_t count_of(std::string_view text, std::string_view what) {
    std::size_t count = 0;
    for (std::size_t at = text.find(what); at != std::string_view::npos;
         at = text.find(what, at + 1))
        ++count;
    return count;
}

/// Criteria for one address each, of which the first lists so many ports.
std::vector<filter::criterion> some_criteria(std::uint32_t count, std::uint16_t ports) {
    std::vector<filter::criterion> criteria;
    for (std::uint32_t i = 0; i < count; ++i) {
        filter_spec spec;
        spec.families = family::inet;
        const address_bits address = ip_address::v4(0x0A000001 + i).bits();
        spec.destination_addresses.entries.push_back({{address, address}});
        for (std::uint16_t port = 53; i == 0 && port < 53 + 2 * ports; port += 2)
            spec.destination_ports.entries.push_back({{port, port}});
        criteria.push_back(filter::criterion::make(slot_id{i}, spec).value());
    }
    return criteria;
}

/// The lowest limit at which all of `criteria` are taken, to an octet.
std::size_t memory_of(const std::vector<filter::criterion>& criteria) {
    std::size_t low = 0;
    for (std::size_t step = std::size_t{1} << 32; step != 0; step /= 2) {
        filter::live_classifier tried({.memory = low + step});
        const bool fits = std::all_of(criteria.begin(), criteria.end(), [&](const auto& one) {
            return tried.insert(one).has_value();
        });
        low += fits ? 0 : step;
    }
    return low + 1;
}

} // namespace

TEST_CASE("an ADD is answered when it has been published, and not before") {
    rig at;
    wire on(at.path);
    const tap::session_id session = at.open("lea1");
    at.feed(session, at.request("lea1", add("Dest-Address: 10.0.0.1\n")));
    CHECK(at.read(session).empty());
    CHECK(on.pass(udp_packet(1)) == 0);
    at.turn();
    CHECK(on.pass(udp_packet(1)) == 1);
    CHECK(status_of_answer(at.read(session)) == 200);
}

TEST_CASE("many ADDs of one turn are published once") {
    rig at;
    const tap::session_id session = at.open("lea1");
    at.turn();
    const std::uint64_t before = at.path.in_force().value();
    std::string octets;
    for (int i = 0; i < 50; ++i)
        octets += at.request("lea1", add("Dest-Address: 10.0.0.1\n"));
    at.exchange(session, octets);
    CHECK(at.path.in_force().value() == before + 1);
    at.turn();
    CHECK(at.path.in_force().value() == before + 1);
}

TEST_CASE("a DELETE is answered when every worker has finished the batch it was in") {
    rig at;
    wire on(at.path);
    const tap::session_id session = at.open("lea1");
    const tap::session_id other = at.open("lea3");
    at.ask(session, "lea1", add("Dest-Address: 10.0.0.1\n"));

    on.sink->on_copies = [&] {
        at.feed(session, at.request("lea1", delete_first));
        at.feed(session, at.request("lea1", "NOOP DTCP/0.7\n"));
        for (int i = 0; i < 3; ++i)
            at.turn();
        // The worker has begun with a batch: the answer waits, and those behind it.
        CHECK(at.read(session).empty());
        // Other sessions do not wait, and an ADD needs no worker to finish.
        CHECK(status_of_answer(at.ask(other, "lea3", "NOOP DTCP/0.7\n")) == 200);
        CHECK(status_of_answer(at.ask(other, "lea3", "LIST DTCP/0.7\n")) == 200);
        on.sink->on_copies = nullptr;
    };
    CHECK(on.pass(udp_packet(1)) == 1);
    at.turn();
    const std::string answers = at.read(session);
    CHECK(status_of_answer(answers) == 200);
    CHECK(answers.find("CRITERIA-COUNT: 1\r\n") != std::string::npos);
    CHECK(answers.find("SEQ: 3\r\n") != std::string::npos);
    CHECK(on.pass(udp_packet(1)) == 0);
}

TEST_CASE("a deleted criterion copies nothing from the next batch on, answered or not") {
    rig at;
    wire on(at.path);
    wire stuck(at.path);
    const tap::session_id session = at.open("lea1");
    at.ask(session, "lea1", add("Dest-Address: 10.0.0.1\n"));
    stuck.sink->on_copies = [&] {
        at.feed(session, at.request("lea1", delete_first));
        // Not even published yet.
        CHECK(on.pass(udp_packet(1)) == 0);
        at.turn();
        CHECK(on.pass(udp_packet(1)) == 0);
        CHECK(at.read(session).empty());
    };
    stuck.pass(udp_packet(1));
    at.turn();
    CHECK(status_of_answer(at.read(session)) == 200);
}

TEST_CASE("an ADD behind a stuck worker's DELETE waits until the data path takes it") {
    rig at;
    wire on(at.path);
    wire stuck(at.path);
    const tap::session_id session = at.open("lea1");
    const tap::session_id other = at.open("lea3");
    at.ask(session, "lea1", add("Dest-Address: 10.0.0.1\n"));
    stuck.sink->on_copies = [&] {
        at.feed(session, at.request("lea1", delete_first));
        at.turn();
        at.feed(other, at.request("lea3", add("Dest-Address: 10.0.0.2\n")));
        at.feed(other, at.request("lea3", "NOOP DTCP/0.7\n"));
        at.turn();
        const bool answered = !at.read(other).empty();
        CHECK(answered == (on.pass(udp_packet(2)) == 1));
        stuck.sink->on_copies = nullptr;
    };
    stuck.pass(udp_packet(1));
    for (int i = 0; i < 3; ++i)
        at.turn();
    CHECK(status_of_answer(at.read(session)) == 200);
    at.read(other);
    CHECK(on.pass(udp_packet(2)) == 1);
    CHECK(at.point.state().criteria == 1);
}

TEST_CASE("a DELETE that finds nothing waits for the one before it") {
    rig at;
    wire on(at.path);
    const tap::session_id session = at.open("lea1");
    const tap::session_id second = at.open("lea1");
    at.ask(session, "lea1", add("Dest-Address: 10.0.0.1\n"));
    on.sink->on_copies = [&] {
        at.feed(session, at.request("lea1", delete_first));
        at.feed(second, at.request("lea1", "DELETE DTCP/0.7\nCriteria-ID: *\n"));
        at.turn();
        CHECK(at.read(second).empty());
    };
    on.pass(udp_packet(1));
    at.turn();
    CHECK(at.read(second).find("CRITERIA-COUNT: 0\r\n") != std::string::npos);
}

TEST_CASE("an answer that waited carries the time at which it was sent") {
    rig at;
    const tap::session_id session = at.open("lea1");
    at.feed(session, at.request("lea1", add("")));
    at.pass(2s);
    at.turn();
    CHECK(value_of(verified(at.read(session)), "TIMESTAMP") == "2011-02-13 15:56:51.609");
}

TEST_CASE("slots are used again, and their counters start at zero") {
    rig at;
    wire on(at.path);
    const tap::session_id session = at.open("lea1");
    for (int i = 1; i <= 300; ++i) {
        at.ask(session, "lea1", add("Dest-Address: 10.0.0.1\n"));
        CHECK(on.pass(udp_packet(1)) == 1);
        const std::string listed = at.ask(session, "lea1", "LIST DTCP/0.7\n");
        REQUIRE(value_of(listed, "MATCHING-PACKETS") == "1");
        const std::string id = std::to_string(i);
        at.ask(session, "lea1", "DELETE DTCP/0.7\nFlags: STATIC\nCriteria-ID: " + id + "\n");
    }
    CHECK(at.point.state().content_destinations == 0);
}

TEST_CASE("ADDs that make the criteria too large are answered with 500") {
    tap::settings with = usual_settings();
    with.criteria_limit = 10'000;
    with.filter_memory = 200'000;
    rig at(with);
    wire on(at.path);
    const tap::session_id session = at.open("lea1");
    const tap::session_id other = at.open("lea3");
    REQUIRE(status_of_answer(at.ask(session, "lea1", add("Dest-Address: 10.0.0.1\n"))) == 200);
    std::size_t accepted = 1;
    for (int batch = 0; batch < 100 && accepted < 10'000; ++batch) {
        std::string octets;
        for (int i = 0; i < 100; ++i)
            octets += at.request("lea1", add("Dest-Address: 10.1." + std::to_string(batch) + "." +
                                             std::to_string(i) + "\n"));
        const std::string answers = at.exchange(session, octets);
        const std::size_t added = count_of(answers, " 200 OK\r\n");
        accepted += added;
        if (added == 100)
            continue;
        // Those that fit beside the ones before them are in.
        CHECK(added > 0);
        CHECK(count_of(answers, " 500 ") == 100 - added);
        CHECK(at.audit.count(tap::audit_event::add, dtcp::status_code::internal_error) ==
              100 - added);
        break;
    }
    REQUIRE(accepted < 10'000);
    CHECK(at.point.state().criteria == accepted);
    CHECK(on.pass(udp_packet(1)) == 1);
    CHECK(value_of(at.ask(session, "lea1", "LIST DTCP/0.7\nCriteria-ID: 1\n"),
                   "MATCHING-PACKETS") == "1");
    // A DELETE in the same turn as an ADD that fails is done.
    at.feed(session, at.request("lea1", delete_first));
    std::string octets;
    for (int i = 0; i < 200; ++i)
        octets += at.request("lea3", add("Dest-Address: 10.2.0." + std::to_string(i) + "\n"));
    const std::string answers = at.exchange(other, octets);
    CHECK(count_of(answers, " 500 ") > 0);
    accepted = accepted - 1 + count_of(answers, " 200 OK\r\n");
    CHECK(at.read(session).find("CRITERIA-COUNT: 1\r\n") != std::string::npos);
    CHECK(on.pass(udp_packet(1)) == 0);
    CHECK(at.point.state().criteria == accepted);

    // A lower limit leaves alone what is there, and lets it go.
    with.filter_memory = 1;
    at.point.apply(
        with, [](std::string_view) { return true; }, at.now);
    CHECK(value_of(at.ask(session, "lea1", "DELETE DTCP/0.7\nCriteria-ID: 2\nFlags: STATIC\n"),
                   "CRITERIA-COUNT") == "1");
    CHECK(at.point.state().criteria == accepted - 1);
}

TEST_CASE("an ADD that is too large fails alone, and those around it are done") {
    constexpr int listed = 1500;
    tap::settings with = usual_settings();
    with.sources["lea1"] = with.default_source;
    with.sources["lea1"].port_lists = port_list_mode::product;
    // Room for the small ones, and for half of a large one beside them.
    with.filter_memory = (memory_of(some_criteria(9, 0)) + memory_of(some_criteria(9, listed))) / 2;
    rig at(with);
    wire on(at.path);
    const tap::session_id session = at.open("lea1");
    std::string ports = "Dest-Port: 53";
    for (int i = 1; i < listed; ++i)
        ports += "," + std::to_string(53 + 2 * i);
    std::string octets;
    for (int i = 1; i <= 9; ++i)
        octets += at.request("lea1", add("Dest-Address: 10.0.0." + std::to_string(i) + "\n" +
                                         (i % 4 == 2 ? ports + "\n" : "")));
    const std::string answers = at.exchange(session, octets);
    CHECK(count_of(answers, " 200 OK\r\n") == 7);
    CHECK(count_of(answers, " 500 ") == 2);
    for (std::uint8_t to = 1; to <= 9; ++to)
        CHECK(on.pass(udp_packet(to)) == (to % 4 == 2 ? 0 : 1));
}
