// SPDX-License-Identifier: Apache-2.0
#include "completion.hpp"

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <optional>

#include <flowtap/dtcp/parameter.hpp>

#include "shell_commands.hpp"
#include "shell_line.hpp"

namespace dtcp_tool {

using flowtap::dtcp::parameter;

namespace {

/// Keeps of `all` what begins with `start`.
std::vector<std::string> beginning_with(std::string_view start, std::vector<std::string> all) {
    std::erase_if(all, [&](const std::string& one) { return !starts_with_any_case(one, start); });
    std::sort(all.begin(), all.end());
    return all;
}

/// Drops of `all` what stands in `list`, whose entries end with commas each.
std::vector<std::string> without_listed(std::string_view list, std::vector<std::string> all) {
    const std::string entries = "," + std::string(list);
    std::erase_if(all, [&](const std::string& one) {
        return entries.find("," + one + ",") != std::string::npos;
    });
    return all;
}

std::vector<std::string> command_names() {
    std::vector<std::string> all;
    for (const shell_command& one : shell_commands())
        all.emplace_back(one.name);
    return all;
}

std::vector<std::string> criteria_of(const session_memory& memory) {
    std::vector<std::string> all;
    for (const std::uint64_t id : memory.criteria())
        all.push_back(std::to_string(id));
    return all;
}

std::vector<std::string> values_of(parameter name, const shell_command& command,
                                   const session_memory& memory) {
    switch (name) {
    case parameter::flags:
        return {command.flags.begin(), command.flags.end()};
    case parameter::criteria_id:
        return criteria_of(memory);
    case parameter::cdest_id:
        return {memory.destinations().begin(), memory.destinations().end()};
    case parameter::action:
        return {"Copy"};
    case parameter::x_jtap_ip_version:
        return {"ipv4", "ipv6"};
    case parameter::x_jtap_filter_family:
        return {"ccc"};
    default:
        return {};
    }
}

/// Of the names that the command may have, those that the line does not have yet.
std::vector<std::string> names_for(const shell_command& command,
                                   const std::vector<shell_word>& words) {
    std::vector<std::string> all;
    for (const parameter one : command.parameters) {
        const bool is_there = std::any_of(words.begin(), words.end(), [&](const auto& word) {
            const auto length = name_length(word.text);
            return length && flowtap::dtcp::find_parameter(
                                 std::string_view(word.text).substr(0, *length)) == one;
        });
        if (!is_there)
            all.push_back(std::string(flowtap::dtcp::name_of(one)) + ":");
    }
    return all;
}

/// Where the line stands, at its last word.
struct position {
    /// The word at the cursor; empty between words.
    std::string_view word;
    std::size_t begin = 0;
    /// The parameter whose value it may be, or go on with.
    std::optional<parameter> within;
    /// That parameter has a value already, before this word.
    bool has_value = false;
};

position find_position(std::string_view line, const std::vector<shell_word>& words, bool at_word) {
    position made;
    made.begin = line.size();
    std::size_t count = words.size();
    if (at_word) {
        --count;
        made.word = line.substr(words.back().begin);
        made.begin = words.back().begin;
        if (made.word.starts_with('\'') || made.word.starts_with('"')) {
            made.word.remove_prefix(1);
            ++made.begin;
        }
    }
    for (std::size_t index = 1; index < count; ++index) {
        const auto length = name_length(words[index].text);
        if (length)
            made.within = flowtap::dtcp::find_parameter(
                std::string_view(words[index].text).substr(0, *length));
        made.has_value = !length || *length + 1 < words[index].text.size();
    }
    // `Flags:ST`, without a blank
    if (const auto length = name_length(made.word); length && at_word) {
        made.within = flowtap::dtcp::find_parameter(made.word.substr(0, *length));
        made.has_value = false;
        made.begin += *length + 1;
        made.word.remove_prefix(*length + 1);
        while (made.word.starts_with(' ')) {
            ++made.begin;
            made.word.remove_prefix(1);
        }
    }
    return made;
}

completion complete_request(std::string_view line, const shell_command& command,
                            const std::vector<shell_word>& words, bool at_word,
                            const session_memory& memory) {
    const position here = find_position(line, words, at_word);
    completion made;
    // Of a list, the last entry.
    const std::size_t comma = here.word.rfind(',');
    const std::size_t entry = comma == std::string_view::npos ? 0 : comma + 1;
    made.begin = here.begin + entry;
    const std::string_view start = here.word.substr(entry);
    const bool selects =
        !command.parameters.empty() && command.parameters.front() == parameter::criteria_id;
    const auto value_of = here.within ? here.within
                          : selects   ? std::optional(parameter::criteria_id)
                                      : std::nullopt;
    if (value_of && (!here.has_value || entry > 0))
        made.candidates =
            without_listed(here.word.substr(0, entry),
                           beginning_with(start, values_of(*value_of, command, memory)));
    // A name may stand where no value is missing.
    if (entry == 0 && (!here.within || here.has_value)) {
        auto names = beginning_with(start, names_for(command, words));
        made.candidates.insert(made.candidates.end(), names.begin(), names.end());
    }
    return made;
}

} // namespace

std::string completion::common_start() const {
    if (candidates.empty())
        return {};
    std::string common = candidates.front();
    for (const std::string& one : candidates) {
        std::size_t length = 0;
        while (length < common.size() && length < one.size() &&
               std::tolower(static_cast<unsigned char>(common[length])) ==
                   std::tolower(static_cast<unsigned char>(one[length])))
            ++length;
        common.resize(length);
    }
    return common;
}

completion complete_line(std::string_view line, const session_memory& memory) {
    const std::vector<shell_word> words = split_words(line);
    const bool at_word =
        !words.empty() && (words.back().is_open || (line.back() != ' ' && line.back() != '\t'));
    const std::size_t complete_words = words.size() - (at_word ? 1 : 0);
    const bool helps = complete_words == 1 && find_shell_command(words[0].text) != nullptr &&
                       find_shell_command(words[0].text)->name == "help";
    if (complete_words == 0 || helps) {
        completion made;
        made.begin = at_word ? words.back().begin : line.size();
        made.candidates = beginning_with(line.substr(made.begin), command_names());
        return made;
    }
    const shell_command* const command = find_shell_command(words[0].text);
    if (command == nullptr || !command->is_request)
        return {line.size(), {}, ""};
    return complete_request(line, *command, words, at_word, memory);
}

} // namespace dtcp_tool
