// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

#include <algorithm>
#include <map>

namespace flowtap::cli {

using permission::operation;
using permission::target;

namespace {

const choice enter{std::string(end_of_line), "Execute this command", true};
const choice pipe{"|", "Pipe through a command"};

class parser {
public:
    parser(reader& line, const situation& in) : line_(line), in_(in) {}

    std::optional<command> parse() {
        const bool whole = in_.is_configuring ? configuring() : operating();
        if (!whole || line_.has_failed())
            return std::nullopt;
        return std::move(made_);
    }

private:
    // --- operational mode ---

    bool operating() {
        std::vector<choice> known{{"exit", "Leave the command line"},
                                  {"quit", "Leave the command line"},
                                  {"show", "Show what there is"}};
        if (in_.who.may_configure())
            known.push_back({"configure", "Change the configuration"});
        const auto word = line_.pick(known);
        if (!word)
            return false;
        if (*word == "show")
            return show();
        made_.what = *word == "configure" ? verb::configure : verb::leave;
        return end();
    }

    bool show() {
        std::vector<choice> known{{"configuration", "The configuration in force"}};
        if (in_.who.may(operation::view, target::flow_tap_status))
            known.push_back({"flow-tap", "State of the flow-tap service"});
        const auto word = line_.pick(known);
        if (!word)
            return false;
        if (*word == "flow-tap")
            return show_report();
        made_.what = verb::show_configuration;
        made_.of_committed = true;
        return path(path_use::show, in_.committed, {}) && pipes(can_display_set);
    }

    bool show_report() {
        const auto word = line_.pick(
            {{"status", "What is served, in short"}, {"statistics", "What has been counted"}});
        if (!word)
            return false;
        made_.what = verb::show_report;
        made_.which = *word == "status" ? report::status : report::statistics;
        return pipes(0);
    }

    // --- configuration mode ---

    bool configuring() {
        const auto word = line_.pick({{"commit", "Put the candidate configuration in force"},
                                      {"compare", "Show what has changed"},
                                      {"delete", "Take a statement away"},
                                      {"edit", "Go to a hierarchy"},
                                      {"exit", "Leave this level, or the configuration"},
                                      {"quit", "Leave the configuration"},
                                      {"rollback", "Go back to an earlier configuration"},
                                      {"run", "Execute a command that is not of the configuration"},
                                      {"set", "Add a statement, or change its value"},
                                      {"show", "Show the candidate configuration"},
                                      {"top", "Go to the top"},
                                      {"up", "Go one hierarchy up"}});
        if (!word)
            return false;
        if (*word == "run") {
            const bool whole = show_only();
            return whole;
        }
        static const std::map<std::string_view, bool (parser::*)()> grammar = {
            {"commit", &parser::commit},
            {"compare", &parser::compare},
            {"delete", &parser::remove},
            {"edit", &parser::edit},
            {"exit", &parser::up_or_out},
            {"quit", &parser::leave},
            {"rollback", &parser::rollback},
            {"set", &parser::set},
            {"show", &parser::show_candidate},
            {"top", &parser::top},
            {"up", &parser::up}};
        return (this->*grammar.at(*word))();
    }

    bool show_only() { return line_.pick({{"show", "Show what there is"}}) && show(); }

    bool set() {
        made_.what = verb::set;
        return path(path_use::set, in_.candidate, in_.level) && end();
    }
    bool remove() {
        made_.what = verb::remove;
        return path(path_use::remove, in_.candidate, in_.level) && end();
    }
    bool edit() {
        made_.what = verb::edit;
        return path(path_use::edit, in_.candidate, in_.level) && end();
    }
    bool show_candidate() {
        made_.what = verb::show_configuration;
        return path(path_use::show, in_.candidate, in_.level) &&
               pipes(can_display_set | can_compare);
    }
    bool up() {
        made_.what = verb::up;
        return end();
    }
    bool top() {
        made_.what = verb::top;
        return end();
    }
    bool leave() {
        made_.what = verb::leave;
        return end();
    }
    bool up_or_out() {
        made_.what = in_.level.empty() ? verb::leave : verb::top;
        return end();
    }

    bool compare() {
        made_.what = verb::compare;
        return optional_rollback() && pipes(0);
    }

    /// `rollback N` after `compare`.
    bool optional_rollback() {
        if (ends_here()) {
            if (line_.is_completing() && line_.is_at_end())
                line_.offer({{"rollback", "With an earlier configuration"}, enter, pipe});
            return true;
        }
        return line_.pick({{"rollback", "With an earlier configuration"}}) && number();
    }

