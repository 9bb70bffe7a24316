// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/parser.hpp>

#include <doctest/doctest.h>

#include "messages.hpp"

namespace flowtap::dtcp {

namespace {

constexpr parse_options pairs{.port_lists = port_list_mode::pairs};
constexpr parse_options product{.port_lists = port_list_mode::product};

/// `first`, `first + 1`, ... , `count` of them.
std::string list_of(int count, int first = 1) {
    std::string list;
    for (int port = first; port < first + count; ++port)
        list += (list.empty() ? "" : ",") + std::to_string(port);
    return list;
}

std::vector<test::field> ports(const std::string& sources, const std::string& destinations) {
    return {{"Source-Port", sources}, {"Dest-Port", destinations}};
}

/// In mode `pairs`, the two lists are read in this way.
void ok(const std::string& sources, const std::string& destinations, port_list_mode expected) {
    CAPTURE(sources);
    CAPTURE(destinations);
    const filter_fields filter = test::good_add(ports(sources, destinations), pairs).filter;
    CHECK(filter.port_lists == expected);
    const filter_fields plain = test::good_add(ports(sources, destinations), product).filter;
    CHECK(plain.port_lists == port_list_mode::product);
    CHECK(plain.source_ports == filter.source_ports);
    CHECK(plain.destination_ports == filter.destination_ports);
}

/// In mode `pairs`, the two lists are refused; in mode `product` they are two plain filters.
void bad(const std::string& sources, const std::string& destinations, errc code,
         const std::string& line) {
    CAPTURE(sources);
    CAPTURE(destinations);
    const error refused = test::bad_add(ports(sources, destinations), pairs);
    CHECK(refused.code == code);
    CHECK(status_of(refused.code) == status_code::improper_filter);
    CHECK(refused.subject == line);
    CHECK(test::good_add(ports(sources, destinations), product).filter.port_lists ==
          port_list_mode::product);
}

} // namespace

TEST_CASE("two lists of the same length pair up entry by entry") {
    for (int length = 2; length <= 15; ++length)
        ok(list_of(length), list_of(length, 1000), port_list_mode::pairs);
    ok("1-5,7", "80, 443", port_list_mode::pairs);
    ok("1,*", "80,443", port_list_mode::pairs);
}

TEST_CASE("a list of one entry, the wildcard and no list at all pair with everything") {
    ok("1", "80", port_list_mode::product);
    ok("1", list_of(15), port_list_mode::product);
    ok(list_of(15), "80-90", port_list_mode::product);
    ok("*", list_of(15), port_list_mode::product);
    ok(list_of(2), "*", port_list_mode::product);
    ok("", list_of(15), port_list_mode::product);
    ok(list_of(15), "", port_list_mode::product);
    ok("*,*", "80,443", port_list_mode::product);
    ok("", "", port_list_mode::product);
}

TEST_CASE("with a negated entry both lists are plain filters, of any length") {
    ok("!1,2", "80,443", port_list_mode::product);
    ok("1,2", "!80,443,22", port_list_mode::product);
    ok("!1," + list_of(20, 2), list_of(30), port_list_mode::product);
}

TEST_CASE("lists of different lengths do not pair") {
    bad("1,2", "80,443,22", errc::port_lists_differ, "Dest-Port: 80,443,22");
    bad(list_of(15), "80,443", errc::port_lists_differ, "Dest-Port: 80,443");
    bad("*,*", "80,443,22", errc::port_lists_differ, "Dest-Port: 80,443,22");
}

TEST_CASE("the sixteenth pair is refused") {
    const std::string sixteen = list_of(16);
    bad(sixteen, sixteen, errc::too_many_port_pairs, "Source-Port: " + sixteen);
    bad(sixteen, "80", errc::too_many_port_pairs, "Source-Port: " + sixteen);
    bad("", sixteen, errc::too_many_port_pairs, "Dest-Port: " + sixteen);
    bad("1", sixteen, errc::too_many_port_pairs, "Dest-Port: " + sixteen);
}

TEST_CASE("without an option lists of ports are plain filters") {
    CHECK(test::good_add(ports(list_of(40), list_of(3))).filter.port_lists ==
          port_list_mode::product);
}

} // namespace flowtap::dtcp
