// SPDX-License-Identifier: Apache-2.0
#include "probe_table.hpp"

#include <algorithm>
#include <ostream>
#include <set>

#include <doctest/doctest.h>

#include <flowtap/filter/criterion.hpp>

#include "random_filters.hpp"
#include "test_values.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

/// Filters with their rules, a plan for these and a table.
template <class Address>
struct planned_filters {
    explicit planned_filters(std::vector<filter_spec> filters) : specs(std::move(filters)) {
        for (std::size_t i = 0; i < specs.size(); ++i) {
            append_rules(specs[i], static_cast<std::uint32_t>(i), rules, residuals);
            owners.resize(rules.size(), static_cast<std::uint32_t>(i));
        }
        plan = plan_probes<Address>(rules);
        left.resize(specs.size());
        table.build(rules, owners, plan, left);
    }

    /// The handle of a packet for one shape.
    std::uint32_t handle(std::size_t shape, const packet_key& key) const {
        const hash_fields fields = fields_of<Address>(key);
        const handle_shape& of = plan.shapes[shape];
        return mix_parts(part_value<Address>(of.source, fields) +
                         part_value<Address>(of.destination, fields) +
                         part_value<Address>(of.other, fields) + probe_salt(shape));
    }
    /// Whether a packet is let through by the filter of the probe of one shape.
    bool passes(std::size_t shape, std::uint32_t value) const {
        const probe& of = table.probes[shape];
        return (of.words[value >> of.shift] & word_bits(value)) == word_bits(value);
    }
    handle_slot slot(std::size_t shape, std::uint32_t raw) const {
        const std::uint32_t value = own_handle(raw, static_cast<std::uint32_t>(shape));
        std::size_t at = value >> table.slot_shift;
        while (table.slots[at].where != 0 && table.slots[at].handle != value)
            at = (at + 1) % table.slots.size();
        return table.slots[at];
    }
    /// Whether rule `number` is among those of a slot.
    bool is_at(const handle_slot& at, std::size_t number) const {
        const auto first = table.rules.begin() + at.first();
        return std::any_of(first, first + at.count(), [&](const rule<Address>& one) {
            return one.box.low == rules[number].box.low && one.box.high == rules[number].box.high;
        });
    }

    std::vector<filter_spec> specs;
    residual_store residuals;
    std::vector<rule<Address>> rules;
    std::vector<std::uint32_t> owners;
    probe_plan plan;
    std::vector<bool> left;
    probe_table<Address> table;
};

/// Whatever meets a rule passes the rule's probe and finds it, or is sent on to the groups.
template <class Address>
void find_all(family of, std::uint64_t seed, std::size_t count) {
    INFO("seed " << seed);
    random_filters random(seed);
    std::vector<filter_spec> specs;
    for (std::size_t i = 0; i < count; ++i)
        specs.push_back(criterion::make(slot_id(1), random.filter(of)).value().spec());
    const planned_filters<Address> planned(std::move(specs));
    REQUIRE(planned.plan.shapes.size() <= max_probes);
    std::size_t met = 0;
    for (int i = 0; i < 400; ++i) {
        const packet_key key = random.packet(of);
        for (std::size_t number = 0; number < planned.rules.size(); ++number) {
            const std::uint8_t shape = planned.plan.shape_of[number];
            if (shape == probe_plan::none ||
                !holds(planned.rules[number], planned.residuals, key, lanes_of(key)))
                continue;
            ++met;
            const std::uint32_t value = planned.handle(shape, key);
            REQUIRE(planned.passes(shape, value));
            const handle_slot at = planned.slot(shape, value);
            REQUIRE(at.handle == own_handle(value, shape));
            if (planned.left[planned.owners[number]])
                REQUIRE(at.asks_groups());
            else
                REQUIRE(planned.is_at(at, number));
        }
    }
    CHECK(met > 0);
}

filter_spec to_host(std::uint32_t destination) {
    filter_spec spec = wildcard(family::inet);
    spec.destination_addresses.entries = {
        entry(address_bits{0, destination}, address_bits{0, destination})};
    return spec;
}

} // namespace

TEST_CASE("whatever meets a rule passes its probe and finds its handle") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        find_all<std::uint32_t>(family::inet, seed, 40);
        find_all<address_bits>(family::inet6, seed, 40);
    }
    find_all<std::uint32_t>(family::inet, 7, 600);
    find_all<address_bits>(family::inet6, 8, 600);
}

