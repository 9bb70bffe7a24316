// SPDX-License-Identifier: Apache-2.0
#include <flowtap/path/fragments.hpp>

#include <doctest/doctest.h>

#include "fragment_fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;
using namespace std::chrono_literals;

TEST_CASE("what was decided, and what waits, is forgotten in time") {
    struct row {
        bool is_early;
        std::chrono::nanoseconds pause;
        std::size_t copied;
        std::uint64_t expired;
        std::uint64_t waiting;
    };
    const row rows[] = {
        {false, 30s - 1ns, 2, 0, 0}, {false, 30s, 1, 0, 1}, {false, 100s, 1, 0, 1},
        {true, 30s - 1ns, 2, 0, 0},  {true, 30s, 1, 1, 0},  {true, 100s, 1, 1, 0},
    };
    const std::vector<octets> packets = train({}, 2);
    for (const row& each : rows) {
        CAPTURE(each.is_early);
        CAPTURE(each.pause.count());
        fragment_lab lab;
        lab.taps.add(any_ipv4(), {1});
        lab.taps.publish();
        lab.run({packets[each.is_early ? 1 : 0]});
        lab.now += each.pause;
        lab.run({packets[each.is_early ? 0 : 1]});
        CHECK(lab.got[1].size() == each.copied);
        CHECK(lab.left_out(fragment_loss::expired) == each.expired);
        CHECK(lab.counted().waiting == each.waiting);
        CHECK(lab.adds_up());
    }
}

TEST_CASE("early fragments are counted as expired when nothing more comes of their packet") {
    fragment_lab lab;
    lab.taps.publish();
    std::vector<octets> lost;
    for (std::uint32_t id = 0; id < 200; ++id)
        lost.push_back(train({.identification = id}, 2)[1]);
    lab.run(lost);
    CHECK(lab.counted().waiting == 200);
    lab.now += 31s;
    // A batch forgets so many and no more, lest others wait for it.
    lab.run({udp_packet(1)});
    CHECK(lab.left_out(fragment_loss::expired) == 64);
    for (int i = 0; i < 3; ++i)
        lab.run({udp_packet(1)});
    CHECK(lab.left_out(fragment_loss::expired) == 200);
    CHECK(lab.counted().waiting == 0);
    CHECK(lab.adds_up());
}

