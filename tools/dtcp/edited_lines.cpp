// SPDX-License-Identifier: Apache-2.0
#include "line_source.hpp"

#ifndef FLOWTAP_HAS_LIBEDIT

namespace dtcp_tool {

std::unique_ptr<line_source> edited_lines(session& /*way*/, interruption& /*signals*/,
                                          std::string /*prompt*/) {
    return nullptr;
}

} // namespace dtcp_tool

#else

#include <algorithm>
#include <cstdio>
#include <iostream>

#include <histedit.h>
#include <unistd.h>

#include "completion.hpp"
#include "waiting.hpp"

namespace dtcp_tool {

using flowtap::fail;
using flowtap::result;

namespace {

constexpr int history_size = 1000;
/// Ctrl-D.
constexpr unsigned char end_of_input = 4;

struct end_editing {
    void operator()(EditLine* editor) const noexcept { el_end(editor); }
};
struct end_history {
    void operator()(History* history) const noexcept { history_end(history); }
};

class editor final : public line_source {
public:
    editor(session& way, interruption& signals, std::string prompt)
        : way_(&way), signals_(&signals), prompt_(std::move(prompt)) {
        HistEvent event;
        history_.reset(history_init());
        ::history(history_.get(), &event, H_SETSIZE, history_size);
        ::history(history_.get(), &event, H_SETUNIQUE, 1);
        editor_.reset(el_init("dtcp", stdin, stdout, stderr));
        EditLine* const to = editor_.get();
        el_set(to, EL_CLIENTDATA, this);
        el_set(to, EL_PROMPT, &editor::prompt_of);
        el_set(to, EL_EDITOR, "emacs");
        el_set(to, EL_SIGNAL, 0);
        el_set(to, EL_HIST, ::history, history_.get());
        el_set(to, EL_ADDFN, "dtcp-complete", "complete what is typed", &editor::complete_word);
        el_set(to, EL_BIND, "^I", "dtcp-complete", nullptr);
        el_set(to, EL_BIND, "^R", "em-inc-search-prev", nullptr);
        el_set(to, EL_GETCFN, &editor::next_letter);
        way_->answers().before_print = [this] { clear_line(); };
    }
    ~editor() override { way_->answers().before_print = nullptr; }
    editor(const editor&) = delete;
    editor& operator=(const editor&) = delete;

    result<std::optional<std::string>> next() override;

private:
    static editor& self(EditLine* of) {
        void* data = nullptr;
        el_get(of, EL_CLIENTDATA, &data);
        return *static_cast<editor*>(data);
    }
    static char* prompt_of(EditLine* of) { return self(of).prompt_.data(); }
    static int next_letter(EditLine* of, wchar_t* to) { return self(of).read_letter(to); }
    static unsigned char complete_word(EditLine* of, int /*key*/) { return self(of).complete(); }

    int read_letter(wchar_t* to);
    unsigned char complete();
    void show(const std::vector<std::string>& candidates) const;
    void clear_line();

    session* way_;
    interruption* signals_;
    std::string prompt_;
    std::unique_ptr<History, end_history> history_;
    std::unique_ptr<EditLine, end_editing> editor_;
    /// A line is being edited, and stands on the screen.
    bool editing_ = false;
    /// Something was printed in its place.
    bool disturbed_ = false;
    bool interrupted_ = false;
    std::optional<flowtap::error> failure_;
};

void editor::clear_line() {
    if (!editing_ || std::exchange(disturbed_, true))
        return;
    std::cout << "\r\033[K" << std::flush;
}

/// Called by the editor for a letter. Waits for it, and shows notifications meanwhile.
int editor::read_letter(wchar_t* to) {
    wait_conditions conditions;
    conditions.input = STDIN_FILENO;
    conditions.on_messages = [this] {
        if (std::exchange(disturbed_, false))
            el_set(editor_.get(), EL_REFRESH);
    };
    for (;;) {
        const auto woken =
            wait_for_messages(way_->sources(), way_->answers(), *signals_, conditions);
        if (!woken)
            failure_ = woken.error();
        interrupted_ = woken && *woken == wakeup::interrupted;
        if (!woken || *woken != wakeup::input)
            return -1;
        unsigned char octet = 0;
        if (::read(STDIN_FILENO, &octet, 1) != 1)
            return 0;
        // A Ctrl-D that was typed before the editor had the terminal, as the system keeps it.
        const LineInfo* const line = el_line(editor_.get());
        if (octet == 0 && line->buffer == line->lastchar)
            octet = end_of_input;
        // What requests are made of is ASCII.
        if (octet >= 0x80)
            continue;
        *to = static_cast<wchar_t>(octet);
        return 1;
    }
}

result<std::optional<std::string>> editor::next() {
    for (;;) {
        int count = 0;
        interrupted_ = false;
        editing_ = true;
        const char* const read = el_gets(editor_.get(), &count);
        editing_ = false;
        if (failure_) {
            std::cout << '\n';
            return fail(*failure_);
        }
        if (interrupted_) {
            // The line is dropped, and another begins.
            std::cout << "^C\n" << std::flush;
            el_reset(editor_.get());
            continue;
        }
        if (read == nullptr || count <= 0) {
            std::cout << '\n' << std::flush;
            return std::optional<std::string>();
        }
        std::string line(read, static_cast<std::size_t>(count));
        while (line.ends_with('\n') || line.ends_with('\r'))
            line.pop_back();
        HistEvent event;
        if (line.find_first_not_of(" \t") != std::string::npos)
            ::history(history_.get(), &event, H_ENTER, line.c_str());
        return std::optional(line);
    }
}

unsigned char editor::complete() {
    const LineInfo* const line = el_line(editor_.get());
    const std::string_view before(line->buffer,
                                  static_cast<std::size_t>(line->cursor - line->buffer));
    const completion found = complete_line(before, way_->answers().memory);
    if (found.candidates.empty())
        return CC_REFRESH_BEEP;
    const std::size_t typed = before.size() - found.begin;
    std::string text = found.common_start();
    const bool is_only = found.candidates.size() == 1;
    if (is_only)
        text += found.after;
    if (!is_only && text.size() <= typed) {
        show(found.candidates);
        return CC_REDISPLAY;
    }
    el_deletestr(editor_.get(), static_cast<int>(typed));
    if (el_insertstr(editor_.get(), text.c_str()) == -1)
        return CC_ERROR;
    return CC_REFRESH;
}

void editor::show(const std::vector<std::string>& candidates) const {
    constexpr std::size_t width = 80;
    std::size_t longest = 0;
    for (const std::string& one : candidates)
        longest = std::max(longest, one.size());
    const std::size_t columns = std::max<std::size_t>(width / (longest + 2), 1);
    for (std::size_t index = 0; index < candidates.size(); ++index) {
        std::cout << (index % columns == 0 ? "\n" : "") << candidates[index]
                  << std::string(longest + 2 - candidates[index].size(), ' ');
    }
    std::cout << '\n' << std::flush;
}

} // namespace

std::unique_ptr<line_source> edited_lines(session& way, interruption& signals, std::string prompt) {
    return std::make_unique<editor>(way, signals, std::move(prompt));
}

} // namespace dtcp_tool

#endif
