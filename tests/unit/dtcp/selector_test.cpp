// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/request.hpp>

#include <doctest/doctest.h>

#include "messages.hpp"

namespace flowtap::dtcp {

namespace {

/// A request of DTCP/0.8 with these lines.
result<request> parse(const std::string& method, const std::string& lines,
                      const parse_options& options = {}) {
    return test::parse(method + " DTCP/0.8\nCsource-ID: lea1\n" + lines + "Seq: 3\n", options);
}

template <class Request>
Request good(const std::string& method, const std::string& lines) {
    CAPTURE(method);
    CAPTURE(lines);
    const auto parsed = parse(method, lines);
    if (!parsed)
        FAIL_CHECK("refused: " << parsed.error().message());
    REQUIRE(parsed);
    const auto& message = std::get<Request>(*parsed);
    CHECK(message.header == request_header{version_0_8, "lea1", sequence_number(3)});
    CHECK(&header_of(*parsed) == &message.header);
    CHECK(method_of(*parsed) == method);
    return message;
}

void bad(const std::string& method, const std::string& lines, errc code, text_position where = {}) {
    CAPTURE(method);
    CAPTURE(lines);
    const auto parsed = parse(method, lines);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == code);
    CHECK(parsed.error().where == where);
}

criteria_selection criteria(const std::string& list) {
    return std::get<criteria_selection>(
        good<delete_request>("DELETE", "Criteria-ID: " + list + "\n").selected);
}

} // namespace

TEST_CASE("a list of criteria has the entry forms of a filter field") {
    const criteria_selection one = criteria("55331");
    CHECK(one.selects(criteria_id(55331)));
    CHECK_FALSE(one.selects(criteria_id(55332)));
    CHECK(one.listed == std::vector<std::uint64_t>{55331});

    const criteria_selection several = criteria("1, 3-5,!4,9-*");
    for (const std::uint32_t id : {1U, 3U, 5U, 9U, 4000000000U})
        CHECK(several.selects(criteria_id(id)));
    for (const std::uint32_t id : {0U, 2U, 4U, 6U, 8U})
        CHECK_FALSE(several.selects(criteria_id(id)));
    CHECK(several.listed == std::vector<std::uint64_t>{1});

    CHECK(criteria("*").ids.is_wildcard());
    CHECK(criteria("*").selects(criteria_id(7)));
    CHECK_FALSE(criteria("!7").selects(criteria_id(7)));
    CHECK(criteria("!7").listed.empty());
    CHECK(criteria("7-7").listed.empty());
    CHECK(criteria("18446744073709551615").listed == std::vector<std::uint64_t>{~0ULL});
}

TEST_CASE("a list of criteria that is not valid is a bad request") {
    for (const char* method : {"DELETE", "REFRESH", "LIST"}) {
        bad(method, "Criteria-ID: x\n", errc::invalid_value, {3, 14});
        bad(method, "Criteria-ID: 5-3\n", errc::invalid_value, {3, 14});
        bad(method, "Criteria-ID: 1, 18446744073709551616\n", errc::invalid_value, {3, 17});
        bad(method, "Criteria-ID: \n", errc::invalid_value, {3, 13});
    }
}

TEST_CASE("DELETE has one selector and perhaps the flag STATIC") {
    CHECK(std::get<std::string>(good<delete_request>("DELETE", "Cdest-ID: cd1\n").selected) ==
          "cd1");
    CHECK_FALSE(good<delete_request>("DELETE", "Cdest-ID: cd1\n").include_static);
    CHECK(good<delete_request>("DELETE", "Criteria-ID: 2\nFlags: static\n").include_static);
    bad("DELETE", "", errc::missing_selector);
    bad("DELETE", "Criteria-ID: 1\nCdest-ID: a\n", errc::ambiguous_selector, {4, 11});
    bad("DELETE", "Cdest-ID: a\nCriteria-ID: 1\n", errc::ambiguous_selector, {4, 14});
    bad("DELETE", "Cdest-ID: a,b\n", errc::ambiguous_selector, {3, 11});
    bad("DELETE", "Criteria-ID: 1\nFlags: x\n", errc::not_implemented, {4, 8});
}

