// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/authentication.hpp>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include <doctest/doctest.h>

#include "hmac_sha1.hpp"
#include "messages.hpp"

namespace flowtap::dtcp {

namespace {

using test::hmac_sha1;

struct vector {
    std::string name;
    std::string key;
    std::string signed_text;
    std::string authentication_info;
};

/// Computed with the hmac module of Python.
const vector own_vectors[] = {
    {"a REFRESH", "Juniper",
     "REFRESH DTCP/0.7\r\nCsource-ID: lea1\r\nCriteria-ID: 1-5,!3\r\nTimeout-Total: 60\r\nSeq: "
     "18446744073709551615\r\n",
     "bad7983eccdf76b086dfb157cf6b10c1ffe8b560"},
    {"blanks before line ends", "k", "NOOP DTCP/0.8 \t\r\nCsource-ID:x \r\nSeq: 2\r\n",
     "b89f4c395083c99376cdebb79d563a74369e8e8d"},
    {"bare line feeds", "Juniper", "NOOP DTCP/0.5\nCsource-ID: lea1\nSeq: 3\n",
     "d0196d11ea7084947c66e1cd827ecf98a4d8a54e"},
    {"a key of 64 octets", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
     "LIST DTCP/0.6\r\nCsource-ID: b\r\nSeq: 4\r\n", "33625c7360c8adbb1d2cad2fa54a684e4673b923"},
    {"a key of 65 octets", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef!",
     "LIST DTCP/0.6\r\nCsource-ID: b\r\nSeq: 4\r\n", "71edd911c6c10f4bffd7ca58efb6e1ff55c512e9"},
    {"a response", "secret",
     "DTCP/0.7 200 OK\r\nSEQ: 7\r\nCRITERIA-ID: 2\r\nTIMESTAMP: 2024-05-01 00:00:00.000\r\n",
     "a82c52a1ebb41cdf1eecf0490950f18ae51bf834"},
    {"an empty key", "", "DTCP/0.7 131 NoOp Notification\r\nTIMESTAMP: 2024-05-01 00:00:00.000\r\n",
     "cb785113f4124751574cfb3cf5ba13f74dfdb530"},
};

/// Checks that a signed message verifies whatever line ends it has, and that it does not when any
/// octet of it changes.
void check(const vector& expected) {
    CAPTURE(expected.name);
    hmac_sha1 hash(expected.key);
    CHECK(sign(expected.signed_text, hash) == expected.authentication_info);

    const std::string octets =
        expected.signed_text + "Authentication-Info: " + expected.authentication_info + "\r\n\r\n";
    const std::string message = test::framed(octets);
    const auto parts = parse_envelope(message);
    REQUIRE(parts);
    CHECK(parts->signed_octets == expected.signed_text);
    CHECK(verify(*parts, hash));

    for (std::size_t at = 0; at < expected.signed_text.size(); ++at) {
        if (octets[at] == '\r' || octets[at] == '\n')
            continue;
        std::string changed = octets;
        changed[at] = changed[at] == 'x' ? 'y' : 'x';
        const auto other = parse_envelope(changed);
        REQUIRE(other);
        const auto verified = verify(*other, hash);
        REQUIRE_FALSE(verified);
        CHECK(verified.error().code == errc::authentication_failed);
    }
}

/// The text of a member of a JSON object, from where `json` stands: enough for the file of
/// vectors, which has nothing but strings with \\r and \\n in them.
std::optional<std::string> take_member(std::string_view& json, const std::string& name) {
    const std::string opening = '"' + name + "\": \"";
    const std::size_t begin = json.find(opening);
    if (begin == std::string_view::npos)
        return std::nullopt;
    json.remove_prefix(begin + opening.size());
    std::string value;
    for (; json.front() != '"'; json.remove_prefix(1)) {
        if (json.front() != '\\') {
            value += json.front();
            continue;
        }
        json.remove_prefix(1);
        value += json.front() == 'r' ? '\r' : '\n';
    }
    return value;
}

std::vector<vector> read_vectors(std::string_view json) {
    std::vector<vector> vectors;
    while (auto name = take_member(json, "name")) {
        vector next;
        next.name = *std::move(name);
        next.key = take_member(json, "key").value();
        next.signed_text = take_member(json, "signed_text").value();
        next.authentication_info = take_member(json, "authentication_info").value();
        vectors.push_back(std::move(next));
    }
    return vectors;
}

} // namespace

TEST_CASE("messages signed by another implementation verify") {
    for (const vector& expected : own_vectors)
        check(expected);
}

TEST_CASE("the nine vectors of Junos and of the drafts verify") {
    const char* const directory = std::getenv("FLOWTAP_SHARED_DATA");
    std::ifstream file(std::string(directory != nullptr ? directory : ".") +
                       "/dtcp-authentication-vectors.json");
    if (!file) {
        MESSAGE("skipped: dtcp-authentication-vectors.json is not there");
        std::cout << "SKIPPED: dtcp-authentication-vectors.json is not there\n";
        return;
    }
    const std::string json{std::istreambuf_iterator<char>(file), {}};
    const std::vector<vector> vectors = read_vectors(json);
    CHECK(vectors.size() == 9);
    for (const vector& expected : vectors)
        check(expected);
}

TEST_CASE("an Authentication-Info that is missing or malformed does not verify") {
    struct row {
        std::string line;
        errc code;
    };
    const std::string digits = "7e84ae871b12f2da023b038774115bb8d955f17e";
    for (const row& expected : {
             row{"", errc::missing_authentication},
             row{"Authentication-Info: \r\n", errc::malformed_authentication},
             row{"Authentication-Info: " + digits.substr(1) + "\r\n",
                 errc::malformed_authentication},
             row{"Authentication-Info: " + digits + "0\r\n", errc::malformed_authentication},
             row{"Authentication-Info: " + digits.substr(1) + "g\r\n",
                 errc::malformed_authentication},
             row{"Authentication-Info: " + digits + "\r\n", errc::authentication_failed},
         }) {
        CAPTURE(expected.line);
        const std::string message = "NOOP DTCP/0.7\r\n" + expected.line + "\r\n";
        hmac_sha1 hash("Juniper");
        const auto verified = verify(*parse_envelope(message), hash);
        REQUIRE_FALSE(verified);
        CHECK(verified.error().code == expected.code);
    }
}

TEST_CASE("hexadecimal digits are read in either case and written in the lower one") {
    const std::string digits = "7e84ae871b12f2da023b038774115bb8d955f17e";
    const auto lower = parse_digest(digits);
    const auto upper = parse_digest("7E84AE871B12F2DA023B038774115BB8D955F17E");
    REQUIRE(lower);
    REQUIRE(upper);
    CHECK(equal_in_constant_time(*lower, *upper));
    CHECK(to_hex(*upper) == digits);
}

TEST_CASE("digests differ when any bit does") {
    const digest zero{};
    for (std::size_t bit = 0; bit < 8 * zero.size(); ++bit) {
        digest other = zero;
        other[bit / 8] = std::byte{1} << bit % 8;
        CHECK_FALSE(equal_in_constant_time(zero, other));
    }
    CHECK(equal_in_constant_time(zero, zero));
}

} // namespace flowtap::dtcp
