// SPDX-License-Identifier: Apache-2.0
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/config/tree.hpp>

using namespace flowtap;
using namespace flowtap::config;

namespace {

tree ok(std::string_view text) {
    auto parsed = parse_tree(text);
    CAPTURE(text);
    for (const error& problem : parsed.errors)
        FAIL_CHECK(problem.message());
    return std::move(parsed.statements);
}

const char* const sample = R"(# a comment
system {
    login {                      /* another
                                    one */
        class ft-class { permissions [ flow-tap-operation view ]; }
        message "say \"hello\"\n\ttab \\ done \d";
        inactive: user old { uid 2001; }
    }
    empty { }
    radius-server { 192.0.2.10 { secret "$9$LbHX-wg4Z"; ## SECRET-DATA
    } }
}
)";

} // namespace

TEST_CASE("statements, blocks, lists, strings and comments are read") {
    const tree read = ok(sample);
    REQUIRE(read.statements.size() == 1);
    const statement& system = read.statements[0];
    REQUIRE(system.children.size() == 3);
    const statement& login = system.children[0];
    REQUIRE(login.children.size() == 3);

    const statement& permissions = login.children[0].children[0];
    CHECK(permissions.has_list);
    REQUIRE(permissions.list.size() == 2);
    CHECK(permissions.list[1].text == "view");
    CHECK(permissions.list[1].where == text_position{5, 59});

    CHECK(login.children[1].words[1].text == "say \"hello\"\n\ttab \\ done \\d");
    CHECK(login.children[1].words[1].where == text_position{6, 17});
    CHECK(login.children[2].inactive);
    CHECK(login.children[2].words[0].text == "user");
    CHECK_FALSE(login.children[1].inactive);
    CHECK(system.children[1].children.empty());

    const statement& secret = system.children[2].children[0].children[0];
    CHECK(secret.marked_secret);
    CHECK(secret.words[1].text == "$9$LbHX-wg4Z");
    CHECK_FALSE(system.children[2].marked_secret);
}

TEST_CASE("the usual form of a text is this") {
    CHECK(to_text(ok(sample)) == R"(system {
    login {
        class ft-class {
            permissions [ flow-tap-operation view ];
        }
        message "say \"hello\"\n\ttab \\ done \\d";
        inactive: user old {
            uid 2001;
        }
    }
    empty;
    radius-server {
        192.0.2.10 {
            secret "$9$LbHX-wg4Z"; ## SECRET-DATA
        }
    }
}
)");
    CHECK(to_set_commands(ok(sample)) ==
          R"(set system login class ft-class permissions flow-tap-operation
set system login class ft-class permissions view
set system login message "say \"hello\"\n\ttab \\ done \\d"
set system login user old uid 2001
deactivate system login user old
set system empty
set system radius-server 192.0.2.10 secret "$9$LbHX-wg4Z" ## SECRET-DATA
)");
    CHECK(to_text({}).empty());
}

TEST_CASE("words are quoted where they must be") {
    for (const char* word : {"a b", "", "a;b", "{", "#x", "/*", "a|b", "(", "inactive:", "\"",
                             "\\\"", "\xC3\xA9 \xC3\xA9"}) {
        tree one;
        one.statements.push_back({});
        one.statements[0].words = {{"x", {}}, {word, {}}};
        CAPTURE(to_text(one));
        CHECK(ok(to_text(one)) == one);
    }
    CHECK(to_text(ok("a b#c 192.0.2.0/24 ge-0/0/0.100 \xC3\xA9;")) ==
          "a b#c 192.0.2.0/24 ge-0/0/0.100 \xC3\xA9;\n");
}

TEST_CASE("each mistake of the syntax is found with its place") {
    struct row {
        const char* text;
        std::vector<std::pair<config::errc, text_position>> found;
    };
    const row rows[] = {
        {"a", {{config::errc::missing_semicolon, {1, 1}}}},
        {"a { b }", {{config::errc::missing_semicolon, {1, 5}}}},
        {"a {\n  b;\n", {{config::errc::unfinished_block, {1, 3}}}},
        {"a { b {",
         {{config::errc::unfinished_block, {1, 7}}, {config::errc::unfinished_block, {1, 3}}}},
        {"}", {{config::errc::unexpected_brace, {1, 1}}}},
        {"a; } b;", {{config::errc::unexpected_brace, {1, 4}}}},
        {"{ a; }", {{config::errc::unexpected_brace, {1, 1}}}},
        {"a [ b ] { c; }", {{config::errc::unexpected_brace, {1, 9}}}},
        {";", {{config::errc::unexpected_semicolon, {1, 1}}}},
        {"a;;", {{config::errc::unexpected_semicolon, {1, 3}}}},
        {"a [ b;", {{config::errc::unfinished_list, {1, 3}}}},
        {"a [ b",
         {{config::errc::unfinished_list, {1, 3}}, {config::errc::missing_semicolon, {1, 1}}}},
        {"[ a ];",
         {{config::errc::unexpected_bracket, {1, 1}}, {config::errc::unexpected_bracket, {1, 5}}}},
        {"a ];", {{config::errc::unexpected_bracket, {1, 3}}}},
        {"a [ b [ c ] ];",
         {{config::errc::unexpected_bracket, {1, 7}}, {config::errc::unexpected_bracket, {1, 13}}}},
        {"a [ b ] c;", {{config::errc::missing_semicolon, {1, 9}}}},
        {"a \"b;\nc d;", {{config::errc::unfinished_string, {1, 3}}}},
        {"a; /* b", {{config::errc::unfinished_comment, {1, 4}}}},
        {"a (b | c);\nd (e);",
         {{config::errc::unexpected_octet, {1, 3}}, {config::errc::unexpected_octet, {2, 3}}}},
        {"a \x01;\nb \"\x02\";\n",
         {{config::errc::control_octet, {1, 3}}, {config::errc::unfinished_string, {2, 3}}}},
    };
    for (const row& r : rows) {
        const std::string text = r.text;
        CAPTURE(text);
        const auto parsed = parse_tree(r.text);
        REQUIRE(parsed.errors.size() == r.found.size());
        for (std::size_t i = 0; i < r.found.size(); ++i) {
            CHECK(parsed.errors[i].code == r.found[i].first);
            CHECK(parsed.errors[i].where == r.found[i].second);
            CHECK_FALSE(parsed.errors[i].code.message().empty());
        }
    }
}

