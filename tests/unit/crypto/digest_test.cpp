// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>

#include <doctest/doctest.h>

#include <flowtap/crypto/digest.hpp>

#include "hexadecimal.hpp"

using namespace flowtap;

TEST_CASE("MD5 and SHA-256 of their specifications come out, in one piece or in several") {
    CHECK(hexadecimal(crypto::md5({})) == "d41d8cd98f00b204e9800998ecf8427e");
    CHECK(hexadecimal(crypto::md5({as_byte_view("abc")})) == "900150983cd24fb0d6963f7d28e17f72");
    CHECK(hexadecimal(crypto::md5({as_byte_view("message"), as_byte_view(" digest")})) ==
          "f96b697d7cb7938d525a2f31aaf161d0");
    CHECK(hexadecimal(crypto::sha256({as_byte_view("a"), as_byte_view("bc")})) ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("the comparison tells what is the same from what is not") {
    const std::string secret = "0123456789abcdef";
    CHECK(crypto::equal_in_constant_time(as_byte_view(secret), as_byte_view(secret)));
    CHECK(crypto::equal_in_constant_time({}, {}));
    CHECK_FALSE(
        crypto::equal_in_constant_time(as_byte_view(secret), as_byte_view(secret).first(15)));
    for (std::size_t position = 0; position < secret.size(); ++position) {
        std::string other = secret;
        other[position] ^= 1;
        CHECK_FALSE(crypto::equal_in_constant_time(as_byte_view(secret), as_byte_view(other)));
    }
}

TEST_CASE("random octets differ, and a wiped secret is zero") {
    std::array<std::byte, 32> a{};
    std::array<std::byte, 32> b{};
    crypto::fill_random(a);
    crypto::fill_random(b);
    CHECK(a != b);
    crypto::wipe(a);
    CHECK(a == std::array<std::byte, 32>{});
}
