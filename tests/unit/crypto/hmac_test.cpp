// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/crypto/hmac.hpp>

#include "hexadecimal.hpp"

using namespace flowtap;

namespace {

struct rfc_vector {
    std::string sha1_key;
    std::string md5_key;
    std::string data;
    std::string sha1;
    std::string md5;
};

std::string counting_key() {
    std::string key;
    for (char octet = 1; octet <= 25; ++octet)
        key += octet;
    return key;
}

// RFC 2202, sections 2 and 3.
std::vector<rfc_vector> rfc_2202() {
    const std::string counting = counting_key();
    return {
        {std::string(20, '\x0b'), std::string(16, '\x0b'), "Hi There",
         "b617318655057264e28bc0b6fb378c8ef146be00", "9294727a3638bb1c13f48ef8158bfc9d"},
        {"Jefe", "Jefe", "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
         "750c783e6ab0b503eaa86e310a5db738"},
        {std::string(20, '\xaa'), std::string(16, '\xaa'), std::string(50, '\xdd'),
         "125d7342b9ac11cd91a39af48aa17b4f63f175d3", "56be34521d144c88dbb8c733f0e8b3f6"},
        {counting, counting, std::string(50, '\xcd'), "4c9007f4026250c6bc8414f9bf50c86c2d7235da",
         "697eaf0aca3a3aea3a75164746ffaa79"},
        {std::string(20, '\x0c'), std::string(16, '\x0c'), "Test With Truncation",
         "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04", "56461ef2342edc00f9bab995690efd4c"},
        {std::string(80, '\xaa'), std::string(80, '\xaa'),
         "Test Using Larger Than Block-Size Key - Hash Key First",
         "aa4ae5e15272d00e95705637ce8a3b55ed402112", "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"},
        {std::string(80, '\xaa'), std::string(80, '\xaa'),
         "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
         "e8e99d0f45237d786d6bbaa7965c7808bbff1a91", "6f630fad67cda0ee1fb1f562db3aa53e"},
    };
}

} // namespace

TEST_CASE("the HMACs of RFC 2202 come out") {
    for (const rfc_vector& vector : rfc_2202()) {
        CAPTURE(vector.data);
        crypto::hmac_sha1 sha1(vector.sha1_key);
        sha1.update(as_byte_view(vector.data));
        CHECK(hexadecimal(sha1.finish()) == vector.sha1);
        crypto::hmac_md5 md5(vector.md5_key);
        md5.update(as_byte_view(vector.data));
        CHECK(hexadecimal(md5.finish()) == vector.md5);
    }
}

TEST_CASE("octets may come in pieces, and a hash is as good as new after reset") {
    for (const rfc_vector& vector : rfc_2202()) {
        crypto::hmac_sha1 hash(vector.sha1_key);
        for (std::size_t split = 0; split <= vector.data.size(); ++split) {
            hash.reset();
            hash.update(as_byte_view(vector.data).first(split));
            hash.update(as_byte_view(vector.data).subspan(split));
            REQUIRE(hexadecimal(hash.finish()) == vector.sha1);
        }
    }
}

TEST_CASE("a computation that was not finished leaves nothing behind") {
    crypto::hmac_sha1 hash("Jefe");
    hash.update(as_byte_view("something else"));
    hash.reset();
    hash.update(as_byte_view("what do ya want for nothing?"));
    CHECK(hexadecimal(hash.finish()) == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

TEST_CASE("the empty key and the empty message have an HMAC") {
    crypto::hmac_sha1 hash("");
    CHECK(hexadecimal(hash.finish()) == "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
    crypto::hmac_sha1 null_key{std::string_view()};
    null_key.update({});
    CHECK(hexadecimal(null_key.finish()) == "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
    null_key.reset();
    CHECK(hexadecimal(null_key.finish()) == "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
}

TEST_CASE(
    "the HMACs with SHA-256 of RFC 4231 come out, under a key of their own or under a new one") {
    struct vector_of_4231 {
        std::string key;
        std::string data;
        std::string expected;
    };
    const std::vector<vector_of_4231> table = {
        {std::string(20, '\x0b'), "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {std::string(20, '\xaa'), std::string(50, '\xdd'),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {counting_key(), std::string(50, '\xcd'),
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    crypto::hmac_sha256 rekeyed("another key");
    for (const vector_of_4231& vector : table) {
        CAPTURE(vector.data);
        crypto::hmac_sha256 own(vector.key);
        own.update(as_byte_view(vector.data));
        CHECK(hexadecimal(own.finish()) == vector.expected);
        rekeyed.update(as_byte_view("left unfinished"));
        rekeyed.reset(vector.key);
        rekeyed.update(as_byte_view(vector.data));
        CHECK(hexadecimal(rekeyed.finish()) == vector.expected);
        rekeyed.reset();
        rekeyed.update(as_byte_view(vector.data));
        CHECK(hexadecimal(rekeyed.finish()) == vector.expected);
    }
    rekeyed.reset("");
    crypto::hmac_sha256 empty("");
    CHECK(empty.finish() == rekeyed.finish());
}
