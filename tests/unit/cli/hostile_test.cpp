// SPDX-License-Identifier: Apache-2.0
//
// Lines that nobody means.
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/config/schema.hpp>

#include "rig.hpp"

using namespace flowtap;
using namespace flowtap::cli;
using namespace std::string_view_literals;

namespace {

const std::vector<std::string_view> good_lines = {
    "show configuration services flow-tap | display set | match \"inet\"",
    "set system login user bob authentication encrypted-password \"$6$a$b\"",
    "set services flow-tap udp listen 127.0.0.1 port [ 2101 2102 ]",
    "delete services flow-tap control-source md1 dtcp-key",
    "compare rollback 0 | no-more",
    "commit check",
};

/// Octets that lines are read by, and some of every other kind.
constexpr std::string_view octets = "\0\t\n\r\x1b !\"#$'*-./0:;?[\\]a{|}\x7f\x80\xff"sv;

} // namespace

TEST_CASE("an octet of every kind anywhere in a line is answered, and nothing is put in force") {
    rig one("all");
    one.run("configure");
    for (const std::string_view line : good_lines)
        for (std::size_t at = 0; at <= line.size(); ++at)
            for (std::size_t which = 0; which < octets.size(); ++which) {
                std::string bad(line);
                bad.insert(at, 1, octets[which]);
                one.session.complete(bad);
                // Another one at each place.
                if (which % 5 == at % 5)
                    one.session.run(bad);
            }
    CHECK(one.around.committers.empty());
    CHECK_FALSE(one.session.is_over());
}

TEST_CASE("every beginning of a line can be completed, and every line that is completed is read") {
    rig one("all");
    one.run("configure");
    for (const std::string_view line : good_lines)
        for (std::size_t length = 0; length <= line.size(); ++length) {
            const std::string start(line.substr(0, length));
            CAPTURE(start);
            const completion found = one.session.complete(start);
            if (!found.rest.empty())
                CHECK(one.session.complete(start + found.rest).error == "");
        }
}

TEST_CASE("words of the language in any order neither crash nor get into what is in force") {
    const unsigned seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::vector<std::string> words = {
        "|",     "[",       "]",       "\"",     "0",    "1",         "rollback", "commit",
        "check", "bob",     "set",     "delete", "show", "edit",      "up",       "compare",
        "?",     "\"a b\"", "display", "match",  "x",    "192.0.2.1", "ge-0/0/0"};
    for (const config::schema_row& row : config::schema())
        if (!keyword_of(row).empty())
            words.emplace_back(keyword_of(row));
    rig one("all");
    one.run("configure");
    for (int turn = 0; turn < 700; ++turn) {
        std::string line = turn % 2 == 0 ? "set" : "";
        for (unsigned count = random() % 8; count > 0; --count)
            line += ' ' + words[random() % words.size()];
        CAPTURE(line);
        if (line.find("commit") != std::string::npos)
            continue;
        one.session.complete(line);
        const reply done = one.session.run(line);
        CHECK(done.error.size() < 4096);
        const std::string now = one.run("top") + one.run("show");
        CHECK(config::parse_tree(now).errors.empty());
    }
    CHECK(one.around.committers.empty());
}

TEST_CASE("deep and long lines are read in bounded time") {
    rig one("all");
    one.run("configure");
    std::string deep = "set snmp";
    for (int level = 0; level < 2000; ++level)
        deep += " a";
    CHECK(one.run(deep) == "");
    CHECK(one.run("delete snmp") == "");
    CHECK(one.run("set protocols " + std::string(8000, 'x')) == "");
    CHECK(one.run("set interfaces " + std::string(8000, '[')).size() < 4096);
}