    bool rollback() {
        made_.what = verb::rollback;
        made_.number = 0;
        if (line_.is_at_end() && !line_.is_completing())
            return true;
        return number() && end();
    }

    bool number() {
        const typed_word* const typed = line_.next();
        if (typed == nullptr) {
            line_.offer(
                {{"<number>", "0 is what is in force, 1 what was before it (0..49)", true}});
            return false;
        }
        const auto read = config::parse_number(typed->text);
        if (!read || *read > most_rollback) {
            line_.fail("syntax error: a number from 0 to 49 is needed");
            return false;
        }
        made_.number = static_cast<unsigned>(*read);
        line_.pass();
        return true;
    }

    bool commit() {
        made_.what = verb::commit;
        if (line_.is_at_end()) {
            if (line_.is_completing())
                line_.offer({enter,
                             {"and-quit", "Leave the configuration when it is done"},
                             {"check", "Only check whether it could be"}});
            return true;
        }
        const auto word = line_.pick({{"and-quit", {}}, {"check", {}}});
        if (!word)
            return false;
        made_.what = *word == "check" ? verb::check : verb::commit_and_quit;
        return end();
    }

    // --- parts of commands ---

    /// The command's own words end here: the line does, or there is a pipe.
    bool ends_here() const { return line_.is_at_end() || line_.next()->is("|"); }

    bool end() {
        if (!line_.is_at_end()) {
            line_.pick({});
            return false;
        }
        if (line_.is_completing())
            line_.offer({enter});
        return true;
    }

    bool path(path_use use, const config::tree& seen, const std::vector<config::word>& level) {
        path_reader read(in_.who, use, seen, level);
        while (!ends_here()) {
            const std::string wrong = read.take(*line_.next());
            if (!wrong.empty()) {
                line_.fail(wrong);
                return false;
            }
            line_.pass();
        }
        if (line_.is_at_end() && line_.is_completing()) {
            std::vector<choice> possible = read.choices();
            if (read.may_end())
                possible.push_back(enter);
            if (read.may_end() && use == path_use::show)
                possible.push_back(pipe);
            line_.offer(possible);
            return false;
        }
        if (!read.may_end()) {
            line_.fail("syntax error: the statement is not complete");
            return false;
        }
        made_.path = read.path();
        made_.members = read.members();
        made_.words = read.words();
        return true;
    }

    static constexpr unsigned can_display_set = 1;
    static constexpr unsigned can_compare = 2;

    bool pipes(unsigned also) {
        while (!line_.is_at_end()) {
            if (!line_.pick({pipe}) || !one_pipe(also))
                return false;
        }
        if (line_.is_completing() && line_.offered().empty())
            line_.offer({enter, pipe});
        return true;
    }

    bool one_pipe(unsigned also) {
        std::vector<choice> known{{"count", "Count lines"},
                                  {"except", "Show the lines without a text"},
                                  {"match", "Show the lines with a text"},
                                  {"no-more", "Do not stop at each page"}};
        if ((also & can_compare) != 0)
            known.push_back({"compare", "Show what has changed"});
        if ((also & can_display_set) != 0)
            known.push_back({"display", "Show it in another form"});
        const auto word = line_.pick(known);
        if (!word)
            return false;
        if (*word == "display") {
            made_.how = notation::set_commands;
            return line_.pick({{"set", "As the commands that make it"}}).has_value();
        }
        if (*word == "compare") {
            made_.what = verb::compare;
            return optional_rollback();
        }
        if (*word == "count")
            made_.filters.push_back({filter::kind::count});
        if (*word == "match" || *word == "except")
            return pattern(*word == "match" ? filter::kind::match : filter::kind::except);
        return true;
    }

    bool pattern(filter::kind what) {
        const typed_word* const typed = line_.next();
        if (typed == nullptr) {
            line_.offer({{"<text>", "What a line has in it", true}});
            return false;
        }
        made_.filters.push_back({what, typed->text});
        line_.pass();
        return true;
    }

    reader& line_;
    const situation& in_;
    command made_;
};

} // namespace

std::optional<command> parse(reader& line, const situation& in) {
    if (line.has_failed())
        return std::nullopt;
    return parser(line, in).parse();
}

} // namespace flowtap::cli
