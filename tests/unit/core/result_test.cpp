// SPDX-License-Identifier: Apache-2.0
#include <flowtap/core/result.hpp>

#include <memory>
#include <ostream>
#include <string>

#include <doctest/doctest.h>

using namespace flowtap;

namespace {

result<int> half_of(int number) {
    if (number % 2 != 0)
        return fail(errc::out_of_range, std::to_string(number));
    return number / 2;
}

result<std::string> half_as_text(int number) {
    const auto half = half_of(number);
    if (!half)
        return fail(half.error());
    return std::to_string(*half);
}

result<void> must_be_even(int number) {
    if (number % 2 != 0)
        return fail(errc::out_of_range);
    return {};
}

} // namespace

TEST_CASE("a success has its value") {
    const auto half = half_of(8);
    REQUIRE(half);
    CHECK(half.has_value());
    CHECK(*half == 4);
    CHECK(half.value() == 4);
    CHECK(half.value_or(9) == 4);
}

TEST_CASE("a failure has its error and passes it on") {
    const auto half = half_as_text(7);
    REQUIRE_FALSE(half);
    CHECK(half.error().code == errc::out_of_range);
    CHECK(half.error().subject == "7");
    CHECK(half.value_or("none") == "none");
    CHECK(*half_as_text(6) == "3");
}

TEST_CASE("a result without a value tells success from failure") {
    CHECK(must_be_even(2));
    const auto odd = must_be_even(3);
    REQUIRE_FALSE(odd);
    CHECK(odd.error().code == errc::out_of_range);
}

TEST_CASE("values that can only be moved are moved") {
    result<std::unique_ptr<int>> made = std::make_unique<int>(5);
    REQUIRE(made);
    CHECK(**made == 5);
    const std::unique_ptr<int> taken = std::move(made).value();
    CHECK(*taken == 5);
    CHECK(*made == nullptr);
}

TEST_CASE("members of the value are at hand and can be changed") {
    result<std::string> text("abc");
    CHECK(text->size() == 3);
    *text += 'd';
    text.value() += 'e';
    CHECK(*text == "abcde");
}

TEST_CASE("a result can hold the same type as value and as error") {
    const result<std::string, std::string> good("value");
    const result<std::string, std::string> bad(unexpected<std::string>("reason"));
    CHECK(*good == "value");
    CHECK_FALSE(bad);
    CHECK(bad.error() == "reason");
}
