// SPDX-License-Identifier: Apache-2.0
#include <flowtap/radius/packet.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/radius/builder.hpp>
#include <flowtap/radius/hidden.hpp>
#include <flowtap/radius/signature.hpp>

#include "rig.hpp"

namespace flowtap::radius {

namespace {

// RFC 2865 section 7.1.
const octets rfc_request = from_hex("01 00 00 38 0f 40 3f 94 73 97 80 57 bd 83 d5 cb 98 f4 22 7a"
                                    "01 06 6e 65 6d 6f 02 12 0d be 70 8d 93 d4 13 ce 31 96 e4 3f"
                                    "78 2a 0a ee 04 06 c0 a8 01 10 05 06 00 00 00 03");
const octets rfc_accept = from_hex("02 00 00 26 86 fe 22 0e 76 24 ba 2a 10 05 f6 bf 9b 55 e0 b2"
                                   "06 06 00 00 00 01 0f 06 00 00 00 00 0e 06 c0 a8 01 03");
// RFC 5997 section 6.1.
const octets rfc_status = from_hex("0c da 00 26 8a 54 f4 68 6f b3 94 c5 28 66 e3 02 18 5d 06 23"
                                   "50 12 5a 66 5e 2e 1e 84 11 f3 e2 43 82 20 97 c8 4f a3");
const octets rfc_status_answer =
    from_hex("02 da 00 14 ef 0d 55 2a 4b f2 d6 93 ec 2b 6f e8 b5 41 1d 66");
constexpr std::string_view rfc_secret = "xyzzy5461";

std::error_code code_of(const result<void>& outcome) {
    return outcome ? std::error_code() : outcome.error().code;
}

std::error_code parse_error(const octets& datagram) {
    const auto parsed = packet_view::parse(datagram);
    return parsed ? std::error_code() : parsed.error().code;
}

packet_view parsed(const octets& datagram) {
    auto packet = packet_view::parse(datagram);
    REQUIRE(packet.has_value());
    return *packet;
}

/// A header, and what follows it.
octets packet_of(std::string_view attributes) {
    octets packet(header_size);
    packet[0] = std::byte{2};
    const octets rest = from_hex(attributes);
    packet.insert(packet.end(), rest.begin(), rest.end());
    store_big_endian(std::span(packet).subspan(2), static_cast<std::uint16_t>(packet.size()));
    return packet;
}

} // namespace

TEST_CASE("the request of RFC 2865 is read, and its password revealed") {
    const packet_view request = parsed(rfc_request);
    CHECK(request.code() == packet_code::access_request);
    CHECK(request.id() == 0);
    std::vector<int> types;
    for (const attribute_view& one : request)
        types.push_back(static_cast<int>(one.type));
    CHECK(types == std::vector{1, 2, 4, 5});
    CHECK(text_of(request.find(attribute_type::user_name)->value) == "nemo");
    CHECK(*request.find(attribute_type::nas_port)->number() == 3);
    CHECK_FALSE(request.find(attribute_type::state));

    const shared_secret key = key_of(rfc_secret);
    const auto hidden = request.find(attribute_type::user_password)->value;
    const auto password = reveal_password(hidden, key, request.authenticator());
    REQUIRE(password.has_value());
    CHECK(password->view() == "arctangent");
    const auto again = hide_password("arctangent", key, request.authenticator());
    REQUIRE(again.has_value());
    CHECK(std::ranges::equal(*again, hidden));
}

TEST_CASE("the answers of RFC 2865 and RFC 5997 verify, and come out when made anew") {
    shared_secret key = key_of(rfc_secret);
    const authenticator of_request = parsed(rfc_request).authenticator();
    CHECK(verify(parsed(rfc_accept), key, message_authenticator::optional, of_request));
    CHECK(code_of(verify(parsed(rfc_accept), key, message_authenticator::required, of_request)) ==
          errc::missing_message_authenticator);
    CHECK(code_of(verify(parsed(rfc_accept), key, message_authenticator::optional)) ==
          errc::wrong_authenticator);

    packet_builder accept(packet_code::access_accept, 0, message_authenticator::optional);
    CHECK(accept.add_number(attribute_type::service_type, 1));
    CHECK(accept.add_number(static_cast<attribute_type>(15), 0));
    CHECK(accept.add_address(static_cast<attribute_type>(14), ip_address::v4(0xC0A80103)));
    CHECK(std::move(accept).finish(key, of_request) == rfc_accept);

    CHECK(verify(parsed(rfc_status), key, message_authenticator::required));
    packet_builder status(packet_code::status_server, 0xda);
    status.set_authenticator(parsed(rfc_status).authenticator());
    CHECK(std::move(status).finish(key) == rfc_status);
    CHECK(verify(parsed(rfc_status_answer), key, message_authenticator::optional,
                 parsed(rfc_status).authenticator()));
}

TEST_CASE("a packet cut short anywhere is truncated, and octets behind it are padding") {
    for (const octets& whole : {rfc_request, rfc_accept, rfc_status}) {
        for (std::size_t size = 0; size < whole.size(); ++size)
            CHECK(parse_error({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}) ==
                  errc::truncated);
        octets padded = whole;
        padded.resize(whole.size() + 7);
        CHECK(parsed(padded).octets().size() == whole.size());
    }
}

TEST_CASE("a packet that ends anywhere by its own length is read or refused, never read beyond") {
    for (std::size_t size = 0; size <= rfc_request.size(); ++size) {
        octets cut(rfc_request.begin(), rfc_request.begin() + static_cast<std::ptrdiff_t>(size));
        if (size >= 4)
            store_big_endian(std::span(cut).subspan(2), static_cast<std::uint16_t>(size));
        CAPTURE(size);
        const bool is_between = size == 20 || size == 26 || size == 44 || size == 50 || size == 56;
        CHECK(parse_error(cut) == (is_between  ? std::error_code()
                                   : size < 20 ? make_error_code(errc::truncated)
                                               : make_error_code(errc::malformed_attribute)));
    }
}

TEST_CASE("lengths that cannot be are refused, with the place") {
    octets packet = rfc_accept;
    packet[3] = std::byte{19};
    CHECK(parse_error(packet) == errc::invalid_length);
    packet = rfc_accept;
    packet[2] = std::byte{0x0F};
    CHECK(parse_error(packet) == errc::truncated);
    packet[2] = std::byte{0x10};
    CHECK(parse_error(packet) == errc::oversized);
    packet.resize(longest_packet + 1);
    CHECK(parse_error(packet) == errc::oversized);

    for (const char* attributes : {"01 02 06 01", "01 02 06 00", "01 02 06 03", "01 02 06"}) {
        CAPTURE(attributes);
        const octets bad = packet_of(attributes);
        const auto outcome = packet_view::parse(bad);
        REQUIRE_FALSE(outcome.has_value());
        CHECK(outcome.error().message() ==
              "the attribute does not fit into the packet: \"octet 22\"");
    }
}

TEST_CASE("any octet of a signed packet that changes is noticed") {
    shared_secret key = key_of("s");
    const authenticator of_request = parsed(rfc_request).authenticator();
    for (const packet_code code :
         {packet_code::access_request, packet_code::access_accept, packet_code::access_reject,
          packet_code::accounting_request, packet_code::accounting_response,
          packet_code::disconnect_request, packet_code::coa_request, packet_code::coa_ack,
          packet_code::coa_nak, packet_code::disconnect_ack}) {
        CAPTURE(static_cast<int>(code));
        packet_builder builder(code, 7);
        builder.set_authenticator(of_request);
        CHECK(builder.add(attribute_type::acct_session_id, "0123"));
        const octets good = std::move(builder).finish(key, of_request);
        CHECK(verify(parsed(good), key, message_authenticator::required, of_request));
        // Not the length (padding, or truncated), and the type of no attribute that then counts.
        for (std::size_t at = 0; at < good.size(); ++at) {
            octets bad = good;
            bad[at] ^= std::byte{0x40};
            const auto packet = packet_view::parse(bad);
            CAPTURE(at);
            CHECK_FALSE(
                (packet && verify(*packet, key, message_authenticator::required, of_request)));
        }
        shared_secret other = key_of("t");
        CHECK_FALSE(verify(parsed(good), other, message_authenticator::required, of_request));
    }
}

TEST_CASE("a Message-Authenticator of the wrong size, or a second one, is refused") {
    shared_secret key = key_of("s");
    packet_builder twice(packet_code::access_accept, 7);
    CHECK(twice.add(attribute_type::message_authenticator, octets(16)));
    CHECK(code_of(verify(parsed(std::move(twice).finish(key)), key,
                         message_authenticator::required)) == errc::repeated_attribute);
    packet_builder shorter(packet_code::access_accept, 7, message_authenticator::optional);
    CHECK(shorter.add(attribute_type::message_authenticator, octets(15)));
    CHECK(code_of(verify(parsed(std::move(shorter).finish(key)), key,
                         message_authenticator::required)) == errc::wrong_size);
}

TEST_CASE("vendors' attributes are found in order, several in one attribute, too") {
    const octets packet = packet_of("1a 0a 00 00 0a 4c 0a 04 61 62"            // 2636/10 ab
                                    "1a 0a 00 00 13 0a 0a 04 78 78"            // 4874/10 xx
                                    "1a 0d 00 00 0a 4c 01 04 63 64 0a 03 65"); // 1 cd, 10 e
    const auto values =
        parsed(packet).vendor_values(vendor::juniper, juniper_attribute::user_permissions);
    REQUIRE(values.has_value());
    REQUIRE(values->size() == 2);
    CHECK(text_of((*values)[0]) == "ab");
    CHECK(text_of((*values)[1]) == "e");
}

TEST_CASE("a vendor's attribute that does not add up is an error of that vendor's alone") {
    for (const char* inside : {"1a 06 00 00 0a 4c", "1a 07 00 00 0a 4c 0a", "1a 05 00 00 0a",
                               "1a 02", "1a 08 00 00 0a 4c 0a 01", "1a 09 00 00 0a 4c 0a 04 61",
                               "1a 0a 00 00 0a 4c 0a 03 61 0a"}) {
        CAPTURE(inside);
        const octets packet = packet_of(inside);
        const auto values = parsed(packet).vendor_values(vendor::juniper, std::uint8_t{10});
        REQUIRE_FALSE(values.has_value());
        CHECK(values.error().code == errc::malformed_vendor_attribute);
    }
    const octets packet = packet_of("1a 09 00 00 0a 4c 0a 04 61");
    CHECK(parsed(packet).vendor_values(vendor::juniper_erx, std::uint8_t{10})->empty());
}

TEST_CASE("the builder keeps to the room there is") {
    shared_secret key = key_of("s");
    packet_builder builder(packet_code::access_request, 1);
    CHECK(code_of(builder.add(attribute_type::user_name, "")) == errc::empty_value);
    CHECK(code_of(builder.add(attribute_type::user_name, std::string(254, 'x'))) ==
          errc::value_too_long);
    CHECK(code_of(builder.add_vendor(vendor::juniper, std::uint8_t{1}, octets(248))) ==
          errc::value_too_long);
    // 20 + 18 octets so far: 15 of 255 leave 233 more.
    for (int i = 0; i < 15; ++i)
        CHECK(builder.add(attribute_type::reply_message, std::string(253, 'x')));
    CHECK(code_of(builder.add(attribute_type::reply_message, std::string(232, 'x'))) ==
          errc::packet_full);
    CHECK(code_of(builder.add_vendor(vendor::juniper, std::uint8_t{1}, octets(226))) ==
          errc::packet_full);
    CHECK(builder.add_vendor(vendor::juniper, std::uint8_t{1}, octets(225)));
    const octets whole = std::move(builder).finish(key);
    CHECK(whole.size() == longest_packet);
    CHECK(verify(parsed(whole), key, message_authenticator::required));
}

TEST_CASE("passwords of every length come back, and others are refused") {
    const shared_secret key = key_of("secret");
    const authenticator request = parsed(rfc_request).authenticator();
    for (std::size_t size = 1; size <= longest_password; ++size) {
        const std::string password(size, 'p');
        const auto hidden = hide_password(password, key, request);
        REQUIRE(hidden.has_value());
        CHECK(hidden->size() % 16 == 0);
        const auto revealed = reveal_password(*hidden, key, request);
        REQUIRE(revealed.has_value());
        CHECK(revealed->view() == password);
    }
    for (const std::string& bad : {std::string(), std::string(129, 'p'), std::string("a\0b", 3)})
        CHECK(hide_password(bad, key, request).error().code == errc::invalid_password);
    for (const std::size_t size : {0U, 15U, 17U, 144U})
        CHECK(reveal_password(octets(size), key, request).error().code ==
              errc::malformed_hidden_value);
}

TEST_CASE("values hidden with a salt come back, and others are refused") {
    const shared_secret key = key_of("secret");
    const authenticator request = parsed(rfc_request).authenticator();
    for (std::size_t size = 0; size <= 239; ++size) {
        const octets value(size, std::byte{0x5A});
        const auto hidden = hide_with_salt(value, 0x1234, key, request);
        REQUIRE(hidden.has_value());
        CHECK(load_big_endian<std::uint16_t>(*hidden) == 0x9234);
        const auto revealed = reveal_with_salt(*hidden, key, request);
        REQUIRE(revealed.has_value());
        CHECK(*revealed == value);
        for (std::size_t cut = 0; cut < hidden->size(); ++cut) {
            const auto some = reveal_with_salt(byte_view(*hidden).first(cut), key, request);
            CHECK_FALSE((some && *some == value && size > 0 && cut < 2 + 1 + size));
        }
    }
    CHECK(hide_with_salt(octets(240), 1, key, request).error().code == errc::value_too_long);
    for (const std::size_t size : {0U, 1U, 2U, 17U, 19U})
        CHECK(reveal_with_salt(octets(size), key, request).error().code ==
              errc::malformed_hidden_value);
}

TEST_CASE("a CoA-Request of FreeRADIUS' radclient verifies and yields its salt-encrypted values") {
    const octets datagram = from_hex(
        "2b4400982dd0ffbe73aa50358dd2059b61da5dbe2c0a30303030303031411a1a0000130a3a14879edd2a1a7b"
        "fefb58de61aab19a6f4266c71a1a0000130a3b148bacf79a0636e64702188f6ded750ab578ff1a1a0000130a"
        "3c14924952820a23874d134b9c3236fcf88da9a41a1a0000130a3d149e44a933ab0d91be125e6a728dfcf97e"
        "f3c450127f1a3826f17be4ecf050e277961992fe");
    shared_secret key = key_of("s3cret");
    const packet_view request = parsed(datagram);
    CHECK(request.code() == packet_code::coa_request);
    CHECK(verify(request, key, message_authenticator::required));
    CHECK(text_of(request.find(attribute_type::acct_session_id)->value) == "0000001A");
    for (const auto& [type, expected] : std::vector<std::pair<erx_attribute, std::string_view>>{
             {erx_attribute::li_action, "00000001"},
             {erx_attribute::med_dev_handle, "0011223344556677"},
             {erx_attribute::med_ip_address, "c0000209"},
             {erx_attribute::med_port_number, "00001966"}}) {
        const auto values = request.vendor_values(vendor::juniper_erx, type);
        REQUIRE(values.has_value());
        REQUIRE(values->size() == 1);
        const auto revealed = reveal_with_salt(values->front(), key, authenticator{});
        REQUIRE(revealed.has_value());
        CHECK(*revealed == from_hex(expected));
        const shared_secret other = key_of("other");
        const auto nonsense = reveal_with_salt(values->front(), other, authenticator{});
        CHECK_FALSE((nonsense && *nonsense == from_hex(expected)));
    }
}

TEST_CASE(
    "an Accounting-Request of FreeRADIUS' radclient verifies, without Message-Authenticator") {
    const octets datagram = from_hex("046a00290f6370b957e4b67d3fd57b1dc898fe662c0a30303030303031"
                                     "412806000000010105737562");
    shared_secret key = key_of("s3cret");
    const packet_view request = parsed(datagram);
    CHECK(verify(request, key, message_authenticator::optional));
    CHECK(*request.find(attribute_type::acct_status_type)->number() == 1);
    packet_builder again(packet_code::accounting_request, 0x6a, message_authenticator::optional);
    for (const attribute_view& one : request)
        CHECK(again.add(one.type, one.value));
    CHECK(std::move(again).finish(key) == datagram);
}

TEST_CASE("a secret does not stand in what it was moved from") {
    secret a("hidden");
    const secret b = std::move(a);
    CHECK(b.view() == "hidden");
    CHECK(secret(b).view() == "hidden");
    secret c("other");
    c = b;
    CHECK(c.view() == "hidden");
}

} // namespace flowtap::radius
