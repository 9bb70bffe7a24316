// SPDX-License-Identifier: Apache-2.0
#include <flowtap/transport/ordered_authenticator.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using namespace flowtap;
using namespace flowtap::transport;
using permission::bit;
using enum transport::login_method;

namespace {

constexpr const char* key_line =
    "ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh"
    "8g lea1@lab";

/// Answers as it is told, and remembers whom it was asked about.
struct told_authority final : remote_authority {
    remote_answer ask(const login_attempt& attempt, std::string_view password) override {
        asked.push_back(attempt.user + " " + std::string(password));
        return answer;
    }

    remote_answer answer = remote_rejection{};
    std::vector<std::string> asked;
};

permission::login_directory make_logins() {
    permission::login_directory logins;
    logins.insert(permission::login_class{"tappers", {bit::flow_tap_operation}});
    logins.insert(permission::login_class{"viewers", {bit::flow_tap}});
    const std::array<std::byte, 16> salt{};
    for (const auto& [name, its_class] : std::vector<std::pair<std::string, std::string>>{
             {"lea1", "tappers"}, {"template", "viewers"}, {"poor", "read-only"}}) {
        permission::user one{name, its_class};
        one.password_hash = permission::hash_password("local", "$6$", salt).value();
        one.keys.push_back(permission::parse_public_key(key_line).value());
        logins.insert(std::move(one));
    }
    return logins;
}

login_attempt attempt(std::string user) {
    return {std::move(user), {ip_address::v4(0xC0000207), 50000}, 0, {}};
}

/// An authenticator with an authority that is told what to answer.
struct rig {
    explicit rig(std::vector<login_method> order, remote_answer answer = remote_rejection{})
        : users({make_logins(), std::move(order), remote},
                [this](const remote_login& one) { accepted.push_back(one); }) {
        remote->answer = std::move(answer);
    }

    /// Who comes in: the permissions, or "refused".
    std::string log_in(const std::string& name, std::string_view password) {
        const auto who = users.check_password(attempt(name), password);
        return who ? to_string(who->permissions) : "refused";
    }

    std::shared_ptr<told_authority> remote = std::make_shared<told_authority>();
    std::vector<remote_login> accepted;
    ordered_authenticator users;
};

} // namespace

TEST_CASE("the first method that accepts decides, and a rejection goes on to the next one") {
    struct {
        std::vector<login_method> order;
        remote_answer answer;
        std::string name;
        std::string_view password;
        std::string comes_in;
        std::size_t asked;
    } const cases[] = {
        {{password}, remote_rejection{}, "lea1", "local", "[flow-tap-operation]", 0},
        {{password}, remote_acceptance{"flow-tap", ""}, "bob", "far", "refused", 0},
        {{remote, password}, remote_rejection{}, "lea1", "local", "[flow-tap-operation]", 1},
        {{remote, password}, remote_silence{}, "lea1", "local", "[flow-tap-operation]", 1},
        {{remote, password}, remote_rejection{}, "lea1", "wrong", "refused", 1},
        {{remote, password},
         remote_acceptance{"view", ""},
         "lea1",
         "far",
         "[view flow-tap-operation]",
         1},
        {{remote}, remote_rejection{}, "lea1", "local", "refused", 1},
        {{remote}, remote_silence{}, "lea1", "local", "[flow-tap-operation]", 1},
        {{remote}, remote_silence{}, "lea1", "wrong", "refused", 1},
        {{password, remote}, remote_rejection{}, "lea1", "local", "[flow-tap-operation]", 0},
        {{password, remote},
         remote_acceptance{"view", ""},
         "lea1",
         "far",
         "[view flow-tap-operation]",
         1},
        {{password, remote}, remote_rejection{}, "lea1", "wrong", "refused", 1},
        // A right local password decides, whatever it is worth.
        {{password, remote}, remote_acceptance{"flow-tap", ""}, "poor", "local", "refused", 0},
    };
    for (const auto& each : cases) {
        rig at(each.order, each.answer);
        CAPTURE(each.name);
        CAPTURE(each.password);
        CHECK(at.log_in(each.name, each.password) == each.comes_in);
        CHECK(at.remote->asked.size() == each.asked);
    }
}

TEST_CASE("a user whom only the remote authority knows can tap, with the class of a template") {
    rig at({remote}, remote_acceptance{"flow-tap-operation", "template"});
    CHECK(at.log_in("bob", "far") == "[flow-tap-operation flow-tap]");
    CHECK(at.remote->asked == std::vector<std::string>{"bob far"});
    REQUIRE(at.accepted.size() == 1);
    CHECK(at.accepted[0].who.name == "bob");
    CHECK(at.accepted[0].who.from == permission::origin::radius);
    CHECK(at.accepted[0].granted.local_user == "template");
}

TEST_CASE("a login that is accepted remotely without permission is told of, and refused") {
    rig at({remote, password}, remote_acceptance{"view", ""});
    CHECK(at.log_in("bob", "far") == "refused");
    REQUIRE(at.accepted.size() == 1);
    CHECK(to_string(at.accepted[0].who.permissions) == "[view]");
}

TEST_CASE("a key gives what the class of its user gives, and nobody is asked") {
    rig at({remote}, remote_acceptance{"flow-tap-control", ""});
    const auto key = permission::parse_public_key(key_line).value();
    CHECK(at.users.accepts_key(attempt("lea1"), key));
    const auto who = at.users.check_key(attempt("lea1"), key);
    REQUIRE(who.has_value());
    CHECK(to_string(who->permissions) == "[flow-tap-operation]");
    CHECK_FALSE(at.users.check_key(attempt("poor"), key).has_value());
    CHECK_FALSE(at.users.check_key(attempt("bob"), key).has_value());
    CHECK(at.remote->asked.empty());
}

TEST_CASE("names that cannot be those of control sources are not asked about") {
    rig at({remote}, remote_acceptance{"flow-tap-operation", ""});
    for (const std::string& name :
         {std::string(), std::string("b ob"), std::string("b\tob"), std::string("b\xC3\xB6"),
          std::string("b\x7F"), std::string(254, 'b')})
        CHECK(at.log_in(name, "far") == "refused");
    CHECK(at.remote->asked.empty());
    CHECK(at.log_in(std::string(253, '~'), "far") == "[flow-tap-operation]");
}

TEST_CASE("without an authority the configuration's passwords are tried") {
    ordered_authenticator users({make_logins(), {remote}, nullptr});
    CHECK(users.check_password(attempt("lea1"), "local").has_value());
    CHECK_FALSE(users.check_password(attempt("lea1"), "far").has_value());
}

TEST_CASE("rules are replaced as a whole") {
    rig at({password});
    at.users.replace({{}, {remote}, at.remote});
    CHECK(at.log_in("lea1", "local") == "refused");
    CHECK(at.remote->asked.size() == 1);
}
