// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <flowtap/path/data_path.hpp>
#include <flowtap/path/drop_policy.hpp>

#include "../../support/memory/allocations.hpp"
#include "fragment_fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;
namespace allocations = flowtap::testing::allocations;

TEST_CASE("fragments allocate nothing, however many they are") {
    std::vector<octets> packets;
    for (std::uint32_t id = 0; id < 250; ++id) {
        const datagram of{.identification = id, .from = static_cast<std::uint8_t>(id % 3)};
        const std::size_t which = id % 5 == 0 ? 1 : 0;
        packets.push_back(train(of, 3)[which]);
        packets.push_back(train(of, 3)[1 - which]);
        packets.push_back(train({.identification = id + 1000}, 3)[id % 3]);
    }
    steady_time now;
    data_path path({.clock = [&] { return now; }, .fragments = {.decisions = 200, .early = 50}});
    struct taking_sink final : sink {
        std::size_t consume(std::span<const copy> copies) noexcept override {
            ledger().delivered(copies);
            return copies.size();
        }
        void wait(std::chrono::milliseconds) noexcept override {}
    };
    worker& work = path.add_worker(std::make_unique<repeating_source>(packets, 200),
                                   std::make_unique<taking_sink>(), {.batch = 750});
    tapping taps(path);
    taps.fragments = fragment_policy::all;
    taps.add(any_ipv4(), {1, 2});
    taps.publish();
    work.run_once();
    const std::size_t before = allocations::made();
    for (int i = 0; i < 100; ++i) {
        now += std::chrono::seconds(i % 7 * 6);
        work.run_once();
    }
    CHECK(allocations::made() == before);
    const fragment_counters counted = work.counters().fragments;
    CHECK(counted.followed != 0);
    CHECK(counted.decisions_displaced != 0);
    for (const fragment_loss why : {fragment_loss::displaced, fragment_loss::no_room})
        CHECK(counted.left_out[static_cast<std::size_t>(why)] != 0);
}

TEST_CASE("a batch allocates nothing") {
    struct counting_sink final : sink {
        std::size_t room = 3;
        std::size_t consume(std::span<const copy> copies) noexcept override {
            const std::size_t taken = std::min(room, copies.size());
            ledger().delivered(copies.first(taken));
            room = 0;
            return taken;
        }
        void wait(std::chrono::milliseconds) noexcept override { room = 1000; }
    };
    std::vector<octets> packets;
    for (std::uint8_t host = 0; host < 200; ++host)
        packets.push_back(udp_packet(host));
    data_path path;
    worker& work = path.add_worker(std::make_unique<repeating_source>(packets, 200),
                                   std::make_unique<counting_sink>());
    tapping taps(path);
    SUBCASE("of plain criteria") {}
    SUBCASE("with budgets") {
        for (int i = 0; i < 100; ++i)
            path.grant(taps.add(any_ipv4(), {200}), {std::uint64_t(i) * 200, 1'000'000});
    }
    SUBCASE("with limits on copies and gates that let all through") {
        taps.copy_limits = {0, 1};
        for (int i = 0; i < 100; ++i) {
            action what = action_for({200});
            what.group = copy_group_id(1);
            what.rank = static_cast<std::uint64_t>(100 - i);
            taps.add(any_ipv4(), std::move(what));
        }
        auto gates = std::make_shared<input_gates>();
        gates->set(port_id(0), std::make_shared<rate_gate>(1'000'000'000));
        taps.gates = gates;
    }
    SUBCASE("with drop policies") {
        const std::vector<filter_spec> terms(100, to_port(53));
        action what = action_for({201});
        what.withholds = drop_policy::make(terms).value();
        taps.add(any_ipv4(), std::move(what));
    }
    for (std::uint8_t host = 0; host < 100; ++host)
        taps.add(to_host(host), {host, static_cast<std::uint32_t>(host) + 1});
    taps.add(any_ipv4(), {200});
    taps.publish();
    work.run_once();
    const std::size_t before = allocations::made();
    for (int i = 0; i < 100; ++i)
        work.run_once();
    CHECK(path.counters().sampled_out == 0);
    CHECK(allocations::made() == before);
    CHECK(work.counters().copies == 101U * (200 + 2 * 100));
}
