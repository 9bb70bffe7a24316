// SPDX-License-Identifier: Apache-2.0
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/config/secret.hpp>

using namespace flowtap;
using namespace flowtap::config;

TEST_CASE("obscured secrets are revealed") {
    // An example that public tools for the scheme agree on.
    CHECK(reveal_secret("$9$LbHX-wg4Z").value_or("") == "lc");
    CHECK(reveal_secret("in clear").value_or("") == "in clear");
    CHECK(reveal_secret("$8$x").value_or("") == "$8$x");
    CHECK(is_obscured("$9$LbHX-wg4Z"));
    CHECK_FALSE(is_obscured("9$"));
}

TEST_CASE("a secret that was obscured is revealed again, whatever the salt") {
    std::mt19937 random(11);
    for (int round = 0; round < 2000; ++round) {
        INFO("seed 11, round ", round);
        std::string secret;
        for (std::size_t length = random() % 30; length > 0; --length)
            secret += static_cast<char>(random() % 256);
        std::vector<std::byte> salt(random() % 6);
        for (auto& octet : salt)
            octet = static_cast<std::byte>(random() % 256);
        const std::string obscured = obscure_secret(secret, salt);
        CHECK(is_obscured(obscured));
        const auto revealed = reveal_secret(obscured);
        REQUIRE(revealed.has_value());
        CHECK(*revealed == secret);
    }
}

TEST_CASE("what cannot be an obscured secret is refused without repeating it") {
    const std::string good = obscure_secret("correct horse", {});
    for (const std::string& text :
         {std::string("$9$"), std::string("$9$!"), std::string("$9$Q"), std::string("$9$LbHX-wg4"),
          std::string("$9$LbHX-wg4!"), good.substr(0, good.size() - 1), good + "Q"}) {
        CAPTURE(text);
        const auto revealed = reveal_secret(text);
        REQUIRE_FALSE(revealed.has_value());
        CHECK(revealed.error().code == config::errc::invalid_secret);
        CHECK(revealed.error().subject.empty());
    }
}
