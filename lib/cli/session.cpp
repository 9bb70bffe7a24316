// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include <flowtap/cli/session.hpp>
#include <flowtap/config/secret.hpp>
#include <flowtap/config/visible.hpp>

#include "changes.hpp"
#include "check.hpp"
#include "command.hpp"
#include "compare.hpp"

namespace flowtap::cli {

using config::tree;
using config::word;
using permission::operation;
using permission::target;

namespace {

reply failed(std::string why) {
    return {{}, "error: " + std::move(why), std::nullopt};
}

reply said(std::string text) {
    return {std::move(text), {}, std::nullopt};
}

/// The statements as `set` commands begin at the top.
tree from_the_top(selection chosen) {
    for (auto above = chosen.above.rbegin(); above != chosen.above.rend(); ++above) {
        if (chosen.found.empty())
            break;
        config::statement outer;
        outer.words.push_back(*above);
        outer.children = std::move(chosen.found);
        chosen.found = {std::move(outer)};
    }
    return {std::move(chosen.found)};
}

bool asks_for_help(std::string_view line) {
    return line == "?" || line.ends_with(" ?") || line.ends_with("\t?");
}

/// Whether a choice can be appended as it stands.
bool is_plain(const choice& one) {
    return !one.placeholder && (one.word == "|" || one.word == "[" || one.word == "]" ||
                                written(std::vector<word>{{one.word}}) == one.word);
}

/// The letters that all choices have after what was typed.
std::string rest_of(const std::vector<choice>& choices, std::string_view typed) {
    const bool anything =
        std::any_of(choices.begin(), choices.end(), [](const choice& c) { return c.placeholder; });
    std::vector<std::string_view> words;
    for (const choice& each : choices)
        if (is_plain(each))
            words.push_back(each.word);
    if (words.empty() || (anything && typed.empty()))
        return {};
    std::string_view common = words.front();
    for (const std::string_view each : words)
        common = common.substr(
            0, static_cast<std::size_t>(
                   std::mismatch(common.begin(), common.end(), each.begin(), each.end()).first -
                   common.begin()));
    std::string rest(common.substr(std::min(typed.size(), common.size())));
    return words.size() == 1 ? rest + ' ' : rest;
}

} // namespace

class session::implementation {
public:
    implementation(permission::principal who, environment& around, style how, session_limits limits)
        : who_(std::move(who)), around_(around), how_(how), limits_(limits),
          viewer_(who_.permissions) {}

    reply run(std::string_view line);
    completion complete(std::string_view line);
    std::string prompt();
    bool has_changes() const {
        return candidate_ &&
               !changes_between(candidate_->base.written, candidate_->edited.written).empty();
    }
    bool asking = false;
    bool over = false;

private:
    /// A configuration that is being edited, and what it was made of.
    struct candidate {
        std::unique_ptr<candidate_place> place;
        version base;
        version edited;
        std::vector<word> level = {};
    };

    template <class Use>
    auto in_situation(Use use);
    const version& committed();
    reply execute(const command& what);
    reply answer(std::string_view line);

    reply show_configuration(const command& what);
    reply configure();
    reply leave();
    reply discard();
    reply set(const command& what);
    reply remove(const command& what);
    reply edit(const command& what);
    reply up();
    reply compare(const command& what);
    reply rollback(unsigned number);
    reply commit(verb how);
    reply put_in_force(const version& next);

    reply replace(version next);
    std::optional<version> numbered(unsigned number, std::string& why);
    reply denied(const std::vector<change>& changes) const;
    void hide_secrets(steps& path);
    tree seen(const version& of) const { return viewer_.visible(of); }

