// SPDX-License-Identifier: Apache-2.0
#include <flowtap/core/clock.hpp>
#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/core/packet_key.hpp>

#include <type_traits>
#include <unordered_set>

#include <doctest/doctest.h>

using namespace flowtap;

static_assert(!std::is_convertible_v<std::uint32_t, slot_id>);
static_assert(!std::is_constructible_v<slot_id, criteria_id>);
static_assert(!std::is_convertible_v<slot_id, std::uint32_t>);

TEST_CASE("ids of one kind compare and hash by their number") {
    CHECK(slot_id(1) < slot_id(2));
    CHECK(slot_id(7).value() == 7);
    CHECK(slot_id() == slot_id(0));
    const std::unordered_set<sequence_number> seen{sequence_number(~0ULL)};
    CHECK(seen.contains(sequence_number(~0ULL)));
    CHECK_FALSE(seen.contains(sequence_number(0)));
}

TEST_CASE("a new filter asks for nothing and is global") {
    const filter_spec spec;
    CHECK(spec.families.empty());
    CHECK(std::holds_alternative<global_scope>(spec.scope));
    CHECK(spec.source_addresses.is_wildcard());
    CHECK(spec.port_lists == port_list_mode::product);
    CHECK(spec == filter_spec{});
}

TEST_CASE("filters of different scopes differ") {
    filter_spec input;
    input.scope = input_scope{{interface_id(3)}};
    filter_spec output;
    output.scope = output_scope{{interface_id(3)}};
    CHECK(input != output);
    CHECK(input != filter_spec{});
    output.scope = input.scope;
    CHECK(input == output);
}

TEST_CASE("a new packet key has neither ports nor ICMP") {
    const packet_key key;
    CHECK_FALSE(key.has_ports);
    CHECK_FALSE(key.has_icmp);
    CHECK(key.way == direction::ingress);
    CHECK(key == packet_key{});
}
