// SPDX-License-Identifier: Apache-2.0
#include <flowtap/subscriber/pool.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace flowtap;
using namespace flowtap::subscriber;

namespace {

std::vector<pool_member> members(std::initializer_list<const char*> names) {
    std::vector<pool_member> made;
    for (const char* name : names) {
        made.emplace_back();
        made.back().name = name;
    }
    return made;
}

/// How many sessions each member has.
std::vector<std::size_t> counts(const pool& of) {
    std::vector<std::size_t> made;
    for (std::size_t i = 0; i < of.size(); ++i)
        made.push_back(of.sessions(i));
    return made;
}

bool is_even(const std::vector<std::size_t>& numbers) {
    const auto [least, most] = std::minmax_element(numbers.begin(), numbers.end());
    return *most - *least <= 1;
}

void fill(pool& into, std::uint32_t from, std::uint32_t to) {
    for (std::uint32_t i = from; i < to; ++i)
        into.insert(session_ref{i});
}

} // namespace

TEST_CASE("sessions are spread equally over the members of a pool") {
    pool all;
    CHECK(all.assign(members({"a", "b", "c", "d"})).empty());
    for (std::uint32_t i = 0; i < 2048; ++i) {
        CHECK(all.insert(session_ref{i}).has_value());
        CHECK(is_even(counts(all)));
    }
    CHECK(counts(all) == std::vector<std::size_t>{512, 512, 512, 512});
}

TEST_CASE(
    "a member that fails or is deleted hands its sessions to the others, and no others move") {
    for (const bool by_failing : {true, false}) {
        CAPTURE(by_failing);
        pool all;
        all.assign(members({"a", "b", "c", "d"}));
        fill(all, 0, 2048);
        const std::size_t lost = by_failing ? 512U : all.sessions(1);
        const auto moves = by_failing ? all.fail("b") : all.assign(members({"a", "c", "d"}));
        CHECK(moves.size() == lost);
        for (const pool_move& one : moves) {
            REQUIRE(one.member.has_value());
            CHECK(all.at(*one.member).name != "b");
            CHECK(all.member_of(one.session) == one.member);
        }
        std::vector<std::size_t> now = counts(all);
        std::erase(now, 0U);
        CHECK(now.size() == 3);
        CHECK(is_even(now));
    }
}

TEST_CASE("a new member takes new sessions, and those of one that fails then") {
    pool all;
    all.assign(members({"a", "b"}));
    fill(all, 0, 8);
    CHECK(all.assign(members({"a", "b", "c"})).empty());
    CHECK(counts(all) == std::vector<std::size_t>{4, 4, 0});
    fill(all, 8, 12);
    CHECK(counts(all) == std::vector<std::size_t>{4, 4, 4});
    all.assign(members({"a", "b", "c", "d"}));
    const auto moves = all.fail("a");
    CHECK(moves.size() == 4);
    CHECK(counts(all) == std::vector<std::size_t>{0, 4, 4, 4});
}

TEST_CASE("sessions without a member wait for one") {
    pool all;
    CHECK_FALSE(all.insert(session_ref{0}));
    all.assign(members({"a"}));
    CHECK(all.member_of(session_ref{0}) == 0U);
    const auto lost = all.fail("a");
    CHECK(lost == std::vector<pool_move>{{session_ref{0}, std::nullopt}});
    CHECK_FALSE(all.insert(session_ref{1}));
    CHECK(all.sessions_without() == 2);
    CHECK_FALSE(all.member_of(session_ref{1}));
    CHECK(all.fail("a").empty());
    CHECK(all.recover("a").size() == 2);
    CHECK(all.recover("a").empty());
    CHECK(all.sessions(0) == 2);
    all.erase(session_ref{0});
    all.erase(session_ref{1});
    CHECK(counts(all) == std::vector<std::size_t>{0});
    CHECK(all.fail("of another name").empty());
}

TEST_CASE("a member that failed is failed under a new configuration, too") {
    pool all;
    all.assign(members({"a", "b"}));
    all.fail("a");
    all.assign(members({"b", "a"}));
    CHECK_FALSE(all.is_usable(1));
    CHECK(all.insert(session_ref{0}) == 0U);
}