TEST_CASE("a flood without first fragments displaces its own, and others lose nothing") {
    fragment_lab lab({.decisions = 64, .early = 32});
    lab.taps.add(any_ipv4(), {1});
    lab.taps.publish();
    const std::vector<octets> known = train({.identification = 1, .from = 1}, 2);
    const std::vector<octets> waits = train({.identification = 2, .from = 1}, 3);
    lab.run({known[0], waits[1], waits[2]});
    for (std::uint32_t id = 0; id < 10'000; ++id)
        lab.run({train({.identification = id, .from = 66}, 2)[1]});
    CHECK(lab.counted().waiting == 32);
    CHECK(lab.left_out(fragment_loss::displaced) == 10'000 - 30);
    lab.run({known[1], waits[0]});
    CHECK(lab.got == deliveries{{1, {known[0], known[1], waits[0], waits[1], waits[2]}}});
    CHECK(lab.adds_up());
}

TEST_CASE("a flood of first fragments displaces its own, and others lose nothing") {
    for (const family of : {family::inet, family::inet6}) {
        fragment_lab lab({.decisions = 64, .early = 32});
        lab.taps.add(to_port(53), {1});
        lab.taps.publish();
        // IPv6 sources of one network count as one.
        std::vector<std::vector<octets>> known;
        for (std::uint32_t id = 0; id < 30; ++id)
            known.push_back(train({.of_family = family::inet, .identification = id, .from = 1}, 2));
        for (const std::vector<octets>& each : known)
            lab.run({each[0]});
        for (std::uint32_t id = 0; id < 10'000; ++id)
            lab.run({train(
                {.of_family = of,
                 .identification = id,
                 .from = of == family::inet ? std::uint8_t{66} : static_cast<std::uint8_t>(id),
                 .port = 99},
                2)[0]});
        CHECK(lab.counted().decisions_displaced == 10'000 - 34);
        for (const std::vector<octets>& each : known)
            lab.run({each[1]});
        CHECK(lab.got[1].size() == 60);
        CHECK(lab.adds_up());
    }
}

TEST_CASE("with one source alone the oldest make room") {
    fragment_lab lab({.decisions = 4, .early = 4});
    lab.taps.add(any_ipv4(), {1});
    lab.taps.publish();
    std::vector<std::vector<octets>> packets;
    for (std::uint32_t id = 0; id < 6; ++id)
        packets.push_back(train({.identification = id}, 2));
    SUBCASE("among decisions") {
        for (const std::vector<octets>& each : packets)
            lab.run({each[0]});
        CHECK(lab.counted().decisions_displaced == 2);
        for (const std::vector<octets>& each : packets)
            lab.run({each[1]});
        CHECK(lab.got[1].size() == 6 + 4);
        CHECK(lab.got[1].back() == packets[5][1]);
        CHECK(lab.counted().waiting == 2);
    }
    SUBCASE("among early fragments") {
        for (const std::vector<octets>& each : packets)
            lab.run({each[1]});
        CHECK(lab.left_out(fragment_loss::displaced) == 2);
        for (const std::vector<octets>& each : packets)
            lab.run({each[0]});
        CHECK(lab.got[1].size() == 6 + 4);
    }
    SUBCASE("all in one batch, decisions among them that are still open") {
        std::vector<octets> batch;
        for (const std::vector<octets>& each : packets)
            batch.push_back(each[0]);
        for (const std::vector<octets>& each : packets)
            batch.push_back(each[1]);
        batch.push_back(packets[0][0]);
        lab.run(batch);
        CHECK(lab.got[1].size() == 6 + 4 + 1 + 1);
        CHECK(lab.got[1].back() == packets[0][1]);
    }
    CHECK(lab.adds_up());
}

TEST_CASE("of one packet and of one fragment only so much is kept") {
    fragment_lab lab({.longest_early = 40});
    lab.taps.add(any_ipv4(), {1});
    lab.taps.publish();
    const datagram of;
    const octets payload = udp_payload(of, 40);
    const octets longest = fragment(of, 8, true, std::span(payload).first(20));
    const octets longer = fragment(of, 8, true, std::span(payload).first(21));
    lab.run({longer});
    CHECK(lab.left_out(fragment_loss::no_room) == 1);
    for (int i = 0; i < 200; ++i)
        lab.run({longest});
    CHECK(lab.counted().waiting == 128);
    CHECK(lab.left_out(fragment_loss::no_room) == 1 + 72);
    lab.run({train(of, 2)[0], longer});
    CHECK(lab.got[1].size() == 1 + 128 + 1);
    CHECK(lab.adds_up());
}

TEST_CASE("a packet does not displace itself") {
    fragment_lab lab({.early = 2});
    lab.taps.add(any_ipv4(), {1});
    lab.taps.publish();
    const std::vector<octets> packets = train({}, 4);
    lab.run({packets[1], packets[2], packets[3]});
    CHECK(lab.left_out(fragment_loss::no_room) == 1);
    lab.run({packets[0]});
    CHECK(lab.got == deliveries{{1, {packets[0], packets[1], packets[2]}}});
}

TEST_CASE("places of early fragments are free again when their copies have left") {
    fragment_lab lab({.early = 2});
    lab.taps.add(any_ipv4(), {1});
    lab.taps.publish();
    std::size_t expected = 0;
    for (std::uint32_t id = 0; id < 10; ++id) {
        const std::vector<octets> packets = train({.identification = id}, 3);
        // In one batch the places are in use until it ends.
        const octets other = train({.identification = id, .from = 9}, 2)[1];
        lab.run({packets[1], packets[2], packets[0], other});
        expected += 3;
        CHECK(lab.got[1].size() == expected);
        CHECK(lab.left_out(fragment_loss::no_room) == id + 1);
    }
}

TEST_CASE("nothing is kept where there is no room for it") {
    fragment_lab lab({.decisions = 0, .early = 0, .longest_early = 0});
    lab.taps.add(any_ipv4(), {1});
    lab.taps.publish();
    const std::vector<octets> packets = train({}, 3);
    lab.run_one_by_one({packets[1], packets[0], packets[2]});
    CHECK(lab.got == deliveries{{1, {packets[0], packets[2]}}});
    CHECK(lab.left_out(fragment_loss::no_room) == 1);
    CHECK(lab.adds_up());
}

TEST_CASE("a worker that has to stop leaves the fragments of its batch to nobody") {
    fragment_lab lab({}, {}, 0);
    lab.taps.add(any_ipv4(), {1});
    lab.taps.publish();
    const std::vector<octets> a = train({.identification = 1}, 3);
    const std::vector<octets> b = train({.identification = 2}, 3);
    lab.run({b[2]});
    lab.work->request_stop();
    lab.run({a[0], a[1], b[0]});
    CHECK(lab.got.empty());
    CHECK(lab.work->counters().abandoned == 4);
    CHECK(lab.counted().followed == 2);
    CHECK(lab.adds_up());
}
