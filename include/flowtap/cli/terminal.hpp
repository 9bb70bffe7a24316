// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include <flowtap/cli/session.hpp>

namespace flowtap::cli {

/// A session at a terminal: keys in, what the terminal is to show out. It edits the line
/// (Backspace, Delete, the arrows, Ctrl-A, -B, -D, -E, -F, -K, -L, -N, -P, -U, -W), completes it at
/// TAB, helps at `?`, keeps the last lines, drops the line at Ctrl-C, and stops at each page.
///
/// The terminal need not know more than carriage return, line feed, backspace and bell: a line that
/// does not fit scrolls sideways. No I/O and no clock; memory is bounded by the session's limits.
class terminal {
public:
    /// How many lines are kept.
    static constexpr std::size_t most_history = 100;

    /// `columns` and `rows` of zero stand for 80 and 24.
    terminal(session& of, std::uint32_t columns, std::uint32_t rows);

    /// The first prompt.
    void start();
    /// Takes keys, all of them unless the session is over; those behind the command that has ended
    /// it are dropped.
    void feed(std::string_view keys);
    void resize(std::uint32_t columns, std::uint32_t rows);

    /// What is to be shown, and not yet taken.
    const std::string& output() const noexcept { return output_; }
    void take(std::size_t octets) { output_.erase(0, octets); }

    bool is_over() const noexcept { return session_.is_over() || left_; }

private:
    enum class key_state : std::uint8_t { plain, escape, sequence };

    void key(char octet);
    void plain_key(char octet);
    void control_key(char octet);
    void sequence_key(char octet);
    void page_key(char octet);

    void insert(char octet);
    void erase(std::size_t from, std::size_t to);
    void recall(std::size_t which);
    void enter();
    void interrupt();
    void tab();
    void help();

    void print(std::string_view text);
    void print_page(std::size_t lines);
    void show_prompt();
    void new_line();
    void draw();
    void move_back(std::size_t columns);

    session& session_;
    std::string output_;
    std::size_t columns_ = 80;
    std::size_t rows_ = 24;

    std::string prompt_;
    std::string line_;
    std::size_t cursor_ = 0;
    /// What the terminal shows of the line: its first octet, how many columns, where the cursor is.
    std::size_t first_ = 0;
    std::size_t drawn_ = 0;
    std::size_t drawn_cursor_ = 0;

    std::deque<std::string> history_;
    std::size_t recalled_ = 0;
    std::string unfinished_;

    key_state state_ = key_state::plain;
    std::string sequence_;
    bool after_return_ = false;
    /// What is to be shown page by page, from its first octet on.
    std::string pages_;
    std::size_t shown_ = 0;
    bool left_ = false;
};

} // namespace flowtap::cli