TEST_CASE("REFRESH has one selector and a timeout that is not zero") {
    const auto message =
        good<refresh_request>("REFRESH", "Criteria-ID: 2\nTimeout-Idle: 60\nTimeout-Total: 0\n");
    CHECK(message.limits.idle == std::chrono::seconds(60));
    CHECK_FALSE(message.limits.total);
    bad("REFRESH", "Timeout-Idle: 60\n", errc::missing_selector);
    bad("REFRESH", "Criteria-ID: 2\n", errc::missing_timeout);
    bad("REFRESH", "Criteria-ID: 2\nTimeout-Idle: 0\n", errc::missing_timeout);
    bad("REFRESH", "Criteria-ID: 2\nTimeout-Idle: x\n", errc::invalid_timeout, {4, 15});
    bad("REFRESH", "Criteria-ID: 2\nFlags: STATIC\n", errc::missing_timeout);
}

TEST_CASE("LIST has at most one selector and shows both unless it says otherwise") {
    CHECK_FALSE(good<list_request>("LIST", "").selected);
    CHECK(good<list_request>("LIST", "Cdest-ID: cd1\n").selected == selector("cd1"));
    const std::pair<const char*, list_detail> rows[] = {
        {"", list_detail::both},
        {"Flags: Both\n", list_detail::both},
        {"Flags: STATS\n", list_detail::stats},
        {"Flags: criteria\n", list_detail::criteria},
        {"Flags: Stats,Criteria\n", list_detail::both},
        {"Flags: Stats,Both\n", list_detail::both},
        {"Flags: STATIC\n", list_detail::both},
    };
    for (const auto& [lines, detail] : rows)
        CHECK(good<list_request>("LIST", lines).detail == detail);
    bad("LIST", "Criteria-ID: 1\nCdest-ID: a\n", errc::ambiguous_selector, {4, 11});
}

TEST_CASE("NOOP has nothing but perhaps the flag SendAsync") {
    CHECK_FALSE(good<noop_request>("NOOP", "").send_async);
    CHECK(good<noop_request>("NOOP", "Flags: SendAsync\n").send_async);
}

TEST_CASE("ENABLE and DISABLE name criteria and a drop policy, from DTCP/0.8 on") {
    const auto enable =
        good<enable_request>("ENABLE", "Criteria-ID: 8\nX-Drop-Policy: drop_pol\nFlags: STATIC\n");
    CHECK(enable.drop_policy == "drop_pol");
    CHECK(enable.include_static);
    CHECK(std::get<criteria_selection>(enable.selected).listed == std::vector<std::uint64_t>{8});
    CHECK_FALSE(
        good<disable_request>("DISABLE", "Criteria-ID: 8\nX-Drop-Policy: p\n").include_static);
    bad("ENABLE", "X-Drop-Policy: p\n", errc::missing_selector);
    const auto missing = parse("DISABLE", "Criteria-ID: 8\n");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == errc::missing_parameter);
    CHECK(missing.error().subject == "X-Drop-Policy");
    const auto older = test::parse("ENABLE DTCP/0.7\nCsource-ID: a\nSeq: 1\n");
    REQUIRE_FALSE(older);
    CHECK(older.error().code == errc::unknown_method);
}

TEST_CASE("a parameter that does not belong to the method is refused, an X- one discarded") {
    const std::pair<const char*, const char*> rows[] = {
        {"DELETE", "Protocol: 6\n"},    {"DELETE", "Timeout-Idle: 6\n"},
        {"DELETE", "Priority: 6\n"},    {"REFRESH", "Source-Port: 6\n"},
        {"LIST", "Timeout-Bytes: 1\n"}, {"LIST", "Action: Copy\n"},
        {"NOOP", "Criteria-ID: 1\n"},   {"NOOP", "Cdest-ID: a\n"},
        {"ADD", "Criteria-ID: 1\n"},    {"NOOP", "Timestamp: x\n"},
        {"LIST", "Criteria-Num: 1\n"},  {"NOOP", "Remaining-Idle: 1\n"},
    };
    for (const auto& [method, line] : rows)
        bad(method, line, errc::misplaced_parameter, {3, 1});
    bad("NOOP", "Unknown: 1\n", errc::unknown_parameter, {3, 1});
    bad("NOOP", "X: 1\n", errc::unknown_parameter, {3, 1});
    bad("NOOP", "X-: 1\n", errc::unknown_parameter, {3, 1});
    good<noop_request>("NOOP", "X-Whatever: \\999\nx-jtap-cdest-ttl: 900\nX-Y:\n");
}

TEST_CASE("Authentication-Info is last and what follows it is disregarded") {
    good<noop_request>("NOOP", "");
    const auto parsed = test::parse("NOOP DTCP/0.7\nCsource-ID: a\nSeq: 1\n"
                                    "Authentication-Info: 00\nUnknown: 1\nnonsense\n");
    CHECK(parsed);
}

} // namespace flowtap::dtcp
