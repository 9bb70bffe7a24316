// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/filter/live_classifier.hpp>

#include "compare.hpp"
#include "random_filters.hpp"
#include "test_values.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

/// What looks for packets to one address, with that port if it is not 0.
criterion to_host(std::uint32_t slot, std::uint32_t address, std::uint16_t port = 0) {
    filter_spec spec = wildcard(family::inet);
    const address_bits bits{0, address};
    spec.destination_addresses.entries.push_back({{bits, bits}});
    if (port != 0)
        spec.destination_ports.entries.push_back({{port, port}});
    return criterion::make(slot_id(slot), spec).value();
}

std::vector<criterion> to_hosts(std::uint32_t count) {
    std::vector<criterion> made;
    for (std::uint32_t i = 0; i < count; ++i)
        made.push_back(to_host(i, 0x0A00'0000U + 7919 * i, i % 3 == 0 ? 443 : 0));
    return made;
}

/// Packets to `count` addresses of which some are asked for, TCP and UDP in turn.
std::vector<packet_key> packets(std::uint32_t count) {
    std::vector<packet_key> made;
    for (std::uint32_t i = 0; i < count; ++i) {
        packet_key key = tcp("192.0.2.1", 1, "192.0.2.2", 443);
        key.protocol = i % 2 == 0 ? 6 : 17;
        key.source.low += 13 * i;
        key.destination = {0, 0x0A00'0000U + (i % 10 == 0 ? 7919 * (i / 10) : 31 * i + 1)};
        made.push_back(key);
    }
    return made;
}

std::size_t count_of(const std::vector<bool>& some) {
    return static_cast<std::size_t>(std::ranges::count(some, true));
}

} // namespace

TEST_CASE("what matches nothing is left out, but for a few") {
    const auto keys = packets(5000);
    for (const std::uint32_t count : {1U, 20U, 64U, 65U, 300U, 3000U}) {
        const auto criteria = to_hosts(count);
        const auto expected = oracle(criteria, keys);
        const auto hits = static_cast<std::size_t>(
            std::ranges::count_if(expected, [](const slot_list& slots) { return !slots.empty(); }));
        REQUIRE(hits != 0);
        for (const code_path path : code_paths) {
            INFO(count << " criteria, code path " << static_cast<int>(path));
            const auto built = classifier::build(criteria, {}, path).value();
            CHECK(first_left_out(built, keys, expected) == keys.size());
            CHECK(count_of(sifted(built, keys)) - hits < keys.size() / 20);
        }
    }
}

TEST_CASE("a packet is sifted alike in runs of every length, on every code path") {
    const auto keys = packets(400);
    const auto criteria = to_hosts(100);
    const auto alone = sifted(classifier::build(criteria).value(), keys, 1);
    for (const code_path path : code_paths) {
        const auto built = classifier::build(criteria, {}, path).value();
        for (std::size_t longest = 1; longest <= plain_headers::most; ++longest)
            CHECK(sifted(built, keys, longest) == alone);
    }
}

TEST_CASE("the place is looked at, be it an interface or a routing instance") {
    for (const bool by_interface : {true, false}) {
        std::vector<criterion> criteria;
        for (std::uint32_t i = 0; i < 40; ++i) {
            filter_spec spec = wildcard(family::inet);
            if (by_interface)
                spec.scope = input_scope{{interface_id(i + 1)}};
            else
                spec.scope = vrf_scope{vrf_id(i + 1)};
            criteria.push_back(criterion::make(slot_id(i), spec).value());
        }
        std::vector<packet_key> keys(100, tcp("192.0.2.1", 1, "192.0.2.2", 443));
        for (std::uint32_t i = 0; i < keys.size(); ++i) {
            keys[i].interface = interface_id(by_interface ? i : 7);
            keys[i].vrf = vrf_id(by_interface ? 7 : i);
        }
        for (const code_path path : code_paths) {
            INFO("by interface: " << by_interface << ", code path " << static_cast<int>(path));
            const auto built = classifier::build(criteria, {}, path).value();
            CHECK(first_left_out(built, keys, oracle(criteria, keys)) == keys.size());
            // 40 of 100 match; they are told by nothing but the place.
            CHECK(count_of(sifted(built, keys)) < 60);
        }
    }
}

TEST_CASE("without criteria nothing is left, and with one that asks for everything all") {
    const auto keys = packets(100);
    CHECK(count_of(sifted(classifier(), keys)) == 0);
    std::vector<criterion> criteria = to_hosts(50);
    criteria.push_back(criterion::make(slot_id(50), wildcard(family::inet)).value());
    for (const code_path path : code_paths)
        CHECK(count_of(sifted(classifier::build(criteria, {}, path).value(), keys)) == keys.size());
}

TEST_CASE("criteria of other families leave nothing of IPv4") {
    std::vector<criterion> criteria;
    criteria.push_back(criterion::make(slot_id(0), wildcard(family::inet6)).value());
    criteria.push_back(criterion::make(slot_id(1), wildcard(family::ccc)).value());
    CHECK(count_of(sifted(classifier::build(criteria).value(), packets(100))) == 0);
}

TEST_CASE("a set that changes sifts once it is merged") {
    const auto keys = packets(1000);
    live_classifier live;
    for (const criterion& one : to_hosts(100))
        REQUIRE(live.insert(one).has_value());
    // As a version is made, it may be compiled at once.
    const auto before = live.version();
    CHECK(first_left_out(before, keys, oracle(to_hosts(100), keys)) == keys.size());
    REQUIRE(live.insert(to_host(100, 1)).has_value());
    CHECK(count_of(sifted(live.version(), keys)) == keys.size());
    while (auto job = live.begin_merge(merge_aim::whole)) {
        job->run();
        live.finish(std::move(*job));
    }
    const auto merged = live.version();
    CHECK(first_left_out(merged, keys, oracle(to_hosts(100), keys)) == keys.size());
    CHECK(count_of(sifted(merged, keys)) < keys.size() / 5);
}
