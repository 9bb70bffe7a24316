// SPDX-License-Identifier: Apache-2.0
#include <flowtap/core/address.hpp>

#include <arpa/inet.h>
#include <array>
#include <cstddef>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace flowtap;

namespace {

ip_address address(std::string_view text) {
    const auto parsed = parse_ip_address(text);
    REQUIRE_MESSAGE(parsed, text);
    return *parsed;
}

ip_prefix prefix(std::string_view text) {
    const auto parsed = parse_ip_prefix(text);
    REQUIRE_MESSAGE(parsed, text);
    return *parsed;
}

/// The example of lib/core/README.md.
result<bool> is_local(std::string_view text) {
    const auto parsed = parse_ip_address(text);
    if (!parsed)
        return fail(parsed.error());
    return parsed->is_loopback();
}

} // namespace

TEST_CASE("the example of the README works") {
    CHECK(*is_local("127.0.0.1"));
    CHECK_FALSE(*is_local("192.0.2.1"));
    CHECK(is_local("10.0.0.256").error().message() ==
          "the address is not a valid IPv4 or IPv6 address: \"10.0.0.256\"");
}

TEST_CASE("addresses are read and written in their usual form") {
    struct row {
        std::string_view text, written;
        address_bits bits;
    };
    constexpr row table[] = {
        {"0.0.0.0", "0.0.0.0", {0, 0}},
        {"192.0.2.1", "192.0.2.1", {0, 0xC000'0201}},
        {"255.255.255.255", "255.255.255.255", {0, 0xFFFF'FFFF}},
        {"::", "::", {0, 0}},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1", {0x2001'0DB8'0000'0000, 1}},
        {"2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1", {0x2001'0DB8'0000'0001, 1}},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1", {0, 0xFFFF'C000'0201}},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         {~0ULL, ~0ULL}},
    };
    for (const row& expected : table) {
        CAPTURE(expected.text);
        const ip_address parsed = address(expected.text);
        CHECK(to_string(parsed) == expected.written);
        CHECK(parsed.bits() == expected.bits);
        const auto octets = parsed.bytes();
        CHECK(ip_address::from_bytes(std::span(octets).first(parsed.size())) == parsed);
    }
}

namespace {

/// What inet_pton takes `text` for.
std::optional<ip_address> by_inet_pton(const std::string& text) {
    std::array<std::byte, 4> quad{};
    if (::inet_pton(AF_INET, text.c_str(), quad.data()) == 1)
        return ip_address::from_bytes(quad);
    std::array<std::byte, 16> groups{};
    if (::inet_pton(AF_INET6, text.c_str(), groups.data()) == 1)
        return ip_address::from_bytes(groups);
    return std::nullopt;
}

/// Both, or neither, take `text`, and for the same address.
bool agrees_with_inet_pton(const std::string& text) {
    const auto wanted = by_inet_pton(text);
    const auto parsed = parse_ip_address(text);
    return wanted ? parsed && *parsed == *wanted : !parsed;
}

/// Calls `visit` with every text of at most `longest` letters out of `letters`.
template <class Visit>
void for_each_text(std::string& text, std::string_view letters, std::size_t longest,
                   const Visit& visit) {
    visit(text);
    if (text.size() == longest)
        return;
    for (const char letter : letters) {
        text += letter;
        for_each_text(text, letters, longest, visit);
        text.pop_back();
    }
}

} // namespace

TEST_CASE("dotted quads are those of inet_pton") {
    constexpr std::array<std::string_view, 18> numbers = {
        "",    "0",   "00",  "01",  "1",   "9",   "10",   "99",         "099",
        "100", "199", "255", "256", "260", "999", "1000", "4294967297", " 1"};
    std::size_t differing = 0;
    const auto check = [&](const std::string& text) {
        if (agrees_with_inet_pton(text))
            return;
        ++differing;
        MESSAGE(text);
    };
    for (const auto a : numbers)
        for (const auto b : numbers)
            for (const auto c : numbers)
                for (const auto d : numbers)
                    check(std::string(a).append(".").append(b).append(".").append(c).append(".") +=
                          d);
    for (int number = 0; number < 1200; ++number) {
        const std::string text = std::to_string(number);
        check(text + ".1.2.3");
        check("1." + text + ".2.3");
        check("1.2." + text + ".3");
        check("1.2.3." + text);
    }
    std::string text;
    for_each_text(text, "0129.", 7, check);
    text = "1.2.";
    for_each_text(text, "025.-x", 9, check);
    CHECK(differing == 0);
}

TEST_CASE("IPv6 addresses are those of inet_pton") {
    std::size_t differing = 0;
    std::size_t taken = 0;
    const auto check = [&](const std::string& text) {
        taken += by_inet_pton(text) ? 1 : 0;
        if (agrees_with_inet_pton(text))
            return;
        ++differing;
        MESSAGE(text);
    };
    std::string text;
    for_each_text(text, "0aF:", 8, check);
    for (const std::string_view begin : {"1:2:3:4:5", "::2:3:4:5", "1:2::4:5", "1:2:3:4:5:6:7",
                                         "2001:db8:abcd:ef12:3456:78ab:abc8", "::ffff:1.2"}) {
        text = begin;
        for_each_text(text, "9:.g", begin.size() + 7, check);
    }
    constexpr std::uint32_t seed = 20261121;
    MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 200'000; ++round) {
        text.clear();
        for (auto left = random() % 12; left != 0; --left) {
            constexpr std::array<std::string_view, 8> parts = {"1",   "fe80", "0",     ":",
                                                               "dB8", "::",   "12345", "1.2.3.4"};
            text.append(parts[random() % parts.size()]);
            if (random() % 3 != 0)
                text += ':';
        }
        check(text);
    }
    CHECK(taken > 2000);
    CHECK(differing == 0);
}

TEST_CASE("what is no address is refused with the text") {
    using namespace std::string_view_literals;
    for (const std::string_view text :
         {""sv, "1"sv, "1.2.3"sv, "1.2.3.4.5"sv, "256.1.1.1"sv, "01.2.3.4"sv, " 1.2.3.4"sv,
          "1.2.3.4 "sv, "1.2.3.4\0"sv, "1.2.3.4\0x"sv, "0x1.2.3.4"sv, ":"sv, ":::"sv, "1::2::3"sv,
          "12345::"sv, "fe80::1%eth0"sv, "[::1]"sv, "1.2.3.4/32"sv,
          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"sv}) {
        CAPTURE(text);
        const auto parsed = parse_ip_address(text);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code == errc::invalid_address);
        CHECK(parsed.error().subject == text);
    }
}

TEST_CASE("addresses compare as numbers within a family") {
    CHECK(address("192.0.2.1") < address("192.0.2.2"));
    CHECK(address("9.0.0.0") < address("10.0.0.0"));
    CHECK(address("2001:db8::ffff") < address("2001:db8::1:0"));
    CHECK(address("::1.2.3.4") != address("1.2.3.4"));
}

TEST_CASE("addresses know what kind they are") {
    struct row {
        std::string_view text;
        bool loopback, multicast, unspecified, unicast;
    };
    constexpr row table[] = {
        {"0.0.0.0", false, false, true, false},
        {"0.1.2.3", false, false, false, false},
        {"1.0.0.0", false, false, false, true},
        {"127.0.0.1", true, false, false, true},
        {"127.255.255.255", true, false, false, true},
        {"128.0.0.1", false, false, false, true},
        {"223.255.255.255", false, false, false, true},
        {"224.0.0.1", false, true, false, false},
        {"239.255.255.255", false, true, false, false},
        {"240.0.0.1", false, false, false, false},
        {"255.255.255.255", false, false, false, false},
        {"::", false, false, true, false},
        {"::1", true, false, false, true},
        {"::2", false, false, false, true},
        {"2001:db8::1", false, false, false, true},
        {"fe80::1", false, false, false, true},
        {"ff02::1", false, true, false, false},
    };
    for (const row& expected : table) {
        CAPTURE(expected.text);
        const ip_address parsed = address(expected.text);
        CHECK(parsed.is_loopback() == expected.loopback);
        CHECK(parsed.is_multicast() == expected.multicast);
        CHECK(parsed.is_unspecified() == expected.unspecified);
        CHECK(parsed.is_unicast() == expected.unicast);
    }
}

TEST_CASE("a prefix knows its first and last address") {
    struct row {
        std::string_view text, first, last;
    };
    constexpr row table[] = {
        {"192.0.2.77/24", "192.0.2.0", "192.0.2.255"},
        {"192.0.2.77", "192.0.2.77", "192.0.2.77"},
        {"192.0.2.77/32", "192.0.2.77", "192.0.2.77"},
        {"192.0.2.77/31", "192.0.2.76", "192.0.2.77"},
        {"192.0.2.77/0", "0.0.0.0", "255.255.255.255"},
        {"2001:db8::1235/112", "2001:db8::", "2001:db8::ffff"},
        {"2001:db8::1/64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"},
        {"2001:db8::1/63", "2001:db8::", "2001:db8:0:1:ffff:ffff:ffff:ffff"},
        {"2001:db8::1/65", "2001:db8::", "2001:db8::7fff:ffff:ffff:ffff"},
        {"2001:db8::1/128", "2001:db8::1", "2001:db8::1"},
        {"::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    for (const row& expected : table) {
        CAPTURE(expected.text);
        const ip_prefix block = prefix(expected.text);
        CHECK(to_string(block.first()) == expected.first);
        CHECK(to_string(block.last()) == expected.last);
        CHECK(block.contains(block.first()));
        CHECK(block.contains(block.last()));
        CHECK(block.contains(block.address));
    }
}

TEST_CASE("a prefix contains nothing beside it and nothing of the other family") {
    CHECK_FALSE(prefix("192.0.2.0/24").contains(address("192.0.1.255")));
    CHECK_FALSE(prefix("192.0.2.0/24").contains(address("192.0.3.0")));
    CHECK_FALSE(prefix("0.0.0.0/0").contains(address("::1")));
    CHECK_FALSE(prefix("::/0").contains(address("192.0.2.1")));
    CHECK_FALSE(prefix("2001:db8::/112").contains(address("2001:db8::1:0")));
}

TEST_CASE("a prefix keeps its host bits for display") {
    CHECK(to_string(prefix("192.0.2.77/24")) == "192.0.2.77/24");
    CHECK(to_string(prefix("2001:db8::1")) == "2001:db8::1/128");
}

TEST_CASE("what is no prefix is refused") {
    for (const std::string_view text :
         {"192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/+1", "192.0.2.0/8 ",
          "192.0.2.0/8/8", "192.0.2.0/a", "192.0.2.0/99999999999", "::/129"}) {
        CAPTURE(text);
        const auto parsed = parse_ip_prefix(text);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code == errc::invalid_prefix);
    }
    for (const std::string_view text : {"", "/8", "192.0.2/8", "x/8"}) {
        CAPTURE(text);
        const auto parsed = parse_ip_prefix(text);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code == errc::invalid_address);
    }
}

TEST_CASE("an endpoint is written with brackets where it needs them") {
    CHECK(to_string(endpoint{address("192.0.2.7"), 2100}) == "192.0.2.7:2100");
    CHECK(to_string(endpoint{address("2001:db8::7"), 0}) == "[2001:db8::7]:0");
}

TEST_CASE("a family set holds what was put into it") {
    family_set both = family::inet;
    both.insert(family::inet6);
    CHECK(both.contains(family::inet));
    CHECK(both.contains(family::inet6));
    CHECK_FALSE(both.contains(family::ccc));
    CHECK((both & family::inet6) == family_set(family::inet6));
    CHECK((family_set(family::inet) | family::inet6) == both);
    both.erase(family::inet);
    CHECK_FALSE(both.contains(family::inet));
    both.erase(family::inet6);
    CHECK(both.empty());
}

TEST_CASE("the highest address is where a range to the end ends") {
    CHECK(ip_address(family::inet, highest_address(family::inet)) == address("255.255.255.255"));
    CHECK(highest_address(family::inet6) == address_bits{~0ULL, ~0ULL});
}
