// SPDX-License-Identifier: Apache-2.0
//
// What keys do to the screen, on a screen that knows as little as a terminal may.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/cli/terminal.hpp>

#include "rig.hpp"

using namespace flowtap;
using namespace flowtap::cli;

namespace {

/// Lines and a cursor. Each octet that is not a control character takes a column.
class screen {
public:
    void show(std::string_view octets) {
        for (const char octet : octets)
            show(octet);
    }
    /// The line with the cursor, without blanks at its end.
    std::string line() const { return trimmed(lines_.back()); }
    std::string line(std::size_t from_the_end) const {
        return trimmed(lines_.at(lines_.size() - 1 - from_the_end));
    }
    std::size_t column() const { return column_; }
    std::size_t widest() const { return widest_; }
    std::string all() const {
        std::string text;
        for (const std::string& each : lines_)
            text += trimmed(each) + '\n';
        return text;
    }

private:
    static std::string trimmed(std::string line) {
        line.erase(line.find_last_not_of(' ') + 1);
        return line;
    }
    void show(char octet) {
        if (octet == '\r') {
            column_ = 0;
        } else if (octet == '\n') {
            lines_.emplace_back();
        } else if (octet == '\b') {
            REQUIRE(column_ > 0);
            --column_;
        } else if (octet != '\a') {
            std::string& here = lines_.back();
            here.resize(std::max(here.size(), column_ + 1), ' ');
            here[column_++] = octet;
            widest_ = std::max(widest_, column_);
        }
    }

    std::vector<std::string> lines_{""};
    std::size_t column_ = 0;
    std::size_t widest_ = 0;
};

struct terminal_rig {
    explicit terminal_rig(std::uint32_t columns = 80, std::uint32_t rows = 24)
        : session(person("all"), around, session::style::interactive),
          keyboard(session, columns, rows) {
        keyboard.start();
        update();
    }
    void type(std::string_view keys) {
        keyboard.feed(keys);
        update();
    }
    void update() {
        seen.show(keyboard.output());
        keyboard.take(keyboard.output().size());
    }

    memory_environment around;
    cli::session session;
    terminal keyboard;
    screen seen;
};

struct key_case {
    std::string_view keys;
    /// The line on the screen, and the cursor's column, both behind the prompt.
    std::string_view line;
    std::size_t cursor;
};

} // namespace

TEST_CASE("keys edit the line") {
    for (const key_case& each : std::initializer_list<key_case>{
             {"show", "show", 4},
             {"shaw\x7f\x7fow", "show", 4},
             {"a\x08"
              "b",
              "b", 1},
             {"\x7f", "", 0},
             {"abc\x01x", "xabc", 1},
             {"abc\x01\x05x", "abcx", 4},
             {"abc\x02\x02x", "axbc", 2},
             {"abc\x02\x02\x06x", "abxc", 3},
             {"abc\x1b[D\x1b[Dx", "axbc", 2},
             {"abc\x1b[D\x1b[D\x1b[Cx", "abxc", 3},
             {"abc\x1b[Hx\x1b[Fy", "xabcy", 5},
             {"abc\x1bOHx", "xabc", 1},
             {"abc\x1b[H\x1b[3~", "bc", 0},
             {"abc\x01\x04", "bc", 0},
             {"one two\x17x", "one x", 5},
             {"one two  \x17", "one", 4},
             {"one two\x15", "", 0},
             {"one two\x02\x02\x02\x15", "two", 0},
             {"one two\x02\x02\x02\x0b", "one", 4},
             {"a\x1b[1;5Cb", "ab", 2},
             {"a\x1b[12345678901234567890zb", "a890zb", 6},
             {"a\x00\x1c"
              "b",
              "a", 1},
             {"\"a?b", "\"a?b", 4},
         }) {
        CAPTURE(each.keys);
        terminal_rig one;
        one.type(each.keys);
        CHECK(one.seen.line() == ("ann@iap> " + std::string(each.line))
                                     .substr(0, each.line.empty() ? 8 : std::string::npos));
        CHECK(one.seen.column() == 9 + each.cursor);
    }
}

TEST_CASE("keys come in any pieces") {
    const std::string_view keys = "shoq\x1b[Dw\x1b[3~ conf\tsystem host\t\r";
    terminal_rig whole;
    whole.type(keys);
    for (std::size_t cut = 0; cut <= keys.size(); ++cut) {
        terminal_rig parts;
        parts.type(keys.substr(0, cut));
        parts.type(keys.substr(cut));
        CHECK(parts.seen.all() == whole.seen.all());
    }
    CHECK(whole.seen.line(1) == "host-name iap;");
}

