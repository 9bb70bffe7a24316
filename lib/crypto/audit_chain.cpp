// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <span>

#include <flowtap/crypto/audit_chain.hpp>
#include <flowtap/crypto/digest.hpp>

#include "hexadecimal.hpp"

namespace flowtap::crypto {

namespace {

constexpr std::string_view number_member = R"({"number":)";
constexpr std::string_view before_member = R"("before":)";
constexpr std::string_view tag_member = R"(,"tag":")";
constexpr std::string_view line_end = R"("})";
constexpr std::size_t tag_digits = 2 * sizeof(audit_tag);
constexpr std::size_t frame_size = tag_member.size() + tag_digits + line_end.size();

constexpr std::string_view state_head = "audit-state 1\n";
constexpr std::size_t longest_name = 200;

/// Takes `prefix` off the front, or nothing.
bool take(std::string_view& from, std::string_view prefix) {
    if (!from.starts_with(prefix))
        return false;
    from.remove_prefix(prefix.size());
    return true;
}

/// Takes a positive number in its only spelling and the character behind it.
std::optional<std::uint64_t> take_number(std::string_view& from, char behind) {
    std::uint64_t number = 0;
    const char* const end = from.data() + from.size();
    const auto [stopped, problem] = std::from_chars(from.data(), end, number);
    if (problem != std::errc{} || stopped == end || *stopped != behind || from.front() == '0')
        return {};
    from.remove_prefix(static_cast<std::size_t>(stopped - from.data()) + 1);
    return number;
}

/// Takes `NAME DIGITS` and the line's end.
std::optional<std::array<std::byte, 32>> take_octets(std::string_view& from,
                                                     std::string_view name) {
    if (!take(from, name) || from.size() <= tag_digits || from[tag_digits] != '\n')
        return {};
    const auto octets = detail::from_hexadecimal(from.substr(0, tag_digits));
    from.remove_prefix(tag_digits + 1);
    return octets;
}

audit_tag tag_of(std::string_view text, const audit_key& key, hmac_sha256& hash) {
    hash.reset(key.octets());
    hash.update(as_byte_view(text));
    return hash.finish();
}

} // namespace

audit_key::~audit_key() {
    wipe(octets_);
}

audit_key audit_key::random() {
    audit_key made({});
    fill_random(made.octets_);
    return made;
}

std::optional<audit_key> audit_key::from_text(std::string_view text) {
    if (text.ends_with('\n'))
        text.remove_suffix(1);
    auto octets = detail::from_hexadecimal(text);
    if (!octets)
        return {};
    audit_key made(*octets);
    wipe(*octets);
    return made;
}

std::string audit_key::to_text() const {
    return detail::to_hexadecimal(octets_);
}

audit_key audit_key::next() const {
    std::array<std::byte, size> octets = sha256({octets_});
    audit_key made(octets);
    wipe(octets);
    return made;
}

std::string_view audit_key::octets() const noexcept {
    const void* const raw = octets_.data();
    return {static_cast<const char*>(raw), octets_.size()};
}

bool operator==(const audit_key& a, const audit_key& b) noexcept {
    return equal_in_constant_time(a.octets_, b.octets_);
}

std::optional<audit_line> read_audit_line(std::string_view line) {
    if (line.size() <= frame_size || !line.ends_with(line_end))
        return {};
    audit_line read;
    read.text = line.substr(0, line.size() - frame_size);
    std::string_view frame = line.substr(read.text.size());
    const auto tag = take(frame, tag_member) ? detail::from_hexadecimal(frame.substr(0, tag_digits))
                                             : std::nullopt;
    std::string_view head = read.text;
    const auto number = take(head, number_member) ? take_number(head, ',') : std::nullopt;
    if (!tag || !number)
        return {};
    if (take(head, before_member)) {
        const auto before = take_number(head, ',');
        if (!before)
            return {};
        read.before = *before;
    }
    read.number = *number;
    read.tag = *tag;
    return read;
}

bool is_authentic(const audit_line& line, const audit_key& key, hmac_sha256& hash) {
    return equal_in_constant_time(tag_of(line.text, key, hash), line.tag);
}

std::string audit_chain::line(std::string_view members) const {
    return line(members, 0);
}

std::string audit_chain::line(std::string_view members, std::uint64_t before) const {
    std::string made(number_member);
    made += std::to_string(next_) + ',';
    if (before != 0) {
        made += before_member;
        made += std::to_string(before) + ',';
    }
    made += members;
    hmac_sha256 hash("");
    const audit_tag tag = tag_of(made, key_, hash);
    made += tag_member;
    made += detail::to_hexadecimal(tag);
    made += line_end;
    made += '\n';
    return made;
}

void audit_chain::step(std::string_view written) {
    if (written.ends_with('\n'))
        written.remove_suffix(1);
    if (const auto line = read_audit_line(written))
        last_ = line->tag;
    key_ = key_.next();
    ++next_;
}

bool audit_chain::adopt(std::string_view found) {
    const auto line = read_audit_line(found);
    hmac_sha256 hash("");
    if (!line || line->number != next_ || !is_authentic(*line, key_, hash))
        return false;
    step(found);
    return true;
}

std::string audit_chain::to_text(std::string_view file) const {
    std::string text(state_head);
    text += "next " + std::to_string(next_);
    text += "\nkey " + key_.to_text();
    text += "\ntag " + detail::to_hexadecimal(last_);
    text += "\nfile ";
    text += file.substr(0, longest_name);
    text += '\n';
    text += "sum " + detail::to_hexadecimal(sha256({as_byte_view(text)})) + '\n';
    text.resize(text_size, '\n');
    return text;
}

std::optional<audit_chain> audit_chain::from_text(std::string_view text) {
    if (text.size() != text_size)
        return {};
    std::string_view rest = text;
    const auto next =
        take(rest, state_head) && take(rest, "next ") ? take_number(rest, '\n') : std::nullopt;
    if (!next)
        return {};
    auto key = take_octets(rest, "key ");
    const auto tag = take_octets(rest, "tag ");
    const std::size_t name_end = rest.find('\n');
    if (!key || !tag || !rest.starts_with("file ") || name_end == std::string_view::npos)
        return {};
    rest.remove_prefix(name_end + 1);
    const auto summed = text.substr(0, text.size() - rest.size());
    const auto sum = take_octets(rest, "sum ");
    if (!sum || *sum != sha256({as_byte_view(summed)}) ||
        rest.find_first_not_of('\n') != std::string_view::npos)
        return {};
    audit_chain made{audit_key(*key)};
    wipe(*key);
    made.next_ = *next;
    made.last_ = *tag;
    return made;
}

} // namespace flowtap::crypto
