// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/core/bytes.hpp>
#include <flowtap/permission/password.hpp>

using namespace flowtap::permission;

namespace {

/// Made with crypt(3) by other programs (openssl passwd, perl). The password is lab123 but for the
/// first one, whose is `Hello world!`.
const char* const sha512 =
    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS"
    "35inz1";
const char* const sha512_short =
    "$6$rounds=1000$short$JRLh8UfldrpvWCY5BxTnfsYmUJDdpN07RvNFJ1goGHS81Dq0OAM0OUFUlf330b0Qnpy9maLwB"
    "/QX5LFgiyGFj0";
const char* const yescrypt =
    "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$VgZfvCO5.2hbTm8rA7phslWJQrRm9g8EqSbs81cWveB";
const char* const sha256 = "$5$saltstring$8ZEw3f.oZIwWsIprQsaJ7bfNOKDAxyJULe9M1wJkNlC";
const char* const bcrypt = "$2b$05$abcdefghijklmnopqrstuuhApFYk0nRaiItFBXpdMD5CVS4If.jSe";

} // namespace

TEST_CASE("the right password is accepted for each scheme and a wrong one is not") {
    const password_checker checker(sha512_short);
    CHECK(checker.check("Hello world!", sha512));
    CHECK_FALSE(checker.check("Hello world?", sha512));
    for (const char* hash : {sha512_short, yescrypt, sha256, bcrypt}) {
        CAPTURE(hash);
        CHECK(checker.check("lab123", hash));
        CHECK_FALSE(checker.check("lab124", hash));
        CHECK_FALSE(checker.check("", hash));
        CHECK_FALSE(checker.check("lab1234", hash));
    }
}

TEST_CASE("no password opens a locked, empty, malformed or weak hash") {
    const password_checker checker(sha512_short);
    const std::string good = sha512_short;
    for (const std::string& hash :
         {std::string(), std::string("*"), std::string("!"), "!" + good, "*" + good,
          std::string("lab123"), std::string("$6$..."), std::string("$6$salt$"),
          std::string("$1$saltstri$y6nHhy7yI5GuznZAmtSX20"), std::string("abJnggxhB/yWI"),
          good.substr(0, good.size() - 1), good + "0", good + "\n",
          std::string("$y$zzzz$zz$VgZfvCO5.2hbTm8rA7phslWJQrRm9g8EqSbs81cWveB"),
          std::string(5000, '$')}) {
        CAPTURE(hash);
        CHECK_FALSE(checker.check("lab123", hash));
        CHECK_FALSE(checker.check("", hash));
        CHECK_FALSE(checker.check(hash, hash));
    }
}

TEST_CASE("every check computes one hash, whoever asks for whatever reason") {
    const password_checker checker(sha512_short);
    const std::string too_long(max_password_length + 1, 'x');
    const std::string with_nul("lab123\0x", 8);
    std::uint64_t expected = 0;
    for (const char* hash :
         {sha512_short, "", "*", "!", "$6$...", "$1$saltstri$y6nHhy7yI5GuznZAmtSX20"})
        for (const std::string& password :
             {std::string("lab123"), std::string("wrong"), std::string(), too_long, with_nul}) {
            const bool right = password == "lab123" && hash == sha512_short;
            CHECK(checker.check(password, hash) == right);
            CHECK(checker.computations() == ++expected);
        }
}

TEST_CASE("an unknown user takes about as long as a known one") {
    // The dummy hash has the cost of the hash it is modelled on: with a hundred times the rounds,
    // refusing an unknown user must take clearly longer.
    const password_checker cheap("$6$rounds=1000$short$JRLh8UfldrpvWCY5BxTnfsYmUJDdpN07RvNFJ1goGHS8"
                                 "1Dq0OAM0OUFUlf330b0Qnpy9maLwB/QX5LFgiyGFj0");
    const password_checker dear("$6$rounds=100000$short$JRLh8UfldrpvWCY5BxTnfsYmUJDdpN07RvNFJ1goGHS"
                                "81Dq0OAM0OUFUlf330b0Qnpy9maLwB/QX5LFgiyGFj0");
    const auto time_of = [](const password_checker& checker) {
        const auto start = std::chrono::steady_clock::now();
        CHECK_FALSE(checker.check("lab123", ""));
        return std::chrono::steady_clock::now() - start;
    };
    auto cheapest = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 5; ++i)
        cheapest = std::min(cheapest, time_of(cheap));
    CHECK(time_of(dear) > 5 * cheapest);
}

TEST_CASE("several threads may check at a time") {
    const password_checker checker(sha512_short);
    std::vector<int> right(4, 0);
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < right.size(); ++i)
            threads.emplace_back([&checker, &accepted = right[i]] {
                for (int round = 0; round < 5; ++round)
                    accepted += checker.check("lab123", sha512_short) ? 1 : 0;
            });
    }
    CHECK(right == std::vector<int>(4, 5));
    CHECK(checker.computations() == 20);
}

TEST_CASE("usable and locked hashes are told apart by their form") {
    for (const char* hash : {sha512, sha512_short, yescrypt, sha256, bcrypt})
        CHECK(is_usable_hash(hash));
    CHECK_FALSE(is_usable_hash("$6$..."));
    CHECK_FALSE(is_usable_hash("!$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8"));
    CHECK(is_locked_hash(""));
    CHECK(is_locked_hash("*"));
    CHECK(is_locked_hash(std::string("!") + sha512));
    CHECK_FALSE(is_locked_hash(sha512));
    CHECK_FALSE(is_locked_hash("$6$..."));
}

TEST_CASE("a password hashed for the configuration is accepted afterwards") {
    const std::string random = "0123456789abcdef";
    const password_checker checker(sha512_short);
    for (const char* scheme : {"$6$", "$y$"}) {
        const auto hash = hash_password("lab123", scheme, flowtap::as_byte_view(random));
        REQUIRE(hash.has_value());
        CHECK(hash->starts_with(scheme));
        CHECK(is_usable_hash(*hash));
        CHECK(checker.check("lab123", *hash));
        const auto other =
            hash_password("lab123", scheme, flowtap::as_byte_view("fedcba9876543210"));
        REQUIRE(other.has_value());
        CHECK(*other != *hash);
    }
    const auto bytes = flowtap::as_byte_view(random);
    CHECK(hash_password("x", "$1$", bytes).error().code == errc::unknown_hash_scheme);
    CHECK(hash_password("x", "$6$", bytes.first(8)).error().code == errc::unknown_hash_scheme);
    CHECK(hash_password(std::string(512, 'x'), "$6$", bytes).error().code ==
          errc::password_too_long);
}