TEST_CASE("TAB completes, or shows what can come; so does a question mark") {
    terminal_rig one;
    one.type("sh\t");
    CHECK(one.seen.line() == "ann@iap> show");
    CHECK(one.seen.column() == 14);
    one.type("f\tstatu\t\r");
    CHECK(one.seen.line(1) == "criteria: 3");
    one.type("show ?");
    CHECK(one.seen.line(3) == "Possible completions:");
    CHECK(one.seen.line(2) == "  configuration  The configuration in force");
    CHECK(one.seen.line(1) == "  flow-tap       State of the flow-tap service");
    CHECK(one.seen.line() == "ann@iap> show");
    one.type("\x15zzz ?");
    CHECK(one.seen.line(1) == "syntax error: \"zzz\" is not known here");
}

TEST_CASE("what is wrong has a mark below it") {
    terminal_rig one;
    one.type("show foo\r");
    CHECK(one.seen.line(3) == "ann@iap> show foo");
    CHECK(one.seen.line(2) == "              ^");
    CHECK(one.seen.line(1) == "syntax error: \"foo\" is not known here");
}

TEST_CASE("lines that were entered come back, each once in a row, and bounded") {
    terminal_rig one;
    one.type("show flow-tap status\rshow flow-tap status\rshow flow-tap statistics\rund");
    one.type("\x1b[A");
    CHECK(one.seen.line() == "ann@iap> show flow-tap statistics");
    one.type("\x10");
    CHECK(one.seen.line() == "ann@iap> show flow-tap status");
    one.type("\x1b[A\x1b[B\x1b[B\x1b[B");
    CHECK(one.seen.line() == "ann@iap> und");
    one.type("\x15");
    for (std::size_t number = 0; number < terminal::most_history + 5; ++number)
        one.type("show " + std::to_string(number) + "\r");
    for (std::size_t number = 0; number < terminal::most_history + 5; ++number)
        one.type("\x1b[A");
    CHECK(one.seen.line() == "ann@iap> show 5");
}

TEST_CASE("Ctrl-C drops the line, and Ctrl-D on an empty one leaves") {
    terminal_rig one;
    one.type("show\x03");
    CHECK(one.seen.line(1) == "ann@iap> show^C");
    CHECK(one.seen.line() == "ann@iap>");
    CHECK_FALSE(one.keyboard.is_over());
    one.type("\x04");
    CHECK(one.keyboard.is_over());
    terminal_rig two;
    two.type("exit\rshow flow-tap status\r");
    CHECK(two.keyboard.is_over());
    CHECK(two.seen.all().find("criteria") == std::string::npos);
}

TEST_CASE("a line that is wider than the screen scrolls sideways and never wraps") {
    for (const std::uint32_t columns : {20U, 33U, 80U}) {
        terminal_rig one(columns);
        const std::string word(200, 'x');
        one.type(word + "end");
        CHECK(one.seen.line().ends_with("end"));
        one.type("\x01"
                 "start");
        CHECK(one.seen.line().starts_with("ann@iap> startx"));
        one.type("\x05");
        CHECK(one.seen.line().ends_with("end"));
        for (int count = 0; count < 300; ++count)
            one.type("\x7f");
        CHECK(one.seen.line() == "ann@iap>");
        CHECK(one.seen.widest() < columns);
    }
    terminal_rig resized(80);
    resized.keyboard.resize(30, 10);
    resized.type(std::string(100, 'y'));
    CHECK(resized.seen.widest() < 30);
}

TEST_CASE("a line is bounded") {
    terminal_rig one;
    one.type(std::string(session_limits{}.line + 1000, 'x') + "\r");
    CHECK(one.seen.line(1).starts_with("syntax error: \"xxx"));
}

TEST_CASE("long output stops at each page, unless it is told not to") {
    terminal_rig one(80, 6);
    one.type("show configuration system\r");
    CHECK(one.seen.line() == "---(more)---");
    CHECK(one.seen.line(5) == "host-name iap;");
    one.type("\r");
    CHECK(one.seen.line() == "---(more)---");
    CHECK(one.seen.line(1) == "    class desk {");
    one.type(" ");
    CHECK(one.seen.line() == "---(more)---");
    one.type("q");
    CHECK(one.seen.line() == "ann@iap>");
    one.type("show configuration system | no-more\r");
    CHECK(one.seen.line() == "ann@iap>");
    CHECK(one.seen.line(1) == "}");
    // To its end.
    one.type("show configuration system | match a\r");
    for (int page = 0; page < 5; ++page)
        one.type(one.seen.line() == "---(more)---" ? " " : "");
    CHECK(one.seen.line() == "ann@iap>");
}

TEST_CASE("a question is put and its answer is not kept") {
    terminal_rig one;
    one.type("configure\rset system host-name x\rexit\r");
    CHECK(one.seen.line() == "Discard uncommitted changes? [yes,no] (yes)");
    one.type("?\x08yes\r");
    CHECK(one.seen.line(1) == "Exiting configuration mode");
    one.type("\x1b[A");
    CHECK(one.seen.line() == "ann@iap> exit");
}

TEST_CASE("configuration mode shows the level above the prompt") {
    terminal_rig one;
    one.type("configure\redit services flow-tap\r");
    CHECK(one.seen.line(1) == "[edit services flow-tap]");
    CHECK(one.seen.line() == "ann@iap#");
}
