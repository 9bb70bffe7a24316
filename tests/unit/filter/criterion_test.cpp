// SPDX-License-Identifier: Apache-2.0
#include <ostream>
#include <string>

#include <doctest/doctest.h>

#include <flowtap/filter/criterion.hpp>

#include "test_values.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

void refused(const filter_spec& spec, filter::errc expected) {
    const auto made = criterion::make(slot_id(1), spec);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code == make_error_code(expected));
}

} // namespace

TEST_CASE("a filter without restrictions is a criterion") {
    const auto made = criterion::make(slot_id(7), wildcard(family::inet));
    REQUIRE(made.has_value());
    CHECK(made->slot() == slot_id(7));
    CHECK(made->spec() == wildcard(family::inet));
}

TEST_CASE("inconsistent filters are refused, each with its code") {
    filter_spec spec;
    refused(spec, filter::errc::no_family);

    spec = wildcard(family::inet);
    spec.families.insert(family::inet6);
    CHECK(criterion::make(slot_id(1), spec).has_value());
    spec.source_addresses = host("192.0.2.1");
    refused(spec, filter::errc::family_conflict);
    spec.families = family::ccc;
    refused(spec, filter::errc::family_conflict);

    spec = wildcard(family::inet);
    spec.destination_ports = list<std::uint16_t>({{2, 1, false}});
    refused(spec, filter::errc::reversed_range);
    CHECK(criterion::make(slot_id(1), spec).error().subject == "Dest-Port");

    spec = wildcard(family::inet);
    spec.scope = input_scope{};
    refused(spec, filter::errc::empty_scope);
    spec.scope = output_scope{};
    refused(spec, filter::errc::empty_scope);
}

TEST_CASE("paired port lists are of one length, plain, and at most fifteen") {
    filter_spec spec = wildcard(family::inet);
    spec.port_lists = port_list_mode::pairs;
    for (std::uint16_t i = 0; i < 15; ++i) {
        spec.source_ports.entries.push_back(entry<std::uint16_t>(i, i));
        spec.destination_ports.entries.push_back(entry<std::uint16_t>(i, i));
    }
    REQUIRE(criterion::make(slot_id(1), spec).has_value());
    CHECK(criterion::make(slot_id(1), spec)->spec() == spec);

    filter_spec changed = spec;
    changed.source_ports.entries.pop_back();
    refused(changed, filter::errc::port_pairs_differ);

    changed = spec;
    changed.source_ports.entries.push_back(entry<std::uint16_t>(1, 1));
    changed.destination_ports.entries.push_back(entry<std::uint16_t>(1, 1));
    refused(changed, filter::errc::too_many_port_pairs);

    changed = spec;
    changed.source_ports.entries[3].negated = true;
    refused(changed, filter::errc::port_pairs_negated);
}

TEST_CASE("one port, or none, pairs with every entry of the other list") {
    filter_spec spec = wildcard(family::inet);
    spec.port_lists = port_list_mode::pairs;
    spec.destination_ports = list<std::uint16_t>({{80, 80, false}, {443, 443, false}});
    const auto open = criterion::make(slot_id(1), spec);
    REQUIRE(open.has_value());
    CHECK(open->spec().port_lists == port_list_mode::product);

    spec.source_ports = list<std::uint16_t>({{1000, 1000, false}});
    const auto single = criterion::make(slot_id(1), spec);
    REQUIRE(single.has_value());
    CHECK(single->spec().port_lists == port_list_mode::product);
    CHECK(matches(single->spec(), tcp("192.0.2.1", 1000, "192.0.2.2", 443)));
    CHECK(matches(spec, tcp("192.0.2.1", 1000, "192.0.2.2", 443)));
    CHECK_FALSE(matches(spec, tcp("192.0.2.1", 1001, "192.0.2.2", 443)));
}

TEST_CASE("a pair has to hold on both sides") {
    filter_spec spec = wildcard(family::inet);
    spec.source_ports = list<std::uint16_t>({{1, 1, false}, {2, 2, false}});
    spec.destination_ports = list<std::uint16_t>({{10, 10, false}, {20, 20, false}});
    CHECK(matches(spec, tcp("192.0.2.1", 1, "192.0.2.2", 20)));
    spec.port_lists = port_list_mode::pairs;
    CHECK(matches(spec, tcp("192.0.2.1", 1, "192.0.2.2", 10)));
    CHECK(matches(spec, tcp("192.0.2.1", 2, "192.0.2.2", 20)));
    CHECK_FALSE(matches(spec, tcp("192.0.2.1", 1, "192.0.2.2", 20)));
}

TEST_CASE("a port or ICMP condition needs the header") {
    const packet_key with_ports = tcp("192.0.2.1", 0, "192.0.2.2", 0);
    packet_key without_ports = with_ports;
    without_ports.has_ports = false;
    packet_key icmp = without_ports;
    icmp.protocol = 1;
    icmp.has_icmp = true;

    filter_spec spec = wildcard(family::inet);
    CHECK(matches(spec, without_ports));
    spec.source_ports = list<std::uint16_t>({{0, 65535, false}});
    CHECK(matches(spec, with_ports));
    CHECK_FALSE(matches(spec, without_ports));
    CHECK_FALSE(matches(spec, icmp));

    spec = wildcard(family::inet);
    spec.source_ports = list<std::uint16_t>({{80, 80, true}});
    CHECK(matches(spec, with_ports));
    CHECK_FALSE(matches(spec, without_ports));

    spec = wildcard(family::inet);
    spec.icmp_codes = list<std::uint8_t>({{0, 0, false}});
    CHECK(matches(spec, icmp));
    CHECK_FALSE(matches(spec, with_ports));
    CHECK_FALSE(matches(spec, without_ports));
}

TEST_CASE("scopes look at one side of an interface") {
    packet_key enters = tcp("192.0.2.1", 1, "192.0.2.2", 2);
    enters.interface = interface_id(3);
    enters.vrf = vrf_id(4);
    packet_key leaves = enters;
    leaves.way = direction::egress;

    struct row {
        filter_scope scope;
        bool entering;
        bool leaving;
    };
    const row rows[] = {
        {global_scope{}, true, false},
        {vrf_scope{vrf_id(4)}, true, false},
        {vrf_scope{vrf_id(0)}, false, false},
        {input_scope{{interface_id(1), interface_id(3)}}, true, false},
        {input_scope{{interface_id(1)}}, false, false},
        {output_scope{{interface_id(1), interface_id(3)}}, false, true},
        {output_scope{{interface_id(1)}}, false, false},
    };
    for (const auto& row : rows) {
        filter_spec spec = wildcard(family::inet);
        spec.scope = row.scope;
        CAPTURE(row.scope.index());
        CHECK(matches(spec, enters) == row.entering);
        CHECK(matches(spec, leaves) == row.leaving);
    }
}

TEST_CASE("a whole frame meets only filters that leave all fields open") {
    packet_key frame;
    frame.of_family = family::ccc;
    CHECK_FALSE(matches(wildcard(family::inet), frame));
    filter_spec spec = wildcard(family::ccc);
    CHECK(matches(spec, frame));
    spec.protocols = list<std::uint8_t>({{0, 255, false}});
    CHECK_FALSE(matches(spec, frame));
}

TEST_CASE("every error code has its sentence") {
    for (int code = 1; code <= static_cast<int>(filter::errc::duplicate_slot); ++code)
        CHECK(filter::filter_category().message(code) != "unknown error");
    CHECK(filter::filter_category().message(99) == "unknown error");
    CHECK(std::string(filter::filter_category().name()) == "flowtap.filter");
}