TEST_CASE("hosts are found by one probe, prefixes of all lengths by a few") {
    std::vector<filter_spec> specs;
    for (std::uint32_t i = 0; i < 500; ++i)
        specs.push_back(to_host(0x0A00'0000 + i * 7919));
    CHECK(planned_filters<std::uint32_t>(specs).table.probes.size() == 1);
    for (std::uint32_t i = 0; i < 100; ++i) {
        filter_spec spec = wildcard(family::inet);
        const std::uint32_t size = 1U << (i % 17);
        const std::uint32_t first = (0x0A00'0000 + i * 104'729) & ~(size - 1);
        spec.destination_addresses.entries = {
            entry(address_bits{0, first}, address_bits{0, first + size - 1})};
        specs.push_back(spec);
    }
    const planned_filters<std::uint32_t> planned(specs);
    CHECK(planned.table.probes.size() <= 4);
    CHECK(std::count(planned.left.begin(), planned.left.end(), true) == 0);
    CHECK(std::count(planned.plan.shape_of.begin(), planned.plan.shape_of.end(),
                     probe_plan::none) == 0);
}

TEST_CASE("what has no telling handle is left to others") {
    filter_spec all = wildcard(family::inet);
    filter_spec high_ports = wildcard(family::inet);
    high_ports.destination_ports = list<std::uint16_t>({{1024, 65535, false}});
    const planned_filters<std::uint32_t> planned({all, high_ports});
    CHECK(planned.plan.shapes.empty());
    CHECK(planned.plan.shape_of == std::vector<std::uint8_t>(2, probe_plan::none));
}

TEST_CASE("too many criteria with one handle are left to the groups, up to the limit none") {
    for (const std::uint32_t count : {handle_slot::most, handle_slot::most + 1}) {
        std::vector<filter_spec> specs(count, to_host(0x0A00'0001));
        specs.push_back(to_host(0x0A00'0002));
        const planned_filters<std::uint32_t> planned(specs);
        REQUIRE(planned.table.probes.size() == 1);
        const auto left = std::count(planned.left.begin(), planned.left.end(), true);
        CHECK(left == (count > handle_slot::most ? count : 0));
        packet_key key = tcp("192.0.2.1", 1, "10.0.0.1", 2);
        CHECK(planned.slot(0, planned.handle(0, key)).asks_groups() == (left != 0));
        key.destination.low += 1;
        CHECK_FALSE(planned.slot(0, planned.handle(0, key)).asks_groups());
        CHECK(planned.slot(0, planned.handle(0, key)).count() == 1);
    }
}

TEST_CASE("packets of another protocol are not looked up for criteria of a port") {
    std::vector<filter_spec> specs;
    for (std::uint16_t port = 1000; port < 1200; ++port) {
        filter_spec spec = wildcard(family::inet);
        spec.protocols.entries = {entry<std::uint8_t>(6, 6)};
        spec.destination_ports.entries = {entry(port, port)};
        specs.push_back(spec);
    }
    const planned_filters<std::uint32_t> planned(specs);
    REQUIRE(planned.plan.shapes.size() == 1);
    std::size_t of_tcp = 0;
    std::size_t of_udp = 0;
    for (std::uint16_t port = 1000; port < 1200; ++port) {
        packet_key key = tcp("192.0.2.1", 1, "10.0.0.1", port);
        of_tcp += planned.passes(0, planned.handle(0, key)) ? 1 : 0;
        key.protocol = 17;
        of_udp += planned.passes(0, planned.handle(0, key)) ? 1 : 0;
    }
    CHECK(of_tcp == 200);
    CHECK(of_udp < 10);
}

TEST_CASE("handles that the keys of a prefix share are stored once") {
    filter_spec spec = wildcard(family::inet);
    spec.destination_addresses = host("10.1.0.0/20");
    std::vector<filter_spec> specs{spec};
    for (std::uint32_t i = 0; i < 200; ++i) {
        const std::uint32_t first = 0x0B00'0000 + 256 * i;
        spec.destination_addresses.entries = {
            entry(address_bits{0, first}, address_bits{0, first + 255})};
        specs.push_back(spec);
    }
    const planned_filters<std::uint32_t> planned(specs);
    CHECK(planned.table.rules.size() == specs.size());
}

TEST_CASE("a set has a bounded number of handles") {
    std::vector<filter_spec> specs;
    for (std::uint32_t i = 0; i < 3000; ++i) {
        filter_spec spec = wildcard(family::inet);
        const std::uint32_t first = 0x0A00'0000 + (i << 12);
        spec.destination_addresses.entries = {
            entry(address_bits{0, first + 1}, address_bits{0, first + 0xFFE})};
        spec.source_addresses.entries = {
            entry(address_bits{0, first + 1}, address_bits{0, first + 0xFFE})};
        specs.push_back(spec);
    }
    const planned_filters<std::uint32_t> planned(specs);
    std::size_t handles = 0;
    for (const handle_slot& one : planned.table.slots)
        handles += one.where != 0 ? 1 : 0;
    CHECK(handles <= specs.size() * handles_for_each + handles_for_set);
}
