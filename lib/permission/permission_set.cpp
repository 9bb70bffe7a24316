// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include <flowtap/permission/permission_set.hpp>

namespace flowtap::permission {

namespace {

/// In the order of `enum class bit`.
constexpr std::array<std::string_view, bit_count> bit_words = {
    "access",
    "access-control",
    "admin",
    "admin-control",
    "all",
    "clear",
    "configure",
    "control",
    "field",
    "firewall",
    "firewall-control",
    "floppy",
    "flow-tap",
    "flow-tap-control",
    "flow-tap-operation",
    "idp-profiler-operation",
    "interface",
    "interface-control",
    "maintenance",
    "network",
    "pgcp-session-mirroring",
    "pgcp-session-mirroring-control",
    "reset",
    "rollback",
    "routing",
    "routing-control",
    "secret",
    "secret-control",
    "security",
    "security-control",
    "shell",
    "snmp",
    "snmp-control",
    "storage",
    "storage-control",
    "system",
    "system-control",
    "trace",
    "trace-control",
    "unified-edge",
    "unified-edge-control",
    "view",
    "view-configuration",
};

/// The enumeration and its words are both in alphabetical order, which keeps them in step.
static_assert(std::is_sorted(bit_words.begin(), bit_words.end()));

constexpr bit_mask mask_of_all() noexcept {
    bit_mask mask;
    for (std::size_t number = 0; number < bit_count; ++number)
        mask.insert(static_cast<bit>(number));
    mask.erase(bit::flow_tap_operation);
    return mask;
}

/// Interception is nobody's by the way: `control` leaves it out.
constexpr bit_mask mask_of_control() noexcept {
    bit_mask mask{bit::control};
    for (std::size_t number = 0; number < bit_count; ++number)
        if (bit_words[number].ends_with("-control"))
            mask.insert(static_cast<bit>(number));
    mask.erase(bit::flow_tap_control);
    mask.erase(bit::pgcp_session_mirroring_control);
    return mask;
}

bit_mask mask_of(bit member) noexcept {
    if (member == bit::all)
        return mask_of_all();
    if (member == bit::control)
        return mask_of_control();
    return {member};
}

/// Calls `take` for each word between blanks.
template <class Function>
void for_each_word(std::string_view words, Function take) {
    constexpr std::string_view blanks = " \t\r\n";
    while (true) {
        const std::size_t start = words.find_first_not_of(blanks);
        if (start == std::string_view::npos)
            return;
        words.remove_prefix(start);
        const std::size_t end = std::min(words.find_first_of(blanks), words.size());
        take(words.substr(0, end));
        words.remove_prefix(end);
    }
}

} // namespace

std::string_view to_word(bit permission) noexcept {
    return bit_words[static_cast<std::size_t>(permission)];
}

std::optional<bit> find_bit(std::string_view word) noexcept {
    const auto found = std::lower_bound(bit_words.begin(), bit_words.end(), word);
    if (found == bit_words.end() || *found != word)
        return std::nullopt;
    return static_cast<bit>(found - bit_words.begin());
}

permission_set::permission_set(std::initializer_list<bit> members) {
    for (const bit member : members)
        insert(member);
}

permission_set permission_set::parse(std::string_view words) {
    permission_set set;
    for_each_word(words, [&](std::string_view word) { set.insert(word); });
    return set;
}

void permission_set::insert(std::string_view word) {
    if (names(word))
        return;
    words_.emplace_back(word);
    if (const auto known = find_bit(word))
        granted_ = granted_ | mask_of(*known);
}

void permission_set::insert(bit member) {
    insert(to_word(member));
}

void permission_set::erase(std::string_view word) {
    std::erase(words_, word);
    granted_ = {};
    for (const auto& left : words_)
        if (const auto known = find_bit(left))
            granted_ = granted_ | mask_of(*known);
}

bool permission_set::names(std::string_view word) const noexcept {
    return std::find(words_.begin(), words_.end(), word) != words_.end();
}

std::string to_string(const permission_set& permissions) {
    std::string text = "[";
    for (const auto& word : permissions.words()) {
        if (text.size() > 1)
            text += ' ';
        text += word;
    }
    return text + ']';
}

permission_set merge(const permission_set& of_class, std::string_view radius_words) {
    permission_set merged = permission_set::parse(radius_words);
    for (const auto& word : of_class.words())
        merged.insert(word);
    return merged;
}

} // namespace flowtap::permission
