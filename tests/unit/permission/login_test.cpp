// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include <flowtap/permission/login.hpp>

using namespace flowtap;
using namespace flowtap::permission;

namespace {

/// Of the password lab123; 1000 rounds, so that tests are quick.
const std::string lab_hash =
    "$6$rounds=1000$short$JRLh8UfldrpvWCY5BxTnfsYmUJDdpN07RvNFJ1goGHS81Dq0OAM0OUFUlf330b0Qnpy9maLwB"
    "/QX5LFgiyGFj0";
const std::string lab_key =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKms3ceru/mE6XMypMHSwj5JXrJoLwF1iJk6Ad3N0nks md1@lab";

login_directory lab() {
    login_directory logins;
    logins.insert(login_class{"ft-class", {bit::flow_tap_operation}});
    logins.insert(login_class{"admins", {bit::admin, bit::system}});
    logins.insert(user{"ft-user1", "ft-class", 2000, lab_hash, {*parse_public_key(lab_key)}});
    logins.insert(user{"bob", "admins", 2001, "*"});
    logins.insert(user{"lost", "no-such-class", 2002, lab_hash});
    return logins;
}

} // namespace

TEST_CASE("the predefined classes are those of Junos") {
    const login_directory logins;
    REQUIRE(logins.find_class("super-user") != nullptr);
    CHECK(to_string(logins.find_class("super-user")->permissions) == "[all]");
    CHECK(to_string(logins.find_class("operator")->permissions) ==
          "[clear network reset trace view]");
    CHECK(to_string(logins.find_class("read-only")->permissions) == "[view]");
    CHECK(to_string(logins.find_class("unauthorized")->permissions) == "[]");
    CHECK(logins.find_class("ft-class") == nullptr);
}

TEST_CASE("users and classes are found by name and replaced by name") {
    auto logins = lab();
    REQUIRE(logins.find_user("ft-user1") != nullptr);
    CHECK(logins.find_user("ft-user1")->uid == 2000);
    CHECK(logins.find_user("ft-user") == nullptr);
    CHECK(logins.users().size() == 3);
    CHECK(to_string(logins.permissions_of("bob")) == "[admin system]");
    CHECK(logins.permissions_of("lost").empty());
    CHECK(logins.permissions_of("nobody").empty());

    logins.insert(user{"bob", "read-only"});
    CHECK(logins.users().size() == 3);
    CHECK(to_string(logins.permissions_of("bob")) == "[view]");
    CHECK_FALSE(logins == lab());
}

TEST_CASE("a password logs its user in with the permissions of the class") {
    const auto logins = lab();
    const password_checker checker(logins.typical_hash());
    const endpoint peer{ip_address::v4(0xC0000207), 4711};

    const auto who = authenticate_password(logins, checker, "ft-user1", "lab123", peer);
    REQUIRE(who.has_value());
    CHECK(*who == principal{"ft-user1", {bit::flow_tap_operation}, origin::local, peer});

    CHECK_FALSE(authenticate_password(logins, checker, "ft-user1", "lab124").has_value());
    CHECK_FALSE(authenticate_password(logins, checker, "bob", "lab123").has_value());
    CHECK_FALSE(authenticate_password(logins, checker, "bob", "*").has_value());
    CHECK_FALSE(authenticate_password(logins, checker, "nobody", "").has_value());
    CHECK(checker.computations() == 5);

    const auto lost = authenticate_password(logins, checker, "lost", "lab123");
    REQUIRE(lost.has_value());
    CHECK(lost->permissions.empty());
}

TEST_CASE("a public key logs in the user it is listed for") {
    const auto logins = lab();
    const auto key = *parse_public_key(lab_key);
    CHECK(authenticate_key(logins, "ft-user1", key).has_value());
    CHECK_FALSE(authenticate_key(logins, "bob", key).has_value());
    CHECK_FALSE(authenticate_key(logins, "nobody", key).has_value());
    auto other = key;
    other.blob.back() ^= std::byte{1};
    CHECK_FALSE(authenticate_key(logins, "ft-user1", other).has_value());
}

TEST_CASE("a user of RADIUS gets its words and those of the template user's class") {
    auto logins = lab();
    const auto words = [&](const char* name, const char* radius, const char* local) {
        const auto who = radius_principal(logins, name, radius, local);
        CHECK(who.name == name);
        CHECK(who.from == origin::radius);
        return to_string(who.permissions);
    };
    CHECK(words("bob", "flow-tap-operation configure", "") ==
          "[flow-tap-operation configure admin system]");
    CHECK(words("alice", "flow-tap-operation", "") == "[flow-tap-operation]");
    CHECK(words("alice", "flow-tap-operation", "bob") == "[flow-tap-operation admin system]");
    CHECK(words("bob", "view", "nobody") == "[view]");

    logins.insert(user{std::string(remote_template_user), "read-only"});
    CHECK(words("alice", "flow-tap-operation", "") == "[flow-tap-operation view]");
    CHECK(words("bob", "flow-tap", "") == "[flow-tap admin system]");
}

TEST_CASE("how long a session may be idle is its class's to say, also of a template") {
    auto logins = lab();
    logins.insert(login_class{"admins", {bit::admin}, std::chrono::minutes(15)});
    logins.insert(user{"ann", "admins", 2003, "*", {*parse_public_key(lab_key)}});
    CHECK(authenticate_key(logins, "ann", *parse_public_key(lab_key))->idle_timeout ==
          std::chrono::minutes(15));
    CHECK(radius_principal(logins, "ann", "view", "").idle_timeout == std::chrono::minutes(15));
    CHECK(radius_principal(logins, "carl", "view", "bob").idle_timeout == std::chrono::minutes(15));
    CHECK(radius_principal(logins, "carl", "view", "").idle_timeout == std::chrono::minutes(0));
}

TEST_CASE("the typical hash is one of the scheme most users have") {
    login_directory logins;
    CHECK(logins.typical_hash().empty());
    logins.insert(user{"a", "read-only", 1, "*"});
    CHECK(logins.typical_hash().empty());
    logins.insert(
        user{"b", "read-only", 2, "$5$saltstring$8ZEw3f.oZIwWsIprQsaJ7bfNOKDAxyJULe9M1wJkNlC"});
    CHECK(logins.typical_hash().starts_with("$5$"));
    logins.insert(user{"c", "read-only", 3, lab_hash});
    logins.insert(user{"d", "read-only", 4, lab_hash});
    CHECK(logins.typical_hash() == lab_hash);
}
