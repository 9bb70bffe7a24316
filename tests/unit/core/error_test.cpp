// SPDX-License-Identifier: Apache-2.0
#include <flowtap/core/error.hpp>

#include <ostream>
#include <set>
#include <string>

#include <doctest/doctest.h>

using namespace flowtap;

TEST_CASE("every code has one sentence of its own") {
    std::set<std::string> sentences;
    for (int code = static_cast<int>(errc::truncated);
         code <= static_cast<int>(errc::mixed_families); ++code) {
        const std::string sentence = make_error_code(static_cast<errc>(code)).message();
        CHECK(sentence != "unknown error");
        CHECK_MESSAGE(sentences.insert(sentence).second, sentence);
    }
    CHECK(make_error_code(static_cast<errc>(12345)).message() == "unknown error");
}

TEST_CASE("the category is named and is the only one of its kind") {
    CHECK(std::string(core_category().name()) == "flowtap");
    CHECK(&core_category() == &make_error_code(errc::truncated).category());
    CHECK(std::error_code(errc::truncated) != std::make_error_code(std::errc::invalid_argument));
}

TEST_CASE("an error is shown with what is known of it") {
    const auto code = make_error_code(errc::invalid_address);
    const std::string sentence = code.message();
    CHECK(error(code).message() == sentence);
    CHECK(error(code, "10.0.0.256").message() == sentence + ": \"10.0.0.256\"");
    CHECK(error(code, {3, 14}, "x").message() == "3:14: " + sentence + ": \"x\"");
    CHECK(error(code, {3, 0}, "").message() == "3: " + sentence);
}

TEST_CASE("what is shown of the input cannot disturb a terminal or a log") {
    CHECK(escape_text("plain text: 1,2") == "plain text: 1,2");
    CHECK(escape_text("a\\b\"c") == "a\\092b\\034c");
    CHECK(escape_text(std::string("\0\x1b\n\x7f\xff", 5)) == "\\000\\027\\010\\127\\255");
    CHECK(escape_text("") == "");
    CHECK(error(make_error_code(errc::truncated), "\x1b[2J").message() ==
          make_error_code(errc::truncated).message() + ": \"\\027[2J\"");
}
