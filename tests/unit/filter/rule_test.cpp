// SPDX-License-Identifier: Apache-2.0
#include "rule.hpp"

#include <algorithm>
#include <ostream>

#include <doctest/doctest.h>

#include <flowtap/filter/criterion.hpp>

#include "random_filters.hpp"
#include "test_values.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

/// The rules of one filter.
template <class Address>
struct compiled_filter {
    explicit compiled_filter(const filter_spec& spec) { append_rules(spec, 7, rules, residuals); }

    /// How many of them `key` meets.
    std::size_t count(const packet_key& key) const {
        return static_cast<std::size_t>(
            std::count_if(rules.begin(), rules.end(), [&](const auto& one) {
                return holds(one, residuals, key, lanes_of(key));
            }));
    }

    residual_store residuals;
    std::vector<rule<Address>> rules;
};

/// Packets meet one rule of a filter, and no second one, where they meet the filter.
template <class Address>
void compare(family of, std::uint64_t seed) {
    INFO("seed " << seed);
    random_filters random(seed);
    for (int i = 0; i < 300; ++i) {
        filter_spec spec = random.filter(of);
        const auto valid = criterion::make(slot_id(1), spec).value();
        const compiled_filter<Address> compiled(valid.spec());
        for (int j = 0; j < 60; ++j) {
            const packet_key key = random.packet(of);
            INFO("filter " << i << ", packet " << j);
            REQUIRE(compiled.count(key) == (matches(valid.spec(), key) ? 1 : 0));
        }
    }
}

} // namespace

TEST_CASE("rules say what the definitions say, and exclude each other") {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        compare<std::uint32_t>(family::inet, seed);
        compare<address_bits>(family::inet6, seed);
    }
}

TEST_CASE("a plain filter becomes one rule without a residual check") {
    filter_spec spec = wildcard(family::inet);
    spec.source_addresses = host("192.0.2.0/25");
    spec.destination_addresses = host("198.51.100.7");
    spec.protocols = list<std::uint8_t>({{6, 17, false}});
    spec.destination_ports = list<std::uint16_t>({{1024, 2047, false}});
    spec.scope = vrf_scope{vrf_id(3)};
    const compiled_filter<std::uint32_t> compiled(spec);
    REQUIRE(compiled.rules.size() == 1);
    CHECK(compiled.rules[0].entry() == 7);
    CHECK(compiled.rules[0].residual() == residual_store::nothing);
    CHECK(compiled.rules[0].source().first == 0xC000'0200);
    CHECK(compiled.rules[0].source().last == 0xC000'027F);

    spec.families = family::inet6;
    spec.source_addresses = host("2001:db8::/32");
    spec.destination_addresses = host("2001:db8::7");
    const compiled_filter<address_bits> six(spec);
    REQUIRE(six.rules.size() == 1);
    CHECK(six.rules[0].residual() == residual_store::nothing);
    CHECK(six.rules[0].source().last == bits("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"));
}

TEST_CASE("lists of hosts become a rule each, on both sides only if they are short") {
    filter_spec spec = wildcard(family::inet);
    for (std::uint64_t i = 0; i < 20; ++i)
        spec.source_addresses.entries.push_back(
            entry(address_bits{0, 100 + 2 * i}, address_bits{0, 100 + 2 * i}));
    CHECK(compiled_filter<std::uint32_t>(spec).rules.size() == 20);
    spec.destination_addresses = list<address_bits>({{{0, 5}, {0, 5}}, {{0, 1000}, {0, 2000}}});
    const compiled_filter<std::uint32_t> compiled(spec);
    CHECK(compiled.rules.size() == 20);
    CHECK(compiled.rules[0].residual() != residual_store::nothing);
    spec.source_addresses.entries.resize(3);
    CHECK(compiled_filter<std::uint32_t>(spec).rules.size() == 6);
}

TEST_CASE("what admits nothing has no rules") {
    filter_spec spec = wildcard(family::inet);
    spec.protocols = list<std::uint8_t>({{6, 6, false}, {0, 255, true}});
    CHECK(compiled_filter<std::uint32_t>(spec).rules.empty());
    spec = wildcard(family::inet);
    spec.icmp_types = list<std::uint8_t>({{0, 255, true}});
    CHECK(compiled_filter<std::uint32_t>(spec).rules.empty());
    spec = wildcard(family::inet);
    spec.source_addresses = list<address_bits>({{{0, 1}, {0, 9}, false}, {{0, 0}, {0, 10}, true}});
    CHECK(compiled_filter<std::uint32_t>(spec).rules.empty());
}

TEST_CASE("an IPv6 range that is no prefix is bounded by two near ones") {
    filter_spec spec = wildcard(family::inet6);
    spec.source_addresses = list<address_bits>(
        {{bits("2001:db8:0:ffff:ffff:ffff:ffff:fff0"), bits("2001:db8:1::5"), false}});
    const compiled_filter<address_bits> compiled(spec);
    REQUIRE(compiled.rules.size() == 2);
    CHECK(compiled.rules[0].source().first == bits("2001:db8:0:ffff:ffff:ffff:ffff:fff0"));
    CHECK(compiled.rules[0].source().last == bits("2001:db8:0:ffff:ffff:ffff:ffff:ffff"));
    CHECK(compiled.rules[1].source().last == bits("2001:db8:1::7"));
    packet_key key = tcp("2001:db8:1::5", 1, "::1", 2);
    CHECK(compiled.count(key) == 1);
    key.source = bits("2001:db8:1::6");
    CHECK(compiled.count(key) == 0);
}

TEST_CASE("a list of thousands of ranges is bounded and checked exactly") {
    filter_spec spec = wildcard(family::inet);
    for (std::uint64_t i = 0; i < 6000; ++i)
        spec.destination_addresses.entries.push_back(
            entry(address_bits{0, 1000 + 4 * i}, address_bits{0, 1001 + 4 * i}));
    const compiled_filter<std::uint32_t> compiled(spec);
    REQUIRE(compiled.rules.size() == 1);
    for (std::uint64_t at = 990; at < 25'010; ++at) {
        packet_key key = tcp("192.0.2.1", 1, "192.0.2.2", 2);
        key.destination = {0, at};
        REQUIRE(compiled.count(key) == (matches(spec, key) ? 1 : 0));
    }
}