TEST_CASE("after a mistake the rest is still read") {
    const auto parsed = parse_tree("a (x); b { c \"d; \n e; } f;");
    CHECK(parsed.errors.size() == 2);
    CHECK(to_text(parsed.statements) == "b {\n    e;\n}\nf;\n");
}

TEST_CASE("lines may end in CRLF") {
    const tree read = ok("a {\r\n    b c; ## SECRET-DATA\r\n}\r\n");
    CHECK(to_text(read) == "a {\n    b c; ## SECRET-DATA\n}\n");
    CHECK(read.statements[0].children[0].words[0].where == text_position{2, 5});
}

TEST_CASE("a mark behind something else marks nothing") {
    CHECK(to_text(ok("a b;\n## SECRET-DATA\n")) == "a b;\n");
    CHECK(to_text(ok("a b; # SECRET-DATA\n")) == "a b;\n");
    CHECK(to_text(ok("a { ## SECRET-DATA\n b; }")) == "a {\n    b;\n}\n");
}

TEST_CASE("limits end the reading with one error") {
    const auto too_long = parse_tree("abcdef;", {.octets = 6});
    REQUIRE(too_long.errors.size() == 1);
    CHECK(too_long.errors[0].code == config::errc::text_too_long);

    CHECK(parse_tree("a { b { c; } }", {.depth = 2}).errors.empty());
    const auto too_deep = parse_tree("a { b { c { d; } } } e;", {.depth = 2});
    REQUIRE(too_deep.errors.size() == 1);
    CHECK(too_deep.errors[0].code == config::errc::too_deep);
    CHECK(too_deep.errors[0].where == text_position{1, 11});

    std::string deep;
    for (int i = 0; i < 100000; ++i)
        deep += "a{";
    CHECK(parse_tree(deep).errors.front().code == config::errc::too_deep);
}

TEST_CASE("a text cut at any octet is read or refused, never crashes") {
    const std::string text = sample;
    for (std::size_t length = 0; length <= text.size(); ++length) {
        const auto parsed = parse_tree(std::string_view(text).substr(0, length));
        const std::string printed = to_text(parsed.statements);
        CHECK(to_text(ok(printed)) == printed);
    }
}

namespace {

/// A tree of random shape, with words that are hard to write.
class random_tree {
public:
    explicit random_tree(unsigned seed) : random_(seed) {}

    tree make() {
        tree made;
        fill(made.statements, 0);
        return made;
    }

private:
    std::size_t below(std::size_t bound) { return random_() % bound; }

    word make_word() {
        static const std::vector<std::string> letters = {
            "a",  "-",  "/",    "*",         "#",
            "\"", "\\", " ",    "\n",        "\t",
            ";",  "{",  "}",    "[",         "]",
            "$",  "1",  ".",    ":",         "(",
            "n",  "t",  "\xFF", "inactive:", "## SECRET-DATA"};
        std::string text;
        for (std::size_t count = below(5); count > 0; --count)
            text += letters[below(letters.size())];
        return {text, {}};
    }

    void fill(std::vector<statement>& statements, std::size_t depth) {
        for (std::size_t count = below(4); count > 0; --count) {
            statement next;
            for (std::size_t words = 1 + below(3); words > 0; --words)
                next.words.push_back(make_word());
            next.inactive = below(8) == 0;
            if (below(4) == 0) {
                next.has_list = true;
                for (std::size_t members = below(3); members > 0; --members)
                    next.list.push_back(make_word());
            } else if (depth < 4) {
                fill(next.children, depth + 1);
            }
            next.marked_secret = next.children.empty() && below(6) == 0;
            statements.push_back(std::move(next));
        }
    }

    std::mt19937 random_;
};

} // namespace

TEST_CASE("a printed tree is read back as the same tree") {
    for (unsigned seed = 1; seed <= 500; ++seed) {
        INFO("seed ", seed);
        const tree made = random_tree(seed).make();
        const std::string text = to_text(made);
        CAPTURE(text);
        const auto read = parse_tree(text);
        REQUIRE(read.errors.empty());
        REQUIRE(read.statements == made);
        REQUIRE(to_text(read.statements) == text);
    }
}

TEST_CASE("random octets never crash the parser") {
    std::mt19937 random(7);
    const std::string letters = "ab{}[];\"\\#/* \n\x01\xFF(|)";
    for (int round = 0; round < 2000; ++round) {
        INFO("seed 7, round ", round);
        std::string text;
        for (std::size_t length = random() % 40; length > 0; --length)
            text += letters[random() % letters.size()];
        const auto parsed = parse_tree(text);
        const std::string printed = to_text(parsed.statements);
        CAPTURE(text);
        CHECK(to_text(ok(printed)) == printed);
    }
}
