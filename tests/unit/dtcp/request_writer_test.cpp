// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/writer.hpp>

#include <doctest/doctest.h>

#include "hmac_sha1.hpp"
#include "messages.hpp"

namespace flowtap::dtcp {

namespace {

using test::hmac_sha1;

std::string written(const request& message) {
    hmac_sha1 hash("Juniper");
    std::string octets = "before";
    write_request(octets, message, hash);
    REQUIRE(octets.starts_with("before"));
    return octets.substr(6);
}

request without_given(request message) {
    if (auto* const add = std::get_if<add_request>(&message))
        add->given.clear();
    return message;
}

/// Parses, writes, parses and writes again: the second round must change nothing.
std::string round_trip(const std::string& lines, const parse_options& options = {}) {
    CAPTURE(lines);
    const auto parsed = test::parse(lines, options);
    if (!parsed)
        FAIL_CHECK("refused: " << parsed.error().message());
    REQUIRE(parsed);
    const std::string octets = written(*parsed);
    const std::string message = test::framed(octets);
    CHECK(message == octets);
    const auto parts = parse_envelope(message);
    REQUIRE(parts);
    hmac_sha1 hash("Juniper");
    CHECK(verify(*parts, hash));
    const auto again = parse_request(*parts, options);
    REQUIRE(again);
    CHECK(without_given(*again) == without_given(*parsed));
    CHECK(written(*again) == octets);
    return octets;
}

} // namespace

TEST_CASE("every method survives being written and parsed") {
    const std::string identity = "Csource-ID: lea\\0321\nSeq: 18446744073709551615\n";
    for (const char* lines : {
             "NOOP DTCP/0.5\n",
             "NOOP DTCP/0.7\nFlags: SendAsync\n",
             "DELETE DTCP/0.7\nCriteria-ID: 7,7-7,3-*,!5,!8-9,*-2,18446744073709551615\n",
             "DELETE DTCP/0.7\nCriteria-ID: 7-7,7\n",
             "DELETE DTCP/0.7\nCriteria-ID: *\nFlags: STATIC\n",
             "DELETE DTCP/0.7\nCdest-ID: cd\\0441\n",
             "REFRESH DTCP/0.6\nCriteria-ID: 5\nTimeout-Idle: 1\nTimeout-Total: 2\n"
             "Timeout-Packets: 3\nTimeout-Bytes: 4\n",
             "REFRESH DTCP/0.6\nCdest-ID: a\nTimeout-Bytes: 18446744073709551615\n",
             "LIST DTCP/0.8\n",
             "LIST DTCP/0.8\nCriteria-ID: !*\nFlags: Stats\n",
             "LIST DTCP/0.8\nCdest-ID: a\nFlags: Criteria\n",
             "ENABLE DTCP/0.8\nCriteria-ID: 8\nX-Drop-Policy: p\nFlags: STATIC\n",
             "DISABLE DTCP/0.8\nCdest-ID: a\nX-Drop-Policy: drop pol\n",
         }) {
        std::string text = lines;
        if (text.find("drop pol\n") != std::string::npos)
            text.replace(text.find("drop pol"), 8, "drop\\032pol");
        round_trip(text + identity);
    }
}

TEST_CASE("every field of an ADD survives being written and parsed") {
    const std::vector<std::vector<test::field>> rows = {
        {},
        {{"Source-Address", "10.1.2.3/8,!10.1.1.1-10.1.1.9,*-9.0.0.0"}, {"Dest-Address", "!*"}},
        {{"Source-Address", "::/0"}, {"Dest-Address", "2001:db8::1-*,!2001:db8::5/64"}},
        {{"Dest-Address", "*,!10.0.0.1"}},
        {{"Protocol", "0-255"}, {"Source-Port", "0-65535,!5"}, {"Dest-Port", "*"}},
        {{"Protocol", "!6"}, {"ICMP-Type", "8,0,3-5"}, {"ICMP-Code", "!*-3"}},
        {{"Flags", "SendAsync"}, {"Timeout-Idle", "5"}, {"Timeout-Bytes", "6"}},
        {{"Priority", "255"}, {"Flags", "STATIC,SendAsync"}},
        {{"Cdest-ID", "a\\044b,c"},
         {"X-JTap-Cdest-Dest-Address", "2001:db8::1,2001:db8::2"},
         {"X-JTap-Cdest-Dest-Port", "1,65535"},
         {"X-JTap-Cdest-Source-Address", "2001:db8::3"},
         {"X-JTap-Cdest-TTL", "0"}},
        {{"X-JTap-Input-Interface", "a,b.1,c"}, {"X-JTap-IP-Version", "ipv6"}},
        {{"X-JTap-Output-Interface", "ge-0/0/0"}, {"X-JTap-IP-Version", "ipv4"}},
        {{"X-JTap-VRF-Name", "v\\092"}},
        {{"version", "0.8"},
         {"X-JTap-Filter-Family", "ccc"},
         {"X-JTap-Input-Interface", "ge-0/0/0"}},
        {{"X-MD-Intercept-Id", "0x0123456789abcdef"}, {"X-UserName", "u\\032v"}},
        {{"X-MD-Intercept-Id", "40000001"},
         {"X-IP-Addr", "2001:db8::1"},
         {"X-Logical-System", "l"},
         {"X-Router-Instance", "r"},
         {"X-JTap-Cdest-Source-Address", ""},
         {"X-JTap-Cdest-Source-Port", ""}},
    };
    for (const auto& changes : rows)
        round_trip(test::add_with(changes));
    const std::vector<test::field> pairs = {{"Source-Port", "1,*,3"}, {"Dest-Port", "4,5-6,7"}};
    round_trip(test::add_with(pairs), {.port_lists = port_list_mode::pairs});
    for (const char* action : {"Block", "Redirect"})
        round_trip(test::add_with({{"Action", action}}), {.has_block_and_redirect = true});
}

TEST_CASE("a request is written in the usual case and order") {
    CHECK(round_trip("DELETE DTCP/0.7\nSEQ: 10\nFLAGS: static\nCRITERIA-ID: 2\n"
                     "CSOURCE-ID: dtcp1\n") ==
          "DELETE DTCP/0.7\r\nCsource-ID: dtcp1\r\nCriteria-ID: 2\r\nFlags: STATIC\r\n"
          "Seq: 10\r\nAuthentication-Info: 7da4736cf684ed51e7a9dd61f682f31e143a558c\r\n\r\n");
}

TEST_CASE("lines that a person wrote are sent and signed as they are") {
    hmac_sha1 hash("Juniper");
    std::string octets;
    const text_field fields[] = {
        {"Csource-ID", "dtcp1"}, {"CRITERIA-ID", "2"}, {"Flags", "STATIC"}, {"Seq", "10"}};
    write_request(octets, "DELETE", version_0_7, fields, hash);
    // The request of Junos' documentation.
    CHECK(octets == "DELETE DTCP/0.7\r\nCsource-ID: dtcp1\r\nCRITERIA-ID: 2\r\nFlags: STATIC\r\n"
                    "Seq: 10\r\nAuthentication-Info: "
                    "7e84ae871b12f2da023b038774115bb8d955f17e\r\n\r\n");
}

} // namespace flowtap::dtcp
