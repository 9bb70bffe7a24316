// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <flowtap/cli/terminal.hpp>

namespace flowtap::cli {

namespace {

constexpr std::size_t longest_line = session_limits{}.line;
constexpr std::string_view more = "---(more)---";

constexpr char control(char letter) noexcept {
    return static_cast<char>(letter - '@');
}

bool is_continuation(char octet) noexcept {
    return (static_cast<unsigned char>(octet) & 0xc0U) == 0x80;
}

/// Where the character before a place begins; characters of UTF-8 have one column each here.
std::size_t before(std::string_view line, std::size_t at) noexcept {
    if (at == 0)
        return 0;
    for (--at; at > 0 && is_continuation(line[at]);)
        --at;
    return at;
}

std::size_t after(std::string_view line, std::size_t at) noexcept {
    if (at < line.size())
        ++at;
    while (at < line.size() && is_continuation(line[at]))
        ++at;
    return at;
}

std::size_t columns_of(std::string_view text) noexcept {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

/// The beginning of the word before a place.
std::size_t word_before(std::string_view line, std::size_t at) noexcept {
    while (at > 0 && line[at - 1] == ' ')
        --at;
    while (at > 0 && line[at - 1] != ' ')
        --at;
    return at;
}

bool in_string(std::string_view line) noexcept {
    bool inside = false;
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (inside && line[at] == '\\')
            ++at;
        else if (line[at] == '"')
            inside = !inside;
    }
    return inside;
}

} // namespace

terminal::terminal(session& of, std::uint32_t columns, std::uint32_t rows) : session_(of) {
    resize(columns, rows);
}

void terminal::resize(std::uint32_t columns, std::uint32_t rows) {
    constexpr std::uint32_t narrowest = 20;
    constexpr std::uint32_t widest = 1000;
    columns_ = columns == 0 ? 80 : std::clamp(columns, narrowest, widest);
    rows_ = rows == 0 ? 24 : std::clamp(rows, 2U, widest);
}

void terminal::start() {
    show_prompt();
}

void terminal::feed(std::string_view keys) {
    for (const char octet : keys) {
        if (is_over())
            return;
        key(octet);
    }
}

// --- keys ---

void terminal::key(char octet) {
    const bool second_of_line_end = after_return_ && octet == '\n';
    after_return_ = octet == '\r';
    if (second_of_line_end)
        return;
    if (!pages_.empty())
        return page_key(octet);
    if (state_ != key_state::plain)
        return sequence_key(octet);
    plain_key(octet);
}

void terminal::plain_key(char octet) {
    if (octet == '\x1b') {
        state_ = key_state::escape;
        sequence_.clear();
    } else if (static_cast<unsigned char>(octet) < 0x20 || octet == 0x7f) {
        control_key(octet);
    } else if (octet == '?' && !in_string(std::string_view(line_).substr(0, cursor_)) &&
               !session_.is_asking()) {
        help();
    } else {
        insert(octet);
    }
}

void terminal::control_key(char octet) {
    const std::size_t end = line_.size();
    switch (octet) {
    case '\r':
    case '\n':
        return enter();
    case '\t':
        return tab();
    case 0x7f:
    case control('H'):
        return erase(before(line_, cursor_), cursor_);
    case control('A'):
        cursor_ = 0;
        return draw();
    case control('B'):
        cursor_ = before(line_, cursor_);
        return draw();
    case control('C'):
        return interrupt();
    case control('D'):
        if (line_.empty()) {
            // The end of what is typed: as `exit`, but without a question.
            left_ = true;
            return new_line();
        }
        return erase(cursor_, after(line_, cursor_));
    case control('E'):
        cursor_ = end;
        return draw();
    case control('F'):
        cursor_ = after(line_, cursor_);
        return draw();
    case control('K'):
        return erase(cursor_, end);
    case control('L'):
        return show_prompt();
    case control('N'):
        return recalled_ < history_.size() ? recall(recalled_ + 1) : void();
    case control('P'):
        return recalled_ > 0 ? recall(recalled_ - 1) : void();
    case control('U'):
        return erase(0, cursor_);
    case control('W'):
        return erase(word_before(line_, cursor_), cursor_);
    default:
        output_ += '\a';
    }
}

/// What follows an escape: the arrows and their like, as every terminal sends them. The rest is
/// passed over.
void terminal::sequence_key(char octet) {
    if (state_ == key_state::escape) {
        state_ = octet == '[' || octet == 'O' ? key_state::sequence : key_state::plain;
        return;
    }
    constexpr std::size_t longest = 16;
    const bool is_last = octet >= 0x40 && octet <= 0x7e;
    if (!is_last && sequence_.size() < longest) {
        sequence_ += octet;
        return;
    }
    state_ = key_state::plain;
    constexpr std::string_view letters = "ABCDHF";
    constexpr std::string_view meanings = "PNFBAE";
    if (const std::size_t which = letters.find(octet); which != std::string_view::npos)
        control_key(control(meanings[which]));
    else if (octet == '~' && sequence_ == "3" && cursor_ < line_.size())
        control_key(control('D'));
}

// --- the line ---

void terminal::insert(char octet) {
    if (line_.size() >= longest_line) {
        output_ += '\a';
        return;
    }
    line_.insert(cursor_, 1, octet);
    ++cursor_;
    draw();
}

void terminal::erase(std::size_t from, std::size_t to) {
    if (from == to) {
        output_ += '\a';
        return;
    }
    line_.erase(from, to - from);
    cursor_ = from;
    draw();
}

void terminal::recall(std::size_t which) {
    if (recalled_ == history_.size())
        unfinished_ = line_;
    recalled_ = which;
    line_ = which < history_.size() ? history_[which] : unfinished_;
    cursor_ = line_.size();
    draw();
}

void terminal::enter() {
    cursor_ = line_.size();
    draw();
    new_line();
    const std::string line = std::move(line_);
    line_.clear();
    const bool is_answer = session_.is_asking();
    const reply done = session_.run(line);
    if (!is_answer && !line.empty() && (history_.empty() || history_.back() != line))
        history_.push_back(line);
    if (history_.size() > most_history)
        history_.pop_front();
    if (done.fault) {
        // The mark stands below the word, as far as the screen goes.
        const std::size_t column =
            columns_of(prompt_) + columns_of(std::string_view(line).substr(0, *done.fault));
        if (column + 1 < columns_)
            print(std::string(column, ' ') + "^\n");
    }
    std::string text = done.output;
    if (!done.ok())
        text += done.error + '\n';
    const std::size_t lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    const bool whole = line.find("no-more") != std::string::npos || lines < rows_;
    if (whole) {
        print(text);
    } else {
        pages_ = std::move(text);
        shown_ = 0;
        print_page(rows_ - 1);
    }
    if (pages_.empty() && !is_over())
        show_prompt();
}

void terminal::interrupt() {
    print("^C\n");
    line_.clear();
    show_prompt();
}

void terminal::tab() {
    const std::string typed = line_.substr(0, cursor_);
    const completion found = session_.complete(typed);
    if (!found.rest.empty()) {
        for (const char octet : found.rest)
            insert(octet);
        return;
    }
    help();
}

void terminal::help() {
    const std::string rest = line_;
    const std::size_t at = cursor_;
    const completion found = session_.complete(line_.substr(0, cursor_));
    cursor_ = line_.size();
    draw();
    new_line();
    print(found.error.empty() ? help_text(found) : found.error + '\n');
    line_ = rest;
    cursor_ = at;
    show_prompt();
}

// --- the screen ---

void terminal::page_key(char octet) {
    output_ += '\r' + std::string(more.size(), ' ') + '\r';
    switch (octet) {
    case 'q':
    case 'Q':
    case control('C'):
        pages_.clear();
        return show_prompt();
    case '\r':
    case '\n':
        print_page(1);
        break;
    default:
        print_page(rows_ - 1);
    }
    if (pages_.empty() && !is_over())
        show_prompt();
}

void terminal::print_page(std::size_t lines) {
    std::size_t end = shown_;
    while (lines-- > 0 && end < pages_.size())
        end = pages_.find('\n', end) + 1;
    print(std::string_view(pages_).substr(shown_, end - shown_));
    shown_ = end;
    if (shown_ == pages_.size())
        pages_.clear();
    else
        output_ += more;
}

void terminal::print(std::string_view text) {
    for (const char octet : text) {
        if (octet == '\n')
            output_ += '\r';
        output_ += octet;
    }
}

void terminal::new_line() {
    output_ += "\r\n";
}

/// A prompt on a line of its own; what was typed behind it.
void terminal::show_prompt() {
    const std::string whole = session_.prompt();
    const std::size_t last = whole.rfind('\n') + 1;
    print("\r" + whole.substr(0, last));
    prompt_ = whole.substr(last);
    // However narrow the screen is, a part of it is for the line.
    while (columns_of(prompt_) > std::max(columns_ / 2, columns_ - 20))
        prompt_.erase(0, 1);
    print(prompt_);
    cursor_ = std::min(cursor_, line_.size());
    if (line_.empty())
        recalled_ = history_.size();
    first_ = drawn_ = drawn_cursor_ = 0;
    draw();
}

void terminal::move_back(std::size_t columns) {
    output_.append(columns, '\b');
}

/// Shows the part of the line around the cursor. What stands there already and does not change is
/// not written again.
void terminal::draw() {
    const std::size_t room = columns_ - columns_of(prompt_) - 1;
    const std::size_t cursor = columns_of(std::string_view(line_).substr(0, cursor_));
    if (cursor < first_ || cursor > first_ + room)
        first_ = cursor > room / 2 ? cursor - room / 2 : 0;
    std::size_t start = 0;
    for (std::size_t passed = 0; passed < first_; ++passed)
        start = after(line_, start);
    std::size_t end = start;
    std::size_t shown = 0;
    for (; shown < room && end < line_.size(); ++shown)
        end = after(line_, end);
    move_back(drawn_cursor_);
    output_ += line_.substr(start, end - start);
    const std::size_t blanks = drawn_ > shown ? drawn_ - shown : 0;
    output_.append(blanks, ' ');
    drawn_ = shown;
    drawn_cursor_ = std::min(cursor - first_, shown);
    move_back(shown + blanks - drawn_cursor_);
}

} // namespace flowtap::cli
