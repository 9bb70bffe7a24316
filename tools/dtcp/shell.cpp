// SPDX-License-Identifier: Apache-2.0
#include "shell.hpp"

#include <charconv>
#include <iostream>
#include <optional>
#include <string>

#include <unistd.h>

#include <flowtap/dtcp/parameter.hpp>

#include "line_source.hpp"
#include "requests.hpp"
#include "shell_commands.hpp"
#include "shell_line.hpp"

namespace dtcp_tool {

namespace {

/// What came of a line.
struct outcome {
    exit_code code = exit_ok;
    bool ends = false;
};

void print_overview() {
    for (const shell_command& one : shell_commands()) {
        const std::string left = std::string(one.name) + " " + std::string(one.usage);
        std::cout << "  " << left << std::string(left.size() < 42 ? 42 - left.size() : 1, ' ')
                  << one.summary << '\n';
    }
    std::cout << "For example:\n"
                 "  add Source-Address: 203.0.113.7 Dest-Port: 80 Flags: STATIC Cdest-ID: cd1 ...\n"
                 "  list 1-9 Flags: Stats\n"
                 "A value goes on until the next name; quotes keep what is in them together. The\n"
                 "tabulator completes commands, names, flags and known criteria.\n";
}

exit_code print_help(const std::vector<shell_word>& words) {
    if (words.size() < 2) {
        print_overview();
        return exit_ok;
    }
    const shell_command* const about = find_shell_command(words[1].text);
    if (about == nullptr)
        return complain("no such command: " + flowtap::escape_text(words[1].text), exit_usage);
    std::cout << about->name << ' ' << about->usage << "\n  " << about->summary << '\n';
    if (!about->parameters.empty())
        std::cout << "Parameters:\n";
    for (const auto one : about->parameters) {
        std::cout << "  " << flowtap::dtcp::name_of(one);
        if (one == flowtap::dtcp::parameter::flags)
            for (const std::string_view flag : about->flags)
                std::cout << (flag == about->flags.front() ? ": " : ", ") << flag;
        std::cout << '\n';
    }
    return exit_ok;
}

class shell {
public:
    shell(const options& asked, session& way, interruption& signals)
        : asked_(&asked), way_(&way), signals_(&signals) {}

    outcome do_line(const std::string& line) {
        const std::vector<shell_word> words = split_words(line);
        if (words.empty())
            return {};
        if (words.back().is_open)
            return {complain("a quote is not closed", exit_usage)};
        const shell_command* const command = find_shell_command(words[0].text);
        if (command == nullptr)
            return {complain("no such command: " + flowtap::escape_text(words[0].text) +
                                 " (help shows them)",
                             exit_usage)};
        if (command->name == "quit")
            return {exit_ok, true};
        return {do_command(*command, words)};
    }

private:
    exit_code do_command(const shell_command& command, const std::vector<shell_word>& words) {
        exit_code done = exit_ok;
        if (command.is_request)
            done = do_request(command, words);
        else if (command.name == "help")
            done = print_help(words);
        else if (command.name == "send")
            done = do_send(words);
        else
            done = do_listen(words);
        std::cout << std::flush;
        return done;
    }

    exit_code do_request(const shell_command& command, const std::vector<shell_word>& words) {
        shell_arguments arguments = split_arguments(words, 1);
        const bool selects = !command.parameters.empty() &&
                             command.parameters.front() == flowtap::dtcp::parameter::criteria_id;
        if (!arguments.selection.empty() && !selects)
            return complain("not a parameter: " + flowtap::escape_text(arguments.selection),
                            exit_usage);
        if (!arguments.selection.empty())
            arguments.fields.insert(arguments.fields.begin(), {"Criteria-ID", arguments.selection});
        const auto request = make_request(command.name, arguments.fields, *asked_);
        const exit_code done = ask({&request, 1});
        if (command.name == "delete" && done == exit_ok)
            forget(request);
        return done;
    }

    /// Ctrl-C ends the program when it does not want to wait for an answer any longer.
    exit_code ask(std::span<const flowtap::transport::outgoing_request> requests) {
        const interruption::pause meanwhile(*signals_);
        return way_->ask(requests);
    }

    /// Numbers that were deleted are not to be offered any more.
    void forget(const flowtap::transport::outgoing_request& deleted) {
        session_memory& memory = way_->answers().memory;
        for (const auto& [name, value] : deleted.fields) {
            std::uint64_t id = 0;
            const auto read = std::from_chars(value.data(), value.data() + value.size(), id);
            if (flowtap::dtcp::find_parameter(name) == flowtap::dtcp::parameter::criteria_id) {
                if (value == "*")
                    memory.forget_criteria();
                else if (read.ec == std::errc() && read.ptr == value.data() + value.size())
                    memory.forget(id);
            }
        }
    }

    exit_code do_send(const std::vector<shell_word>& words) {
        if (words.size() != 2 || words[1].text == "-")
            return complain("send takes one file", exit_usage);
        const auto requests = read_requests(words[1].text);
        if (!requests)
            return complain(requests.error().message(), exit_usage);
        return ask(*requests);
    }

    exit_code do_listen(const std::vector<shell_word>& words) {
        std::optional<std::size_t> until;
        if (words.size() > 1) {
            const std::string& text = words[1].text;
            std::size_t count = 0;
            const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
            if (read.ec != std::errc() || read.ptr != text.data() + text.size() || words.size() > 2)
                return complain("listen takes a number", exit_usage);
            until = heard_ + count;
        }
        const exit_code done = way_->show_notifications(*signals_, until, std::nullopt);
        heard_ = way_->answers().notifications;
        return done;
    }

    const options* asked_;
    session* way_;
    interruption* signals_;
    /// How many notifications had come when `listen` last ended.
    std::size_t heard_ = 0;
};

} // namespace

exit_code run_shell(const options& asked, session& way) {
    const bool on_terminal = ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
    interruption signals;
    std::unique_ptr<line_source> lines;
    if (on_terminal)
        lines = edited_lines(way, signals, "dtcp> ");
    if (!lines)
        lines = plain_lines(way, signals, on_terminal ? "dtcp> " : "");
    shell commands(asked, way, signals);
    exit_code first_failure = exit_ok;
    for (;;) {
        const auto line = lines->next();
        if (!line)
            return way.complain_about(line.error());
        if (!*line)
            break;
        const outcome done = commands.do_line(**line);
        if (first_failure == exit_ok)
            first_failure = done.code;
        if (done.ends)
            break;
    }
    return on_terminal ? exit_ok : first_failure;
}

} // namespace dtcp_tool
