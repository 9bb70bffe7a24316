// SPDX-License-Identifier: Apache-2.0
#include <flowtap/transport/authenticator.hpp>

#include <array>
#include <cstddef>
#include <string>

#include <doctest/doctest.h>

using namespace flowtap;
using namespace flowtap::transport;

namespace {

constexpr const char* key_line =
    "ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh"
    "8g lea1@lab";

permission::login_directory make_logins() {
    permission::login_directory logins;
    logins.insert(permission::login_class{"tappers", {permission::bit::flow_tap_operation}});
    const std::array<std::byte, 16> salt{};
    for (const std::string name : {"lea1", "nobody"}) {
        permission::user one{name, name == "lea1" ? "tappers" : "unauthorized"};
        one.password_hash = permission::hash_password("secret", "$6$", salt).value();
        one.keys.push_back(permission::parse_public_key(key_line).value());
        logins.insert(std::move(one));
    }
    return logins;
}

login_attempt attempt(std::string user) {
    return {std::move(user), {ip_address::v4(0xC0000207), 50000}, 0, {}};
}

} // namespace

TEST_CASE("a user with the right password gets an identity with its permissions and peer") {
    local_authenticator users(make_logins());
    const auto who = users.check_password(attempt("lea1"), "secret");
    REQUIRE(who.has_value());
    CHECK(who->name == "lea1");
    CHECK(who->permissions.grants(permission::bit::flow_tap_operation));
    CHECK(who->peer == endpoint{ip_address::v4(0xC0000207), 50000});
}

TEST_CASE("a wrong password, an unknown user and a user without permission are refused") {
    local_authenticator users(make_logins());
    CHECK_FALSE(users.check_password(attempt("lea1"), "Secret").has_value());
    CHECK_FALSE(users.check_password(attempt("lea1"), "").has_value());
    CHECK_FALSE(users.check_password(attempt("lea2"), "secret").has_value());
    CHECK_FALSE(users.check_password(attempt("nobody"), "secret").has_value());
}

TEST_CASE("a key counts for the users that have it and may log in") {
    local_authenticator users(make_logins());
    const auto key = permission::parse_public_key(key_line).value();
    auto other = key;
    other.blob.back() ^= std::byte{1};
    CHECK(users.accepts_key(attempt("lea1"), key));
    CHECK(users.check_key(attempt("lea1"), key).has_value());
    CHECK_FALSE(users.accepts_key(attempt("lea1"), other));
    CHECK_FALSE(users.check_key(attempt("lea1"), other).has_value());
    CHECK_FALSE(users.accepts_key(attempt("lea2"), key));
    CHECK_FALSE(users.accepts_key(attempt("nobody"), key));
    CHECK_FALSE(users.check_key(attempt("nobody"), key).has_value());
}

TEST_CASE("users are replaced as a whole") {
    local_authenticator users(make_logins());
    users.replace({});
    CHECK_FALSE(users.check_password(attempt("lea1"), "secret").has_value());
}