    permission::principal who_;
    environment& around_;
    style how_;
    session_limits limits_;
    viewer viewer_;
    std::optional<candidate> candidate_;
    std::shared_ptr<const tree> known_;
    version known_version_;
};

const version& session::implementation::committed() {
    const std::shared_ptr<const tree> now = around_.committed();
    if (now != known_) {
        known_version_ = make_version(*now);
        known_ = now;
    }
    return known_version_;
}

/// Calls `use` with what a line's meaning depends on.
template <class Use>
auto session::implementation::in_situation(Use use) {
    const tree in_force = seen(committed());
    const tree edited = candidate_ ? seen(candidate_->edited) : tree{};
    const std::vector<word> top;
    return use(situation{viewer_, candidate_.has_value(), in_force, edited,
                         candidate_ ? candidate_->level : top});
}

reply session::implementation::run(std::string_view line) {
    if (over)
        return {};
    if (line.size() > limits_.line)
        return failed("the line is too long");
    if (asking)
        return answer(line);
    if (asks_for_help(line)) {
        const completion shown = complete(line.substr(0, line.size() - 1));
        return {shown.error.empty() ? help_text(shown) : std::string(), shown.error, shown.fault};
    }
    typed_line words = read_words(line);
    if (words.words.empty() && words.problem.empty())
        return {};
    reader read(std::move(words), reader::purpose::run);
    const auto meant = in_situation([&](const situation& in) { return parse(read, in); });
    if (!meant)
        return {{}, read.error(), read.fault()};
    reply done = execute(*meant);
    done.output = limited(through(std::move(done.output), meant->filters), limits_.output);
    return done;
}

completion session::implementation::complete(std::string_view line) {
    if (asking || over || line.size() > limits_.line)
        return {};
    reader read(read_words(line), reader::purpose::complete);
    in_situation([&](const situation& in) { return parse(read, in); });
    if (read.has_failed())
        return {{}, {}, read.error(), read.fault()};
    return {read.offered(), rest_of(read.offered(), read.partial()), {}, {}};
}

std::string session::implementation::prompt() {
    if (asking)
        return "Discard uncommitted changes? [yes,no] (yes) ";
    const selection name =
        select(committed().written, std::vector<word>{{"system"}, {"host-name"}});
    const std::string host = name.found.empty() || name.found.front().words.size() < 2
                                 ? "flowtap"
                                 : name.found.front().words[1].text;
    if (!candidate_)
        return who_.name + '@' + host + "> ";
    return '\n' + edit_line(candidate_->level) + '\n' + who_.name + '@' + host + "# ";
}

reply session::implementation::execute(const command& what) {
    switch (what.what) {
    case verb::show_configuration:
        return show_configuration(what);
    case verb::show_report:
        return said(around_.show(what.which));
    case verb::configure:
        return configure();
    case verb::leave:
        return leave();
    case verb::set:
        return set(what);
    case verb::remove:
        return remove(what);
    case verb::edit:
        return edit(what);
    case verb::up:
        return up();
    case verb::top:
        candidate_->level.clear();
        return {};
    case verb::compare:
        return compare(what);
    case verb::rollback:
        return rollback(what.number.value_or(0));
    case verb::check:
    case verb::commit:
    case verb::commit_and_quit:
        return commit(what.what);
    }
    return {};
}

// --- what shows ---

reply session::implementation::show_configuration(const command& what) {
    const bool of_candidate = candidate_ && !what.of_committed;
    selection chosen = select(seen(of_candidate ? candidate_->edited : committed()), what.words);
    if (what.how == notation::set_commands)
        return said(to_set_commands(from_the_top(std::move(chosen))));
    return said(to_text(tree{std::move(chosen.found)}));
}

reply session::implementation::compare(const command& what) {
    if (!what.number)
        return said(compare_text(seen(candidate_->base), seen(candidate_->edited)));
    std::string why;
    const auto before = numbered(*what.number, why);
    if (!before)
        return failed(why);
    return said(compare_text(seen(*before), seen(candidate_->edited)));
}

std::optional<version> session::implementation::numbered(unsigned number, std::string& why) {
    if (number == 0)
        return committed();
    const auto earlier = around_.earlier(number);
    if (!earlier) {
        why = "there is no configuration " + std::to_string(number);
        return std::nullopt;
    }
    return make_version(*earlier);
}

// --- what edits ---

reply session::implementation::configure() {
    auto place = candidate_place::take(around_);
    if (!place)
        return failed("too many sessions are changing the configuration");
    candidate_.emplace(candidate{std::move(place), committed(), committed()});
    return said("Entering configuration mode\n");
}

reply session::implementation::leave() {
    if (!candidate_) {
        over = true;
        return {};
    }
    if (!has_changes())
        return discard();
    if (how_ == style::interactive) {
        asking = true;
        return said("The configuration has been changed but not committed\n");
    }
    reply done = discard();
    done.output = "warning: uncommitted changes are discarded\n" + done.output;
    return done;
}

reply session::implementation::discard() {
    candidate_.reset();
    return said("Exiting configuration mode\n");
}

reply session::implementation::answer(std::string_view line) {
    asking = false;
    if (std::string_view("yes").starts_with(line))
        return discard();
    if (std::string_view("no").starts_with(line))
        return {};
    asking = true;
    return failed("please answer yes or no");
}

reply session::implementation::edit(const command& what) {
    candidate_->level = what.words;
    return {};
}

reply session::implementation::up() {
    std::vector<word>& level = candidate_->level;
    const config::schema_row* row = nullptr;
    std::size_t last = 0;
    for (std::size_t at = 0; at < level.size();) {
        const row_match matched = match_row(row, std::span(level).subspan(at));
        last = at;
        row = matched.row;
        at = row != nullptr ? at + matched.count : level.size();
    }
    level.resize(last);
    return {};
}

/// Secrets that were typed in clear are kept as Junos keeps them.
void session::implementation::hide_secrets(steps& path) {
    for (step& each : path) {
        const bool is_secret = each.row != nullptr && each.row->type == config::value_type::secret;
        if (is_secret && each.words.size() > 1 && !config::is_obscured(each.words.back().text))
            each.words.back().text = config::obscure_secret(each.words.back().text, around_.salt());
    }
}

reply session::implementation::set(const command& what) {
    steps path = what.path;
    hide_secrets(path);
    tree next = candidate_->edited.written;
    insert(next, path, what.members);
    return replace(make_version(next));
}

reply session::implementation::remove(const command& what) {
    version next = candidate_->edited;
    erase(next.written, what.words);
    next = make_version(next.written);
    // What the person sees and may not change is in the way; what it does not see stays.
    std::vector<change> in_the_way = forbidden(viewer_, candidate_->edited, next);
    std::erase_if(in_the_way, [&](const change& each) {
        return !viewer_.may(operation::view, target_of(each.words, candidate_->edited.logins));
    });
    if (!in_the_way.empty())
        return denied(in_the_way);
    bool whole = true;
    version kept = make_version(with_allowed_changes(viewer_, candidate_->edited, next, whole));
    if (changes_between(candidate_->edited.written, kept.written).empty())
        return failed("statement not found");
    return replace(std::move(kept));
}

/// Takes another candidate, if the person may change what it takes to get there.
reply session::implementation::replace(version next) {
    if (octets_of(next.written.statements) > limits_.candidate)
        return failed("the configuration is too long");
    const std::vector<change> refused = forbidden(viewer_, candidate_->edited, next);
    if (!refused.empty())
        return denied(refused);
    candidate_->edited = std::move(next);
    return {};
}

reply session::implementation::denied(const std::vector<change>& changes) const {
    // The keywords say enough, and are no secret.
    const change& first = changes.front();
    const std::vector<word>& words = first.words;
    const auto* row = config::row_at(words);
    const auto& named = first.after != nullptr ? *first.after : *first.before;
    const bool has_value =
        row != nullptr && (row->kind == config::statement_kind::value ||
                           (row->kind == config::statement_kind::list && !named.has_list));
    return failed("permission denied: " +
                  written(std::span(words).first(words.size() - (has_value ? 1 : 0))));
}

reply session::implementation::rollback(unsigned number) {
    std::string why;
    const auto wanted = numbered(number, why);
    if (!wanted)
        return failed(why);
    // From what is in force, so that what others have committed stays.
    const version& now = committed();
    bool whole = true;
    version next =
        number == 0 ? now : make_version(with_allowed_changes(viewer_, now, *wanted, whole));
    const std::vector<change> refused = forbidden(viewer_, now, next);
    if (!refused.empty())
        return denied(refused);
    const bool differs = !changes_between(seen(*wanted), seen(next)).empty();
    candidate_->base = now;
    candidate_->edited = std::move(next);
    candidate_->level.clear();
    return said(differs ? "load complete\nwarning: what you may not change stays as it is\n"
                        : "load complete\n");
}

// --- what puts in force ---

reply session::implementation::commit(verb how) {
    const version& now = committed();
    version next = candidate_->edited;
    if (!(candidate_->base.written == now.written)) {
        merged both = merge(candidate_->base.written, candidate_->edited.written, now.written);
        if (!both.conflicts.empty())
            return failed(
                "somebody else has changed the same: " +
                written(
                    std::span(both.conflicts.front()).first(both.conflicts.front().size() - 1)) +
                "\n(rollback 0 begins anew with what is in force)");
        next = make_version(both.result);
    }
    const std::vector<change> refused = forbidden(viewer_, now, next);
    if (!refused.empty())
        return denied(refused);
    const verdict checked = check(viewer_, next);
    if (!checked.good)
        return {checked.text, "error: configuration check-out failed", std::nullopt};
    if (how == verb::check)
        return said(checked.text + "configuration check succeeds\n");
    reply done = put_in_force(next);
    if (!done.ok())
        return done;
    done.output = checked.text + done.output + "commit complete\n";
    if (how == verb::commit_and_quit)
        done.output += discard().output;
    return done;
}

reply session::implementation::put_in_force(const version& next) {
    reply done;
    if (!changes_between(committed().written, next.written).empty()) {
        // What the program says of it is about the service.
        const bool may_know = viewer_.may(operation::view, target::flow_tap_status);
        const auto notes = around_.commit(next.written, who_);
        if (!notes)
            return failed(may_know ? "commit failed: " + notes.error().message() : "commit failed");
        for (const std::string& note : *notes)
            done.output += may_know ? note + '\n' : std::string();
    }
    candidate_->base = committed();
    candidate_->edited = committed();
    return done;
}

// --- the session ---

session::session(permission::principal who, environment& around, style how, session_limits limits)
    : implementation_(std::make_unique<implementation>(std::move(who), around, how, limits)) {}

session::~session() = default;

bool session::admits(const permission::principal& who) {
    return allowed(who, operation::use, target::command_line);
}

reply session::run(std::string_view line) {
    return implementation_->run(line);
}

completion session::complete(std::string_view line) const {
    return implementation_->complete(line);
}

std::string session::prompt() const {
    return implementation_->prompt();
}

bool session::is_asking() const noexcept {
    return implementation_->asking;
}

bool session::is_over() const noexcept {
    return implementation_->over;
}

bool session::has_changes() const {
    return implementation_->has_changes();
}

std::string help_text(const completion& shown) {
    constexpr std::size_t widest = 24;
    std::size_t width = 0;
    std::vector<std::string> words;
    for (const choice& each : shown.choices) {
        words.push_back(is_plain(each) || each.placeholder
                            ? each.word
                            : written(std::vector<word>{{each.word}}));
        width = std::max(width, std::min(words.back().size(), widest));
    }
    std::string text = words.empty() ? "No possible completions\n" : "Possible completions:\n";
    for (std::size_t at = 0; at < words.size(); ++at) {
        std::string line = "  " + words[at];
        line.resize(std::max(line.size(), width + 2), ' ');
        const std::string& help = shown.choices[at].help;
        text += help.empty() ? "  " + words[at] + '\n' : line + "  " + help + '\n';
    }
    return text;
}

} // namespace flowtap::cli
