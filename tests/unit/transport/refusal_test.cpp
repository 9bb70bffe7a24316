// SPDX-License-Identifier: Apache-2.0
// That whoever is refused learns nothing but that: the same work, and an answer at the same time.
#include "refusal_time.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/transport/ordered_authenticator.hpp>

using namespace flowtap;
using namespace flowtap::transport;
using namespace std::chrono_literals;
using permission::bit;
using enum transport::login_method;

namespace {

constexpr steady_time start{1000s};

/// A clock that goes on when somebody works: a hash and a question take their time.
struct working_clock {
    steady_time now = start;
};

/// Knows bob, who may tap, and poor, who may not; `reject` refuses everybody else at once, and
/// whom it knows only after a while, as servers do that hold a refusal back.
struct slow_authority final : remote_authority {
    explicit slow_authority(working_clock& with) : clock(with) {}

    remote_answer ask(const login_attempt& attempt, std::string_view password) override {
        clock.now += is_silent ? 1500ms : 3ms;
        if (is_silent)
            return remote_silence{};
        if (password == "far" && attempt.user == "bob")
            return remote_acceptance{"flow-tap-operation", ""};
        if (password == "far" && attempt.user == "poor")
            return remote_acceptance{"view", ""};
        clock.now += 1s;
        return remote_rejection{};
    }

    working_clock& clock;
    bool is_silent = false;
};

permission::login_directory make_logins() {
    permission::login_directory logins;
    logins.insert(permission::login_class{"tappers", {bit::flow_tap_operation}});
    const std::array<std::byte, 16> salt{};
    for (const auto& [name, its_class] : std::vector<std::pair<std::string, std::string>>{
             {"lea1", "tappers"}, {"visitor", "read-only"}, {"locked", "tappers"}}) {
        permission::user one{name, its_class};
        one.password_hash =
            name == "locked" ? "*" : permission::hash_password("near", "$6$", salt).value();
        logins.insert(std::move(one));
    }
    return logins;
}

login_limits limits() {
    login_limits made;
    made.refusal_delay = 2s;
    made.backoff_threshold = 2;
    made.backoff_factor = 5s;
    return made;
}

/// What a client sees of a login: whether it is in, and after which time it knows.
struct seen {
    bool is_in;
    std::chrono::nanoseconds after;
    std::uint64_t hashes;

    friend bool operator==(const seen&, const seen&) = default;
};

/// One login with a password, each hash of which takes `hash_time`.
seen log_in(ordered_authenticator& users, working_clock& clock, const std::string& name,
            std::string_view password, std::size_t refused = 0) {
    constexpr auto hash_time = 7ms;
    const steady_time asked = clock.now;
    const std::uint64_t before = users.hash_computations();
    const login_attempt attempt{name, {ip_address::v4(1), 1}, refused, asked + 120s};
    const bool is_in = users.check_password(attempt, password).has_value();
    const std::uint64_t hashes = users.hash_computations() - before;
    clock.now += hash_time * static_cast<std::int64_t>(hashes);
    const steady_time known = is_in ? clock.now : refusal_time(limits(), asked, clock.now, refused);
    return {is_in, known - asked, hashes};
}

} // namespace

TEST_CASE("every refusal takes one hash and comes at the same time, in every order of methods") {
    const std::vector<std::vector<login_method>> orders = {
        {password}, {remote}, {remote, password}, {password, remote}};
    const std::pair<const char*, const char*> refused[] = {
        {"nobody", "near"}, {"lea1", "wrong"},    {"lea1", ""},     {"visitor", "near"},
        {"locked", "near"}, {"visitor", "wrong"}, {"bob", "wrong"}, {"poor", "far"},
        {"b ob", "far"},    {"nobody", "far"}};
    const permission::login_directory logins = make_logins();
    for (const auto& order : orders)
        for (const auto& [name, password_given] : refused) {
            CAPTURE(order.size());
            CAPTURE(name);
            CAPTURE(password_given);
            working_clock clock;
            ordered_authenticator users({logins, order, std::make_shared<slow_authority>(clock)});
            CHECK(log_in(users, clock, name, password_given) == seen{false, 2s, 1});
        }
}

TEST_CASE("while nobody answers remotely refusals still are alike") {
    for (const auto& order : std::vector<std::vector<login_method>>{{remote}, {remote, password}}) {
        working_clock clock;
        const auto authority = std::make_shared<slow_authority>(clock);
        authority->is_silent = true;
        ordered_authenticator users({make_logins(), order, authority});
        for (const auto& [name, given] : std::vector<std::pair<std::string, std::string_view>>{
                 {"nobody", "near"}, {"lea1", "wrong"}, {"visitor", "near"}, {"bob", "far"}})
            CHECK(log_in(users, clock, name, given) == seen{false, 2s, 1});
        CHECK(log_in(users, clock, "lea1", "near").is_in);
    }
}

TEST_CASE("who is let in does not wait") {
    working_clock clock;
    ordered_authenticator users(
        {make_logins(), {remote, password}, std::make_shared<slow_authority>(clock)});
    CHECK(log_in(users, clock, "bob", "far") == seen{true, 3ms, 0});
    CHECK(log_in(users, clock, "lea1", "near") == seen{true, 1010ms, 1});
}

TEST_CASE("a refusal that takes longer to decide comes after a multiple of the delay") {
    struct {
        std::chrono::milliseconds took;
        std::chrono::milliseconds comes_after;
    } const cases[] = {{0ms, 2s},    {1ms, 2s},    {1999ms, 2s}, {2s, 2s},
                       {2001ms, 4s}, {3999ms, 4s}, {4s, 4s},     {9001ms, 10s}};
    for (const auto& [took, comes_after] : cases)
        CHECK(refusal_time(limits(), start, start + took, 0) == start + comes_after);
    login_limits at_once;
    CHECK(refusal_time(at_once, start, start + 7ms, 5) == start + 7ms);
}

TEST_CASE("refusals of one connection are held back longer and longer") {
    const std::chrono::seconds after[] = {2s, 7s, 12s, 17s};
    for (std::size_t refused = 0; refused < std::size(after); ++refused)
        CHECK(refusal_time(limits(), start, start + 7ms, refused) == start + after[refused]);
    login_limits from_the_first = limits();
    from_the_first.backoff_threshold = 1;
    CHECK(refusal_time(from_the_first, start, start, 0) == start + 7s);
    from_the_first.backoff_threshold = 3;
    CHECK(refusal_time(from_the_first, start, start, 1) == start + 2s);
    CHECK(refusal_time(from_the_first, start, start, 2) == start + 7s);
}
